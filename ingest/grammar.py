"""The grammar of a Korean statute's text: 편/장/절/관, 조, 항, 호, 목, 부칙 -> `Statute`.

A source recognises lines in its own notation (or with `classify`, for plain text) and tells `StatuteBuilder` what
they are; the builder keeps every line it is told, in order. The layout follows 법제처's drafting rules: 조 are divided
into 항 (①), 호 (1.), 목 (가.), then 1) and 가).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import IntEnum

from rag.statutes import (
    BODY,
    CIRCLED,
    PREAMBLE,
    Addendum,
    Annex,
    Article,
    Edition,
    Line,
    Paragraph,
    Statute,
    strip_marks,
)

ITEM_LETTERS = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호"
"""The order in which 목 are lettered."""


class Depth(IntEnum):
    """How deep a line of an article stands (see `rag.statutes.Line`)."""

    PARAGRAPH = 0
    SUBPARAGRAPH = 1
    ITEM = 2
    SUBITEM = 3
    SUBSUBITEM = 4


_DIVISION_RANK = {"편": 1, "장": 2, "절": 3, "관": 4, "항": 5, "속": 5, "목": 6}
_DIVISION = re.compile(r"제\s*\d+\s*(편|장|절|관|항|속)(?:의\s*\d+)?(?=\s|$)")
_ADDENDUM = re.compile(r"부\s*칙\s*(?=[<(\[]|$)")
_ANNEX = re.compile(
    r"[\[<]\s*(?P<kind>별표|별지|별도|부록|도식|부도)\s*(?:제?\s*(?P<number>\d+)\s*호?)?(?:\s*의\s*(?P<branch>\d+))?\s*"
    r"(?:호\s*)?(?P<form>서식)?(?P<more>[^\]>]*)[\]>]\s*"
)
_ANNEX_TITLE = re.compile(r"[^\n]{2,100}\([^()\n]*관련\)[ \t]*(?=\n|$)")
_LABELS: tuple[tuple[Depth, re.Pattern[str]], ...] = (
    (Depth.PARAGRAPH, re.compile(rf"([{CIRCLED}])\s*")),
    (Depth.SUBPARAGRAPH, re.compile(r"(\d{1,3}(?:의\d{1,2})?\.)(?:\s+|(?=[^\d\s.]))")),
    (Depth.ITEM, re.compile(rf"([{ITEM_LETTERS}](?:의\d{{1,2}})?\.)(?:\s+|$)")),
    (Depth.SUBITEM, re.compile(r"(\d{1,2}\))\s*")),
    (Depth.SUBSUBITEM, re.compile(rf"([{ITEM_LETTERS}]\))\s*")),
)
_HEADING = re.compile(r"제\s*(\d{1,4})\s*조((?:\s*의\s*\d{1,3})*)")  # 민법, the longest, has 1,118
# What follows a bracket that belongs to a reference. '제1조(목적)이 법은' is a head whose space was lost.
_REFERENCE = re.compile(
    r"에|의|를|을|은|는|이(?! (?:법|영|규칙|규정|헌법))|가|와|과|및|또는|ㆍ|·|,|부터|까지|제\d|으로|로"
)
_REPEALED = re.compile(r"[^.]{1,80}?(?:은|는|을|를)?\s*(?:이를\s*)?폐지한다\.?")


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of an article's line: 제3조의2, its title without brackets, and what follows on the line."""

    label: str
    title: str
    rest: str


def is_addendum(line: str) -> bool:
    """Whether a line opens an addendum: 부칙 <제8372호,2007.4.11>."""
    return _ADDENDUM.match(line) is not None


def annex_label(kind: str, number: int, branch: int = 0) -> str:
    """Return an annex's label as statutes cite it: 별표, 별표 28, 별표 1의2, 별지 제3호의2서식."""
    after = f"의{branch}" if branch else ""
    if kind in ("별지", "서식"):
        return f"별지 제{number}호{after}서식" if number else "별지 서식"
    return f"{kind} {number}{after}" if number else kind


