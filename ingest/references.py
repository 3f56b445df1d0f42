"""Reads what an article's text says of other articles: '법 제3조제1항 및 제5조부터 제7조까지에 따라', '같은 조'.

This is the language of 법제처's drafting rules, in running text that nobody asked about; what people write in a
question is `rag.citation`'s. References that are joined by commas, 및 or 부터 … 까지 make a chain: they belong to
one statute unless another is named, and what follows the last says what is done with all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from rag.statutes import CIRCLED, article_key, base_key, normalize_title

MAX_RANGE = 20
"""The most articles that a range stands for."""

Target = tuple[str, str]
"""Statute key ('' where it cannot be known) and article label."""

_NAMED = "\0"  # stands in `_Level.gap` for a name in 「」

_TOKEN = re.compile(
    r"「(?P<name>[^「」]{1,120})」"
    r"|(?P<alias>\(이하\s*(?P<here>이 [조항호]에서\s*)?[\"“‘'](?P<short>[^\"”’']{1,40})[\"”’'][^()]{0,30}\))"
    r"|(?P<quote>[\"“”])"
    r"|(?P<open>[(\[])|(?P<close>[)\]])"
    r"|(?P<article>제\s?(?P<main>\d{1,4})\s?조(?P<branch>(?:의\d{1,3}(?!\d))*))"
    r"|(?P<same>(?<![가-힣])(?:같은\s?조|동조)(?=[\s제에의를는와,)ㆍ]))"
)
_LINE_LABEL = re.compile(rf"[{CIRCLED}]|\d{{1,3}}(?:의\d{{1,2}})?\.|[가-하](?:의\d{{1,2}})?\.|(?:\d{{1,2}}|[가-하])\)")
_PART = (
    r"\s|제\d+(?:항|호)(?:의\d+)?|[가-하]목|(?:같은 [항호] )?각 [호목](?: 외의 부분)?|본문|단서|전단|후단|전문"
    r"|부터|까지|내지|[∼~]|및|또는|[ㆍ·,]|와|과|이나|나|의 규정|의(?=\s*제)"
)
LIST = rf"(?:{_PART})*+"
"""What may stand between the references of a chain, and after the last: 제1항제2호, 및, 까지의 규정 …"""
_LIST = re.compile(LIST)
_RANGE = re.compile(r"(?:부터|내지|[∼~])\s*$")
_OWN = re.compile(r"(?<![가-힣])이\s*(?:법률|법|영|규칙|규정|령)$")
_SAME_LAW = re.compile(r"(?<![가-힣])(?:같은|동|그|위)\s*(?:법률|법|영|규칙|규정|령)(?:\s*(?P<sub>시행령|시행규칙))?$")
_LAW_WORD = re.compile(
    r"(?P<word>[가-힣A-Za-z0-9ㆍ·]*(?:법률|법|영|령|규칙|규정|협약|조약|협정|의정서|정관|예규|훈령|고시|조례|지침|헌장"
    r"|약관|규약|강령|준칙|세칙))(?:\s*(?P<sub>시행령|시행규칙))?$"
)
_CRIMES = re.compile(r"제\d+장[^.,]{0,40}죄\s?중\s*$")
_WORD_ENDS = frozenset("률법영령칙정약서관규시례침장")
_BEFORE_ARTICLE = re.compile(r"(?:\s|의|중|제\d+(?:편|장|절|관)(?:의\d+)?(?: [가-힣,\s]{2,30}죄\s?중)?)*$")

normal_title = lru_cache(8192)(normalize_title)


@dataclass(frozen=True, slots=True)
class Chain:
    """References that are joined, `after` them the text (brackets left out) up to the next or the end of the line.

    `lead` is the text that the line begins with before its first reference, None for a later chain; `label` is the
    line's label (①, 1., 가.), '' without one.
    """

    targets: tuple[Target, ...]
    after: str
    lead: str | None
    label: str


@dataclass
class Names:
    """What the names in one statute's text stand for; short names are learnt as the text says them."""

    key: str
    places: dict[str, int]
    """The labels of its articles, and where each stands."""
    subordinate: bool
    short: dict[str, str] = field(default_factory=dict)
    taught: set[str] = field(default_factory=set)
    """The short names that the text gave; the others follow from the title, and give way."""
    local: dict[str, str] = field(default_factory=dict)
    """Short names that hold in the article that is being read only."""

    def __post_init__(self) -> None:
        base = base_key(self.key)
        self.short |= {"헌법": "대한민국헌법"}
        if base == self.key:
            return
        if not base.endswith(("법", "법률")):  # 경찰공무원 임용령 시행규칙
            self.short |= {"영": base}
            return
        self.short |= {"법": base, "시행령": base + "시행령", "시행규칙": base + "시행규칙"}
        if not self.key.endswith("시행령"):
            self.short["영"] = base + "시행령"

    @property
    def parents(self) -> set[str]:
        """The keys of the act and the decree that this statute carries out, as it calls them."""
        if not self.subordinate:
            return set()
        return {self.short[word] for word in ("법", "영") if word in self.short} - {self.key}

    def expand(self, first: Target, last: Target) -> list[Target]:
        """Return what lies between two references of one statute, the last included."""
        key, label = last
        if key == self.key and first[1] in self.places and label in self.places:
            labels = list(self.places)[self.places[first[1]] + 1 : self.places[label] + 1]
            return [(key, between) for between in labels[: MAX_RANGE - 1]] or [last]
        low, high = article_key(first[1]), article_key(label)
        if len(low) == len(high) and low[:-1] == high[:-1]:
            stem = f"제{high[0]}조" + "".join(f"의{n}" for n in high[1:-1])
            numbers = range(low[-1] + 1, high[-1] + 1)[: MAX_RANGE - 1]
            return [(key, f"제{n}조" if len(high) == 1 else f"{stem}의{n}") for n in numbers] or [last]
        return [last]


