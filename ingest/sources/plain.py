"""Statutes as plain text, such as is copied from law.go.kr; a line is a paragraph.

`parse_lines` also serves the other sources that give paragraphs and no more: HTML, DOCX and HWPX.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ingest.grammar import Depth, StatuteBuilder, split_heading, split_label
from ingest.sources.head import TextLine, make_edition, read_head
from ingest.sources.lines import (
    ADDENDUM,
    ANNEX,
    DIVISION,
    HEAD,
    TEXT,
    LogicalLine,
    add_line,
    finish,
    label_key,
    look_at,
)
from ingest.sources.raw import is_html, read_text
from rag.characters import clean
from rag.errors import SourceError
from rag.statutes import Statute, article_key

ADVICE = "국가법령정보센터(law.go.kr)에서 본문을 저장한 파일을 넣어 주십시오."

# What law.go.kr's buttons leave behind in a copied text.
_BUTTONS = re.compile(
    r"(?:(?:조문체계도|관련규제|생활법령|위임행정규칙|법령용어|별표ㆍ서식|부칙보기)\s*버튼\s*|연혁\s*|위임행정규칙\s*|판례\s*)+"
)
_HEAD = 60  # lines among which title and edition stand
_RUN_ON = re.compile(r"^([^\[\]]{2,120}?)\s*(\[\s*시행\s*\d{4}.*)$")  # title and edition on one line
_BARE_HEAD = re.compile(r"제\s*\d+\s*조(?:\s*의\s*\d+)*\s+(?=\S)")
_REFERENCE = re.compile(
    r"(?:및|또는|내지|부터|까지|각|중|본문|단서|전단|후단|에|의|을|를|은|는|이|가|와|과|제\s*\d+\s*[조항호])(?=[\s,ㆍ제]|$)"
    r"|(?:에|의|부터|까지)\s|에\s?(?:따|의|규정|해당)|[,ㆍ·~]"
)


def read_plain(path: Path) -> Statute:
    """Read one plain-text statute. Raises SourceError, naming the file, the reason and what to do."""
    text = read_text(path)
    if is_html(text):
        raise SourceError(f"{path.name}: 내용이 HTML입니다. 확장자를 .html로 바꾸어 넣어 주십시오.")
    return parse_lines(text.split("\n"), path.name)


def parse_lines(paragraphs: Iterable[str], name: str, warnings: Sequence[str] = ()) -> Statute:
    """Parse a statute's paragraphs, its head first; `name` stands in messages. Raises SourceError."""
    texts = [text for paragraph in paragraphs if (text := _clean(paragraph))]
    texts = [part for text in texts[:_HEAD] for part in _RUN_ON.sub(r"\1\n\2", text).split("\n")] + texts[_HEAD:]
    if not texts:
        raise SourceError(f"{name}: 글자가 없습니다. {ADVICE}")
    head = read_head([TextLine(text) for text in texts])
    said = list(warnings)
    edition = make_edition(head, name, (), said)
    builder = StatuteBuilder(edition, said)
    for line in classify(_without_contents(texts[head.length :]), said):
        add_line(builder, line)
    return finish(builder, name, known=bool(head.edition), advice=ADVICE)


def classify(texts: Sequence[str], warnings: list[str]) -> Iterator[LogicalLine]:
    """Yield the logical lines of a statute's text, whose paragraphs are whole lines."""
    end = next((i for i, text in enumerate(texts) if look_at(text) in (ADDENDUM, ANNEX)), len(texts))
    heads = _find_heads(texts[:end], warnings)
    items: dict[str, bool] = {}  # the depths whose numbering has begun since the last shallower line
    for i, text in enumerate(texts):
        kind = look_at(text)
        if i < end and (i in heads or kind == HEAD):
            kind = HEAD if i in heads else TEXT
        if kind in Depth.__members__ and (label := split_label(text)):
            if kind == Depth.ITEM.name and not items.get(kind) and label_key(label[1]) != (1,):
                kind = TEXT  # the end of a sentence that was broken: 하여야 한|다. 다만, …
            else:
                items = {depth: True for depth in items if Depth[depth] < Depth[kind]} | {kind: True}
        elif kind in (HEAD, DIVISION, ADDENDUM, ANNEX):
            items = {}
        yield LogicalLine(kind, text)


def _find_heads(texts: Sequence[str], warnings: list[str]) -> set[int]:
    """Return the places of the lines that head articles.

    Articles are numbered upwards, so those that look like heads but break the longest such run are quotations.
    """
    titled = [i for i, text in enumerate(texts) if look_at(text) == HEAD]
    bare = [i for i, text in enumerate(texts) if _heads_untitled(text)]
    # Either all articles have titles or none has; old statutes have none.
    candidates = sorted({*titled, *bare}) if len(bare) > sum("(" in texts[i][:20] for i in titled) else titled
    kept = _longest_rise([_key(texts[i]) for i in candidates])
    heads = {candidates[place] for place in kept}
    if odd := [texts[i][:30] for i in candidates if i not in heads]:
        shown = ", ".join(f"'{text}'" for text in odd[:3]) + (f" 등 {len(odd)}줄" if len(odd) > 3 else "")
        warnings.append(f"조문 번호의 순서에 맞지 않아 본문으로 읽은 줄이 있습니다: {shown}")
    return heads


def _heads_untitled(text: str) -> bool:
    match = _BARE_HEAD.match(text)
    return match is not None and text[match.end()] != "(" and not _REFERENCE.match(text, match.end())


def _key(text: str) -> tuple[int, ...]:
    heading = split_heading(text)
    return article_key(heading.label) if heading else ()


def _longest_rise(keys: Sequence[tuple[int, ...]]) -> list[int]:
    """Return the places of a longest subsequence that never falls."""
    ends: list[tuple[int, ...]] = []  # the smallest key that a run of each length can end with, and where
    places: list[int] = []
    before: list[int] = []
    for place, key in enumerate(keys):
        length = bisect_right(ends, key)
        before.append(places[length - 1] if length else -1)
        ends[length : length + 1] = [key]
        places[length : length + 1] = [place]
    run: list[int] = []
    place = places[-1] if places else -1
    while place >= 0:
        run.append(place)
        place = before[place]
    return run[::-1]


def _without_contents(texts: list[str]) -> list[str]:
    """Drop a table of contents: heads without text, before the first of them comes again with its text."""
    first = next((i for i, text in enumerate(texts) if look_at(text) == HEAD), None)
    if first is None:
        return texts
    again = next((i for i in range(first + 1, len(texts)) if _same_head(texts[first], texts[i])), 0)
    listed = texts[first:again]
    bare = all(look_at(text) == DIVISION or _is_bare(text) for text in listed)
    if again < first + 3 or not bare:
        return texts
    start = again
    while start > first and look_at(texts[start - 1]) == DIVISION:
        start -= 1  # the divisions that the first article stands under
    above = next((i for i, text in enumerate(texts[:first]) if look_at(text) == DIVISION), first)
    return texts[:above] + texts[start:]


def _same_head(one: str, other: str) -> bool:
    a, b = split_heading(one), split_heading(other)
    return a is not None and b is not None and (a.label, a.title) == (b.label, b.title)


def _is_bare(text: str) -> bool:
    heading = split_heading(text)
    return heading is not None and not heading.rest


def _clean(text: str) -> str:
    text = re.sub(r"[\xa0\u3000\t\v\f]", " ", clean(text)).replace("\u200b", "").strip()
    return "" if _BUTTONS.fullmatch(text) else text
