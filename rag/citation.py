"""Reads citations of articles out of a question: '민법 제750조', '주임법 3조의3 ②', '같은 법 시행령 제7조'.

The only place with that grammar. `find_citations` reads what is written; `Laws` resolves names, abbreviations and
'같은 법' to statutes that are at hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from rag.statutes import CIRCLED, Edition, normalize_title

_ARTICLE = re.compile(
    r"(?:제\s*)?(?<!\d)(?P<main>\d{1,6})\s*조(?P<branch>(?:\s*의\s*\d{1,3}(?!\d|\s*[가-힣]*원))*)"
    rf"(?:\s*(?:제?\s*(?P<paragraph>\d{{1,2}})\s*항|(?P<circled>[{CIRCLED}])))?"
    r"(?:\s*제?\s*(?P<subparagraph>\d{1,3}(?:의\d+)?)\s*호)?"
)
_PARTICLE = re.compile(r"(?:의|에서|에|상|상의|중|은|는|이|가|,|:)$")
_SAME_LAW_TAIL = re.compile(
    r"(?:(?:같은|이|그|위)\s*(?:법률|법)|동법|동\s법|(?:같은|동)\s*(?=시행))\s*(?:시행령|시행규칙)?\s*$"
)
_SUBORDINATE = ("시행규칙", "시행령")
_LAW_WORD = re.compile(r"[가-힣ㆍ·]*(?:법률|법|시행령|시행규칙|규칙|규정|헌법)$")
_MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class Citation:
    """An article as cited: the name as written before it ('' where there is none), its label, 항 and 호.

    `start:end` is where the article's number stands in the text; `key` is the statute it resolves to, '' if none.
    """

    name: str
    label: str
    paragraph: int | None
    subparagraph: str | None
    start: int
    end: int
    key: str = ""

    def render(self) -> str:
        """Return the citation in the form of the statutes themselves: 민법 제750조제1항제2호."""
        parts = [self.name + " " if self.name else "", self.label]
        if self.paragraph:
            parts.append(f"제{self.paragraph}항")
        if self.subparagraph:
            number, _, branch = self.subparagraph.partition("의")
            parts.append(f"제{number}호" + (f"의{branch}" if branch else ""))
        return "".join(parts)


@cache
def abbreviations() -> dict[str, str]:
    """Return common abbreviations -> titles, both normalised (`abbreviations.json`)."""
    data = json.loads(Path(__file__).with_name("abbreviations.json").read_text("utf-8"))
    return {normalize_title(short): normalize_title(title) for title, shorts in data.items() for short in shorts}


@dataclass(frozen=True)
class Laws:
    """The statutes that names can resolve to, by normalised title and abbreviation."""

    editions: dict[str, Edition]
    _names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, editions: Iterable[Edition]) -> Laws:
        """Index editions by title, official abbreviation and the common abbreviations."""
        by_key = {edition.key: edition for edition in editions}
        names = dict(abbreviations())
        names |= {normalize_title(e.abbreviation): e.key for e in by_key.values() if e.abbreviation}
        return cls(by_key, names | {key: key for key in by_key})

    def resolve(self, name: str) -> str:
        """Return the normalised title that a name stands for, or '' if the name is not known."""
        key = normalize_title(name)
        if key in self._names:
            return self._names[key]
        for suffix in _SUBORDINATE:
            base = key.removesuffix(suffix)
            if base != key and base in self._names:
                return self._names[base] + suffix
        return ""

    def trailing_name(self, text: str) -> tuple[str, str]:
        """Return (name as written, key) of the longest known name that `text` ends with, or ('', '')."""
        tail = text[-_MAX_NAME:].rstrip(" \t\n「」『』()<>,:\"'")
        for candidate in (tail, _PARTICLE.sub("", tail).rstrip(" 」』")):
            for start in range(len(candidate)):
                if start and re.match(r"[가-힣]", candidate[start - 1]) and re.match(r"[가-힣]", candidate[start]):
                    continue  # names begin where a word begins
                if key := self.resolve(candidate[start:]):
                    return candidate[start:].strip("「」『』 "), key
        return "", ""


def find_citations(text: str, laws: Laws, previous: str = "") -> list[Citation]:
    """Return the articles cited in `text`, in order.

    `previous` is the key of the statute that '같은 법' means before any is named. An article with no name directly
    before it belongs to the statute named last ('민법 제750조와 제751조'). A name that is not known is kept as
    written, with an empty key: the caller says so instead of guessing.
    """
    citations: list[Citation] = []
    last_name, last_key, after = "", previous, 0
    for match in _ARTICLE.finditer(text):
        between = text[after : match.start()]
        name, key = _name_before(between, laws, last_name, last_key)
        last_name, last_key, after = name, key, match.end()
        circled = match["circled"]
        citations.append(
            Citation(
                name=name,
                label=f"제{int(match['main'])}조" + "".join(f"의{n}" for n in re.findall(r"\d+", match["branch"])),
                paragraph=CIRCLED.index(circled) + 1 if circled else int(match["paragraph"] or 0) or None,
                subparagraph=match["subparagraph"],
                start=match.start(),
                end=match.end(),
                key=key,
            )
        )
    return citations


def _name_before(between: str, laws: Laws, last_name: str, last_key: str) -> tuple[str, str]:
    if same := _SAME_LAW_TAIL.search(between):
        suffix = next((s for s in _SUBORDINATE if s in same[0]), "")
        base = last_key
        for ending in _SUBORDINATE if suffix else ():
            base = base.removesuffix(ending)
        key = base + suffix if base else ""
        edition = laws.editions.get(key)
        return (edition.title if edition else same[0].strip(), key)
    name, key = laws.trailing_name(between)
    if key:
        return name, key
    words = between.rstrip(" 「」『』").split()
    if (
        words
        and _LAW_WORD.search(words[-1].strip("「」『』"))
        and not re.search(r"(방법|불법|위법|적법|합법)$", words[-1])
    ):
        return words[-1].strip("「」『』"), ""
    return last_name, last_key