@dataclass
class _Level:
    """Where reading stands, at one depth of brackets."""

    named: str = ""
    """The statute that '같은 법' means."""
    last: Target | None = None
    """The article that '같은 조' means."""
    quoted: str = ""
    """The statute whose 「name」 the gap holds."""
    gap: str = ""
    """The text since the last reference, or since the line's label."""
    bare: str | None = None
    """The statute of an article without a name, where that is not the one it stands in."""
    chain: list[Target] = field(default_factory=list)
    lead: str | None = None
    fresh: bool = False
    """Whether this line had no reference yet."""


def chains_of(text: str, names: Names) -> Iterator[Chain]:
    """Yield the chains of references in an article's text (without marks). Never raises."""
    base = _Level()
    names.local = {}
    for line in text.split("\n"):
        if "조" not in line and "「" not in line:
            continue
        label = _LINE_LABEL.match(line)
        base.gap, base.chain, base.fresh, base.bare = "", [], True, None
        yield from _read_line(line, label.end() if label else 0, base, names)


def _read_line(line: str, start: int, base: _Level, names: Names) -> Iterator[Chain]:
    label = line[:start]
    levels = [base]
    for token in _TOKEN.finditer(line, start):
        level = levels[-1]
        level.gap += line[start : token.start()]
        start = token.end()
        match token.lastgroup:
            case "name":
                level.quoted = level.named = normal_title(token["name"])
                level.gap += _NAMED
            case "alias":
                _learn(token["short"], level, names, names.local if token["here"] else names.short)
            case "quote":
                _quote(token[0], level)
            case "open":
                named = level.gap.rstrip().endswith(_NAMED)
                levels.append(_Level(level.named, level.last, bare=level.quoted if named else level.bare))
            case "close" if len(levels) > 1:
                inner = levels.pop()
                yield from _end(inner, label)
                levels[-1].named = levels[-1].named or inner.named
            case "same" if level.last:
                yield from _add(level, level.last, level.gap, label)
            case "article":
                number = f"제{int(token['main'])}조{token['branch']}"
                yield from _refer(level, number, names, label)
    levels[-1].gap += line[start:]
    for level in levels:
        yield from _end(level, label)


def _refer(level: _Level, number: str, names: Names, label: str) -> Iterator[Chain]:
    key, gap = _statute_before(level, names)
    joined = bool(level.chain) and _LIST.fullmatch(gap) is not None
    if key is None:
        key = level.chain[-1][0] if joined else _statute_of_bare(number, level, names)
    target = (key, number)
    if joined and level.chain[-1][0] == target[0] and _RANGE.search(gap):
        level.chain += names.expand(level.chain[-1], target)
        level.last, level.gap = target, ""
        return
    yield from _add(level, target, gap, label)


