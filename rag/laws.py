"""Statutes by the names people give them: titles, abbreviations, old titles, beginnings of titles, slips of the pen.

A name is compared without spaces, dots, brackets and Hanja. `Laws` indexes names by their first two characters, so that
a question costs a few look-ups a word however many statutes there are; only a guess at a misspelt name looks further.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import takewhile
from pathlib import Path

from rag.statutes import Edition, normalize_title

SUBORDINATE = ("시행규칙", "시행령")

_MIDDLE_DOT = "ㆍ·‧•・∙⋅･᛫"
_IGNORED = re.compile(rf"[\s{_MIDDLE_DOT}「」『』<>(),'\"’‘“”\-\u3400-\u9fff\uf900-\ufaff]")

PARTICLES = (
    "(?:에서는|에서도|에서의|에서|에선|에는|에도|에만|에게|에의|에|엔|상으로|상의|상에|상|으로는|으로도|으로|로|"
    "이랑|랑|하고|이나|나|도|만|까지|부터|보다|처럼|대로|이란|란|이라는|라는|이라고|라고|이라면|이면|이고|인데|"
    "인가요|인가|이에요|예요|이야|은|는|이|가|을|를|의|과|와|및|또는|중에서|중에|중|말고|전)"
)
_NAME_END = re.compile(rf"\s*(?:제\s*)?\d|(?![가-힣A-Za-z])|{PARTICLES}(?![가-힣])|(?:위반|개정)[가-힣]*")
# A name begins where a word does, or right after an article and its particle (제750조와형법제250조).
_WORD = re.compile(r"(?<![0-9A-Za-z가-힣])[0-9A-Za-z가-힣]|(?<=[조항호목\d][와과및])[가-힣]")
_LAW_TAIL = re.compile(r"(?:법률|법)$")
# What may follow the beginning of a title that stands for the whole: '자본시장', '국토의 계획 및 이용법'.
_TITLE_BORDER = re.compile(r"(?:에|의|과|와)?\s|(?:기본|특별|특례)?법(?:률)?$")
_SHORTEST_SLIP = 4
_SHORTEST_BEGINNING = 4
_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Name:
    """A statute's name as it stands in a text, and the key it stands for."""

    start: int
    end: int
    key: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """What an old title became; `same_numbers` where nothing but the title changed."""

    title: str
    same_numbers: bool


def squash(name: str) -> str:
    """Return a name as it is compared: NFC, without spaces, dots, brackets and Hanja."""
    return _IGNORED.sub("", unicodedata.normalize("NFC", name))


def split_subordinate(key: str) -> tuple[str, str]:
    """Split a key or name without spaces into its act and '시행령', '시행규칙' or ''."""
    for suffix in SUBORDINATE:
        if key.endswith(suffix) and key != suffix:
            return key.removesuffix(suffix), suffix
    return key, ""


@cache
def _abbreviation_data() -> dict[str, list[str]]:
    data: dict[str, list[str]] = json.loads(Path(__file__).with_name("abbreviations.json").read_text("utf-8"))
    return data


@cache
def abbreviations() -> dict[str, str]:
    """Return common abbreviations -> titles, both normalised (`abbreviations.json`)."""
    return {
        normalize_title(short): normalize_title(title)
        for title, shorts in _abbreviation_data().items()
        for short in shorts
    }


@cache
def renamed() -> dict[str, Renamed]:
    """Return old titles, normalised -> what they became (`renamed.json`)."""
    data = json.loads(Path(__file__).with_name("renamed.json").read_text("utf-8"))
    return {normalize_title(old): Renamed(now["title"], now["same_numbers"]) for old, now in data.items()}


@cache
def _common_titles() -> dict[str, str]:
    """Key -> title of the statutes that are known whether they are at hand or not."""
    data = json.loads(Path(__file__).with_name("renamed.json").read_text("utf-8"))
    titles = [*_abbreviation_data(), *data, *(now["title"] for now in data.values())]
    return {normalize_title(title): title for title in titles}


def full_title(name: str) -> str:
    """Return the title that a common abbreviation stands for, and any other name as it is."""
    key = abbreviations().get(normalize_title(name), "")
    return _common_titles().get(key, name)


