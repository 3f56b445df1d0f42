"""Text -> HTML and Markdown that shows it as it is written. Whatever comes from files or visitors goes through here."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote

from rag.statutes import Article

Span = tuple[int, int]

MARK_LABEL = "질문에 가장 가까운 부분: "
"""Read out before a marked passage, whose colour a screen reader does not tell."""

LONG_ARTICLE = 700
"""Characters above which an article is folded around its marked passage."""

_SHOWN_LINES = 12
"""Lines of a marked passage that stay visible in a folded article: some 항 run over pages."""

_CONTEXT_LINES = 3
"""Lines at the start of a folded article without a mark."""

_WORTH_FOLDING = 200
"""Characters below which a run of lines stays visible."""

_TABLE = re.compile(r"[\u2500-\u257f]")
_AMENDMENT = re.compile(
    r"(?:&lt;|\[)(?=[^\[\]&]*\d{4}\s*\.)(?:전문|본조|제목|종전)?\s*(?:개정|신설|삭제|제정|이동|시행일|종전)[^\[\]&]*(?:&gt;|\])"
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:=])")


@dataclass(frozen=True, slots=True)
class Row:
    """A printed line of an article: where it stands in the article's text, without its indentation."""

    start: int
    end: int
    depth: int
    label: str
    marked: bool


def escape(text: object) -> str:
    """Return text for use in HTML, in content and in quoted attributes."""
    return html.escape(str(text), quote=True)


def escape_markdown(text: str) -> str:
    """Return text that Markdown shows letter by letter, one line after the other."""
    return "  \n".join(_MARKDOWN.sub(r"\\\1", html.escape(line, quote=False)) for line in text.splitlines())


def merge_spans(spans: Sequence[Span], length: int) -> list[Span]:
    """Return spans in order, cut to 0..`length`, without empty ones, those that touch or overlap as one."""
    merged: list[Span] = []
    for start, end in sorted((max(0, start), min(length, end)) for start, end in spans):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def open_link(reference: str, inner: str, extra: str = "") -> str:
    """Return a link that opens an article (by id) or a statute (by title) in the app.

    `inner` and `extra` (further attributes) are HTML. Without the page's script, or in a new tab, the address does it.
    """
    return f'<a href="?open={quote(reference)}" data-open="{escape(reference)}"{extra}>{inner}</a>'


def article_html(article: Article, highlight: Sequence[Span], *, fold: bool = True) -> str:
    """Return an article's text laid out as statutes are, the highlighted spans in `<mark>`.

    A long article is folded: the marked passage stays visible, what stands before and after it opens on a click.
    """
    text = article.text
    spans = merge_spans(highlight, len(text))
    rows = list(_rows(article, spans))
    if not fold or len(text) <= LONG_ARTICLE:
        return f'<div class="law-text">{_block(text, rows, spans)}</div>'
    shown = _visible(rows)
    parts: list[str] = []
    for visible, group in groupby(enumerate(rows), key=lambda item: item[0] in shown):
        run = list(group)
        block = _block(text, [row for _, row in run], spans)
        parts.append(block if visible else _folded(block, len(run), before=run[0][0] == 0))
    return f'<div class="law-text">{"".join(parts)}</div>'


def _rows(article: Article, spans: Sequence[Span]) -> Iterator[Row]:
    position = 0
    for paragraph in article.paragraphs:
        for line in paragraph.lines:
            rendered = line.render()
            for number, piece in enumerate(rendered.split("\n")):
                indent = len(piece) - len(piece.lstrip(" ")) if number == 0 else 0
                start, end = position + min(indent, 2 * line.depth), position + len(piece)
                marked = any(start < b and a < end for a, b in spans)
                yield Row(start, end, line.depth, line.label if number == 0 else "", marked)
                position += len(piece) + 1


def _visible(rows: Sequence[Row]) -> set[int]:
    """Return the indices of the rows that stay in sight: marked ones, and runs too short to be worth a click."""
    marked = [index for index, row in enumerate(rows) if row.marked][:_SHOWN_LINES]
    shown = set(marked or range(_CONTEXT_LINES))
    for visible, group in groupby(range(len(rows)), key=shown.copy().__contains__):
        run = list(group)
        if not visible and rows[run[-1]].end - rows[run[0]].start < _WORTH_FOLDING:
            shown.update(run)
    return shown


def _folded(block: str, lines: int, *, before: bool) -> str:
    place = "앞부분" if before else "나머지"
    return (
        f'<details class="law-fold"><summary><span class="when-closed">{place} {lines}줄 펼치기</span>'
        f'<span class="when-open">{place} 접기</span></summary>{block}</details>'
    )


def _block(text: str, rows: Sequence[Row], spans: Sequence[Span]) -> str:
    parts: list[str] = []
    for is_table, group in groupby(rows, key=lambda row: bool(_TABLE.search(text[row.start : row.end]))):
        if is_table:
            lines = "\n".join(_row(text, row, spans) for row in group)
            parts.append(f'<pre class="law-table" tabindex="0" lang="ko">{lines}</pre>')
        else:
            parts += (_line(text, row, spans) for row in group)
    return "".join(parts)


def _line(text: str, row: Row, spans: Sequence[Span]) -> str:
    classes = f"law-line depth-{min(row.depth, 4)}"
    classes += " labelled" if row.label else ""
    classes += " marked" if row.marked else ""
    return f'<p class="{classes}" lang="ko">{_row(text, row, spans)}</p>'


def _row(text: str, row: Row, spans: Sequence[Span]) -> str:
    parts: list[str] = []
    position = row.start
    for start, end in spans:
        inside = (max(start, row.start), min(end, row.end))
        if inside[0] >= inside[1]:
            continue
        parts.append(_words(text[position : inside[0]]))
        if start >= row.start:  # the span begins here; later lines of it are not announced again
            parts.append(f'<span class="sr-only">{MARK_LABEL}</span>')
        parts.append(f"<mark>{_words(text[inside[0] : inside[1]])}</mark>")
        position = inside[1]
    parts.append(_words(text[position : row.end]))
    return "".join(parts)


def _words(text: str) -> str:
    return _AMENDMENT.sub(lambda match: f'<span class="amendment">{match[0]}</span>', escape(text))