def split_annex(line: str) -> tuple[str, str] | None:
    """Split the line that opens an annex, [별표 1의2] 사용료(제3조 관련), into label and title; None if it is none."""
    match = _ANNEX.match(line)
    if not match:
        return None
    label = annex_label(match["kind"], int(match["number"] or 0), int(match["branch"] or 0))
    return label, " ".join(filter(None, [match["more"].strip(), line[match.end() :].strip()]))


def division_rank(line: str) -> int:
    """Return 1 for a 편 heading, 2 for 장, 3 절, 4 관, 5 항/속 as headings, and 0 for any other line."""
    match = _DIVISION.match(line)
    return _DIVISION_RANK[match[1]] if match else 0


def split_label(line: str) -> tuple[Depth, str, str] | None:
    """Split a 항/호/목 line without indentation into (depth, label, text); None if it has no label."""
    for depth, pattern in _LABELS:
        if match := pattern.match(line):
            return depth, match[1], line[match.end() :]
    return None


def split_heading(line: str) -> Heading | None:
    """Split a line that begins with 제N조 into label, bracketed title (brackets may nest) and rest.

    This only takes the line apart. Whether it is an article's head or a cross-reference that happens to stand first
    ('제6조의2에 따라') is for the caller to decide, who knows the layout; see `is_heading`.
    """
    match = _HEADING.match(line)
    if not match:
        return None
    label = f"제{int(match[1])}조" + re.sub(r"\s+", "", match[2])
    rest = line[match.end() :]
    opening = re.match(r"\s*\(", rest)
    if not opening:
        return Heading(label, "", rest.strip())
    depth = 0
    for position in range(opening.end() - 1, len(rest)):
        depth += {"(": 1, ")": -1}.get(rest[position], 0)
        if depth == 0:
            return Heading(label, rest[opening.end() : position].strip(), rest[position + 1 :].strip())
    return Heading(label, "", rest.strip())


def is_heading(heading: Heading, line: str) -> bool:
    """Whether plain text alone shows that a split line heads an article: a title, a 삭제, or a first 항 follows.

    A bracket right after the number can still be a reference, '제5조(제3항은 제외한다)에 따른': then a particle
    follows the bracket, or the bracket holds a sentence.
    """
    after_number = re.sub(r"^제\s*\d+\s*조(\s*의\s*\d+)*", "", line)
    if heading.title:
        reference = _REFERENCE.match(heading.rest)
        attached = re.search(r"\)$", line.rstrip().removesuffix(heading.rest)) is not None
        sentence = re.search(r"(한다|말한다|같다|준용하는 경우)", heading.title)
        return not (reference and attached) and not sentence
    return re.match(rf"\s*(삭제|\[?생략|[{CIRCLED}]|$)", after_number) is not None