@dataclass(frozen=True)
class Laws:
    """The statutes that names can resolve to. `editions` are those at hand, by key; a key may be of none of them."""

    editions: dict[str, Edition]
    _names: Mapping[str, str] = field(default_factory=dict)
    _lengths: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    _acts: tuple[tuple[str, str], ...] = ()
    """(squashed name, name) of every act, in order: what beginnings are sought in."""

    _by_length: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, editions: Iterable[Edition]) -> Laws:
        """Index editions by title, official abbreviation and the common abbreviations."""
        by_key = {edition.key: edition for edition in editions}
        spelt = {key: key for key in _common_titles()} | dict(abbreviations())
        for edition in by_key.values():
            spelt |= {short: edition.key for short in re.split(r"[,;]", edition.abbreviation) if short.strip()}
        spelt |= {edition.title: key for key, edition in by_key.items()}
        names = {squash(name): key for name, key in spelt.items()}
        names.pop("", None)
        spelt |= {title: key for key, title in _common_titles().items() if key not in by_key}
        acts = {
            squash(n): n for n, key in spelt.items() if _LAW_TAIL.search(n) and (key in by_key or key not in renamed())
        }
        lengths: dict[str, set[int]] = defaultdict(set)
        by_length: dict[int, list[str]] = defaultdict(list)
        for name in names:
            lengths[name[:2]].add(len(name))
            by_length[len(name)].append(name)
        return cls(
            by_key,
            names,
            {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()},
            tuple(sorted(acts.items())),
            {length: tuple(found) for length, found in by_length.items()},
        )

    def resolve(self, name: str) -> str:
        """Return the normalised title that a name stands for, or '' if the name is not known."""
        squashed = squash(name)
        if squashed in self._names:
            return self._names[squashed]
        base, suffix = split_subordinate(squashed)
        return self._names[base] + suffix if suffix and base in self._names else ""

    def title(self, key: str) -> str:
        """Return the title of a key as it is shown, also where the statute is not at hand."""
        if key in self.editions:
            return self.editions[key].title
        base, suffix = split_subordinate(key)
        if suffix and key not in _common_titles():
            return f"{self.title(base)} {suffix}"
        return _common_titles().get(key, key)

    def find(self, text: str) -> list[Name]:
        """Return the known names that stand in `text` (NFC) as words, the longest at each place, in order."""
        offsets = [offset for offset, char in enumerate(text) if not _IGNORED.match(char)]
        flat = "".join(text[offset] for offset in offsets)
        at = {offset: index for index, offset in enumerate(offsets)}
        found: list[Name] = []
        for word in _WORD.finditer(text):
            index = at[word.start()]
            if found and word.start() < found[-1].end:
                continue
            for length, key in self._spelt_at(flat, index):
                end = offsets[index + length - 1] + 1
                if _NAME_END.match(text, end):
                    found.append(Name(word.start(), end, key))
                    break
        return found

    def _spelt_at(self, flat: str, index: int) -> Iterator[tuple[int, str]]:
        """Yield (length, key) of the names that `flat` has at `index`, longest first."""
        for length in self._lengths.get(flat[index : index + 2], ()):
            key = self._names.get(flat[index : index + length])
            if key is None or index + length > len(flat):
                continue
            for suffix in SUBORDINATE:
                if flat.startswith(suffix, index + length):
                    yield length + len(suffix), key + suffix
            yield length, key

    def guess(self, word: str, *, slips: bool = True) -> tuple[str, tuple[str, ...]]:
        """Return (key, ()) of the one act that `word` begins or misspells, else ('', up to three titles it may be)."""
        base, suffix = split_subordinate(squash(word))
        if len(base) < 2 or not re.fullmatch(r"[0-9A-Za-z가-힣\u3131-\u318e]+", base):
            return "", ()
        for keys in (self._begun_by(base), self._near(base) if slips else []):
            if len(keys) == 1:
                return keys[0] + suffix, ()
            if keys:
                return "", tuple(self.title(key) for key in keys[:_CANDIDATES])
        return "", tuple(self.title(key) for key in self._starting_with(base)[:_CANDIDATES])

    def _begun_by(self, base: str) -> list[str]:
        stem = _LAW_TAIL.sub("", base)
        keys = []
        for squashed, name in self._acts_from(stem):
            rest = _rest_of(name, len(stem))
            but_for_law = stem == base and len(stem) > 2 and _LAW_TAIL.fullmatch(rest)
            if but_for_law or (len(stem) >= _SHORTEST_BEGINNING and _TITLE_BORDER.match(rest)):
                keys.append(self._names.get(squashed, ""))
        return _shortest_first(keys)

    def _starting_with(self, base: str) -> list[str]:
        """Keys of the acts that a word for a law that is not known could mean ('행정법')."""
        stem = _LAW_TAIL.sub("", base)
        if stem == base or len(stem) < 2:
            return []
        return _shortest_first(self._names.get(squashed, "") for squashed, _ in self._acts_from(stem))

    def _acts_from(self, stem: str) -> Iterator[tuple[str, str]]:
        """Yield the acts whose squashed names begin with `stem` and go on."""
        for position in range(bisect_left(self._acts, (stem, "")), len(self._acts)):
            squashed, name = self._acts[position]
            if not squashed.startswith(stem):
                return
            if squashed != stem and len(stem) > 1:
                yield squashed, name

    def _near(self, base: str) -> list[str]:
        if len(base) < _SHORTEST_SLIP:
            return []
        alike = (name for length in range(len(base) - 1, len(base) + 2) for name in self._by_length.get(length, ()))
        close = (self._names[name] for name in alike if len(name) >= _SHORTEST_SLIP and _one_slip(name, base))
        return _shortest_first(close)


