"""Logical lines of a statute's text: what kind each is by its wording alone, and how they become a `Statute`.

Every reader without a notation of its own ends here: the PDF reader, which has the page as a further witness, and those
of plain text, HTML, DOCX and HWPX, for which a paragraph is a logical line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ingest.grammar import (
    ITEM_LETTERS,
    Depth,
    StatuteBuilder,
    division_rank,
    is_addendum,
    is_heading,
    split_annex,
    split_heading,
    split_label,
)
from rag.characters import clean
from rag.errors import SourceError
from rag.statutes import CIRCLED, Statute, article_key

HEAD, DIVISION, ADDENDUM, ANNEX, MARK, TEXT = "head", "division", "addendum", "annex", "mark", "text"
"""Kinds of logical lines; the others are the names of `Depth`."""

_MARK = re.compile(
    r"\[(?:전문개정|전부개정|본[조항호목장절]\s*신설|제목개정|종전|시행일|유효기간|제\s*\d+[조장절]|[가-힣]*위헌|[가-힣]*합치"
    r"|[가-힣ㆍ]+\s제\s*\d+호|\d{4}\s*\.)"
)
_ANNEX = re.compile(r"(?:■[^\[<]*)?[\[<]\s*(?:별표|별지)[^\]>]*[\]>](?=[\s<(]|$)")
_DIVISION_REFERENCE = re.compile(
    r"제\s*\d+\s*[편장절관](?:의\s*\d+)?\s+(?:(?:및|또는|내지|부터|까지|에|의|중|본문|각|을|를)(?=\s)|제\s*\d+\s*[편장절관조항호목])"
)


@dataclass(frozen=True, slots=True)
class LogicalLine:
    """A line of the statute's text, whole."""

    kind: str
    text: str


def look_at(text: str) -> str:
    """Return what kind of line a text looks like by itself."""
    if _ANNEX.match(text):
        return ANNEX
    if is_addendum(text):
        return ADDENDUM
    if division_rank(text) and not _DIVISION_REFERENCE.match(text):
        return DIVISION
    if heading := split_heading(text):
        return HEAD if is_heading(heading, text) else TEXT
    if _MARK.match(text):
        return MARK
    label = split_label(text)
    return label[0].name if label else TEXT


def may_follow(last: tuple[int, ...], key: tuple[int, ...]) -> bool:
    """Whether an article may stand right after another: 제2조 or 제1조의2 after 제1조."""
    number = last[0] if last else 0
    if len(key) == 1:
        return key[0] == number + 1
    return key[:-1] == last[: len(key) - 1] and key[-1] == (last[len(key) - 1] + 1 if len(last) >= len(key) else 2)


def label_key(label: str) -> tuple[int, ...]:
    """Return a label's place among its like, e.g. 1의2. -> (1, 2), 나. -> (2,)."""
    if label in CIRCLED:
        return (CIRCLED.index(label) + 1,)
    parts = re.findall(r"\d+|^[가-힣]", label)
    return tuple(int(part) if part.isdigit() else ITEM_LETTERS.index(part) + 1 for part in parts)


def add_line(builder: StatuteBuilder, line: LogicalLine) -> None:
    """Tell the builder what a logical line is."""
    line = replace(line, text=clean(line.text))
    if line.kind == ADDENDUM:
        builder.addendum(line.text)
    elif line.kind == ANNEX and (annex := split_annex(re.sub(r"^[^\[<]*", "", line.text))) and not _amends(line.text):
        builder.annex(*annex)
    elif builder.in_addenda:
        builder.addendum_line(line.text)
    elif line.kind == DIVISION:
        builder.division(line.text)
    elif re.fullmatch(r"전\s?문", line.text):
        return  # it only names what follows
    elif line.kind == HEAD and (heading := split_heading(line.text)):
        builder.article(heading.label, heading.title)
        if label := split_label(heading.rest):
            builder.line(*label)
        elif heading.rest:
            builder.text(heading.rest)
    elif line.kind in Depth.__members__ and (label := split_label(line.text)):
        builder.line(*label)
    else:
        builder.text(line.text, deeper=line.kind != MARK)


def _amends(text: str) -> bool:
    """Whether a line that begins with [별표 1] is an addendum's sentence about it: … 중 "20"을 "30"으로 한다."""
    return re.search(r"(?:한다|같다)\.?$|같이\s(?:한다|신설|개정|정정)", text) is not None


def finish(builder: StatuteBuilder, name: str, *, known: bool, advice: str) -> Statute:
    """Build the statute, with a warning of what seems missing; `known` says that its edition was found.

    Raises SourceError, with `advice` on what to do, where there is no article.
    """
    statute = builder.build()
    numbered = any(article.label.startswith("제") for article in statute.articles)
    if not numbered and not (known and statute.articles):
        raise SourceError(f"{name}: 조문('제1조(목적)' 꼴)을 찾지 못했습니다. 법령이라면 {advice}")
    return replace(statute, warnings=(*statute.warnings, *_gaps(statute)))


def _gaps(statute: Statute) -> list[str]:
    """Warn of article numbers that are left out, which drafting rules forbid: the file may be damaged."""
    found = {key[0] for article in statute.articles if (key := article_key(article.label))}
    missing = [f"제{number}조" for number in range(1, max(found, default=1)) if number not in found]
    shown = ", ".join(missing[:5]) + (f" 등 {len(missing)}개 조문" if len(missing) > 5 else "")
    return [f"{shown}을(를) 찾지 못했습니다. 파일이 온전한지 확인해 주십시오."] if missing else []