def _statute_of_bare(number: str, level: _Level, names: Names) -> str:
    if level.bare is not None:
        return level.bare
    # '「형법」 제250조의 죄 및 제252조': what is not of this statute is of the one cited before.
    elsewhere = number not in names.places or _CRIMES.search(level.gap)
    return level.last[0] if level.last and elsewhere else names.key


def _quote(mark: str, level: _Level) -> None:
    """Enter or leave quoted words: '법 제3조에서 "제5조에 따른 …"' quotes the act, others nobody knows whom."""
    opens = mark == "“" or (mark == '"' and level.bare is None)
    if opens:
        level.bare = level.last[0] if level.last and level.gap.rstrip().endswith("에서") else ""
    else:
        level.bare = None
    level.gap += mark


def _add(level: _Level, target: Target, gap: str, label: str) -> Iterator[Chain]:
    if not (level.chain and _LIST.fullmatch(gap)):
        yield from _end(level, label)
        level.lead = gap.strip() if level.fresh else None
    level.chain.append(target)
    level.last, level.gap, level.fresh = target, "", False


def _end(level: _Level, label: str) -> Iterator[Chain]:
    if level.chain:
        yield Chain(tuple(level.chain), level.gap, level.lead, label)
    level.chain = []


def _statute_before(level: _Level, names: Names) -> tuple[str | None, str]:
    """Return the statute named right before an article (None if none is, '' if it is not known which), and the gap
    without that name.
    """
    gap = level.gap
    tail = gap[: _BEFORE_ARTICLE.search(gap).start()]  # type: ignore[union-attr]  # matches the empty end
    if tail.endswith(_NAMED):
        return level.quoted, tail[:-1]
    tail = gap.rstrip()
    if tail.endswith(("부칙", "별표")):
        return "", gap
    if not tail or tail[-1] not in _WORD_ENDS:
        return None, gap
    for pattern, find in ((_OWN, _own), (_SAME_LAW, _same_law), (_LAW_WORD, _law_word)):
        if match := pattern.search(tail, max(0, len(tail) - 40)):
            key = find(match, level, names)
            if key != names.key:  # '이 법' is never what '같은 법' means
                level.named = key or level.named
            return key, tail[: match.start()]
    return None, gap


def _own(_match: re.Match[str], _level: _Level, names: Names) -> str:
    return names.key


def _same_law(match: re.Match[str], level: _Level, _names: Names) -> str:
    if not level.named:
        return ""
    if match["sub"]:
        return base_key(level.named) + match["sub"]
    wants_act = "법" in match[0]
    key = base_key(level.named) if wants_act else level.named
    # '같은 영' right after an act's name means a decree that was named further up: which, is not sure.
    return key if wants_act or not key.endswith(("법", "법률")) else ""


def _law_word(match: re.Match[str], _level: _Level, names: Names) -> str:
    word = match["word"] + (match["sub"] or "")
    joined = re.split(r"[ㆍ·]", word)[-1]  # '제1항ㆍ법 제3조'
    word = joined if joined in names.short or joined == "법" else word
    known = names.short | names.local
    if word in known:
        return known[word]
    base = known.get(match["word"], "")
    if base and match["sub"]:
        return base_key(base) + match["sub"]
    return "" if word in ("법", "영", "규칙", "시행령", "시행규칙", "법률", "규정", "령") else normal_title(word)


def _learn(short: str, level: _Level, names: Names, book: dict[str, str]) -> None:
    """Note what a statute is called from here on: '「도로교통법」(이하 "법"이라 한다)'."""
    tail = level.gap.rstrip()
    if tail.endswith(_NAMED):
        key = level.quoted
    elif match := _SAME_LAW.search(tail, max(0, len(tail) - 40)):
        key = _same_law(match, level, names)
    elif match := _LAW_WORD.search(tail, max(0, len(tail) - 40)):
        key = _law_word(match, level, names)
    else:
        return
    if key and key != short:
        # A name that is given twice was given for the whole statute first; the second is for the place it stands in.
        again = short in names.taught and names.short.get(short) != key
        book = names.local if again else book
        book[short] = key
        if book is names.short:
            names.taught.add(short)