def named_laws(text: str, laws: Laws) -> tuple[str, ...]:
    """Return the keys of the statutes named in `text` by whole title or abbreviation, in order, each once.

    An old title stands for what it became. Short names ('상법') count only where they are written in one piece.
    """
    keys = []
    text = unicodedata.normalize("NFC", text)
    for name in laws.find(text):
        written = text[name.start : name.end]
        if len(squash(written)) <= 3 and squash(written) != written:
            continue
        old = renamed().get(name.key) if name.key not in laws.editions else None
        keys.append(normalize_title(old.title) if old else name.key)
    return tuple(dict.fromkeys(keys))


def _shortest_first(keys: Iterable[str]) -> list[str]:
    return sorted({key for key in keys if key}, key=lambda key: (len(key), key))


def _rest_of(name: str, length: int) -> str:
    """What follows the first `length` characters of a name, its ignored ones not counted."""
    for position, char in enumerate(name):
        if length == 0:
            return name[position:]
        length -= not _IGNORED.match(char)
    return ""


def _one_slip(one: str, other: str) -> bool:
    """Whether two names differ by one syllable or, typed out, by one jamo."""
    half = (min(len(one), len(other)) - 1) // 2  # one of the halves is as it should be
    if one[:half] != other[:half] and one[-half:] != other[-half:]:
        return False
    head, tail = _shared(one, other)
    if head + tail >= max(len(one), len(other)) - 1:
        return True
    if len(one) != len(other) or head + tail < len(one) - 2:
        return False
    one, other = _typed(one), _typed(other)
    return sum(_shared(one, other)) >= max(len(one), len(other)) - 1


def _shared(one: str, other: str) -> tuple[int, int]:
    """How many characters two texts share at the start, and at the end of what is left."""
    head = _alike(one, other)
    return head, _alike(reversed(one[head:]), reversed(other[head:]))


def _alike(one: Iterable[str], other: Iterable[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


# A jamo at the end of a syllable is the same key as one at its start, and a silent ㅇ is a key too.
_FINALS = str.maketrans("ᆨᆩᆫᆮᆯᆷᆸᆺᆻᆼᆽᆾᆿᇀᇁᇂ", "ᄀᄁᄂᄃᄅᄆᄇᄉᄊᄋᄌᄎᄏᄐᄑᄒ")


def _typed(name: str) -> str:
    return unicodedata.normalize("NFD", name).translate(_FINALS)