@dataclass
class StatuteBuilder:
    """Collects a statute's lines in order and builds the `Statute`."""

    edition: Edition
    warnings: list[str] = field(default_factory=list)
    _articles: list[Article] = field(default_factory=list)
    _seen: dict[str, int] = field(default_factory=dict)
    _divisions: dict[int, str] = field(default_factory=dict)
    _label: str = ""
    _title: str = ""
    _lines: list[Line] = field(default_factory=list)
    _addenda: list[tuple[str, list[str]]] = field(default_factory=list)
    _annexes: list[tuple[Annex, list[str]]] = field(default_factory=list)
    _appended: list[str] | None = None
    """The lines of the addendum or annex that is open."""

    @property
    def in_addenda(self) -> bool:
        """Whether an addendum or annex has begun; no article comes after it."""
        return self._appended is not None

    def division(self, text: str) -> None:
        """Begin a 편, 장, 절 or 관."""
        self._close_article()
        rank = division_rank(text) or max(self._divisions, default=0) + 1
        self._divisions = {r: t for r, t in self._divisions.items() if r < rank} | {rank: text.strip()}

    def article(self, label: str, title: str = "") -> None:
        """Begin an article."""
        self._close_article()
        self._label, self._title = label, title

    def line(self, depth: int, label: str, text: str) -> None:
        """Add a labelled line of the current article (항, 호, 목 …)."""
        self._lines.append(Line(depth, label, text))

    def text(self, text: str, *, deeper: bool = True) -> None:
        """Add a line without a label; it continues the division above it unless `deeper` is False."""
        depth = self._lines[-1].depth if self._lines and deeper else 0
        self._lines.append(Line(depth, "", text))

    def addendum(self, heading: str) -> None:
        """Begin an addendum."""
        self._close_article()
        self._appended = []
        self._addenda.append((heading.strip(), self._appended))

    def annex(self, label: str, title: str = "", url: str = "") -> None:
        """Begin a 별표 or 별지 서식."""
        self._close_article()
        self._appended = []
        self._annexes.append((Annex(label, title, url=url), self._appended))

    def addendum_line(self, text: str) -> None:
        """Add a line to the addendum or annex that is open."""
        if self._appended is None:
            raise ValueError("no addendum or annex has begun")
        self._appended.append(text.rstrip())

    def build(self) -> Statute:
        """Return the statute. Text outside any article becomes 전문, or 본문 where there is no article at all."""
        self._close_article()
        articles = tuple(self._articles)
        if len(articles) == 1 and articles[0].label == PREAMBLE:
            articles = (Article(BODY, "", articles[0].paragraphs),)
        edition = self.edition
        if len(articles) == 1 and _REPEALED.fullmatch(strip_marks(articles[0].text)):
            edition = replace(edition, repealed=True)
        texts = ((heading, "\n".join(lines).strip()) for heading, lines in self._addenda)
        # A bare 부칙 before the first real one is a heading over all of them.
        addenda = tuple(Addendum(heading, text) for heading, text in texts if text or heading != "부칙")
        return Statute(edition, articles, addenda, tuple(self.warnings), self._built_annexes())

    def _built_annexes(self) -> tuple[Annex, ...]:
        """Return the annexes; of two with one label the second gets a label of its own, as articles do."""
        seen: dict[str, int] = {}
        annexes = []
        for annex, lines in self._annexes:
            seen[annex.label] = count = seen.get(annex.label, 0) + 1
            label = annex.label if count == 1 else f"{annex.label} [{count}]"
            text, title = "\n".join(lines).strip("\n"), annex.title
            if not title and (first := _ANNEX_TITLE.match(text)):  # as it is printed: on a line of its own
                text, title = text[first.end() :].lstrip("\n"), first[0].strip()
            annexes.append(replace(annex, label=label, title=title, text=text))
        return tuple(annexes)

    def _close_article(self) -> None:
        if not self._label and not self._lines:
            return
        label = self._label or PREAMBLE
        self._seen[label] = count = self._seen.get(label, 0) + 1
        if count > 1:
            # Ids come from labels: the second of two equal ones is kept under a label of its own.
            if self._label:
                self.warnings.append(f"{label}가 {count}번 나와, {count}번째를 '{label} [{count}]'로 두었습니다.")
            label = f"{label} [{count}]"
        divisions = tuple(self._divisions[rank] for rank in sorted(self._divisions))
        self._articles.append(Article(label, self._title, _paragraphs(self._lines), divisions))
        self._label, self._title, self._lines = "", "", []


def _paragraphs(lines: list[Line]) -> tuple[Paragraph, ...]:
    groups: list[tuple[int | None, list[Line]]] = []
    for line in lines:
        number = CIRCLED.find(line.label) + 1 if line.depth == 0 and line.label else 0
        if number or not groups:
            groups.append((number or None, []))
        groups[-1][1].append(line)
    return tuple(Paragraph(number, tuple(group)) for number, group in groups)
