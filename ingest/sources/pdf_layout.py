"""From the pieces of text on a page to its lines in reading order: columns told apart, running heads and feet dropped.

A column becomes a page of its own, so that everything after this sees one column.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import groupby, pairwise
from statistics import median

from ingest.grammar import is_heading, split_heading
from ingest.sources.pdf_lines import Page, PrintedLine
from rag.statutes import article_key

_OUTER = 0.12  # the part of a page's height, at top and bottom, in which running heads and feet stand
_EDGE = 0.07  # the part in which nothing but they stands
_FOOT = re.compile(r"법제처\s*\S{0,5}\s*국가법령.{2,3}센터")
_MIDDLE = (0.4, 0.6)  # where in a page's width the gap between two columns lies
_MANY, _FEW = 8, 3  # lines that the left column and the right one have at least where they are to tell the gap


def lay_out(pages: Sequence[Page]) -> list[Page]:
    """Return the columns of pages in reading order as pages of their own, without running heads and feet."""
    gutters = _gutters(pages)
    rows = [
        replace(page, lines=tuple(_join_pieces(page.lines, gutter)))
        for page, gutter in zip(pages, gutters, strict=True)
    ]
    columns = _split_columns(drop_running(rows), gutters)
    return [
        replace(page, lines=tuple(replace(line, page=number) for line in page.lines))
        for number, page in enumerate(columns)
    ]


def _gutters(pages: Sequence[Page]) -> list[float | None]:
    """Return where the gap between two columns is on each page, if the document is printed in two columns."""
    found = [_gutter(page) for page in pages]
    certain = [x for x in found if x is not None]
    if not certain or len(certain) < sum(len(page.lines) > 2 * _MANY for page in pages) / 3:
        return [None] * len(pages)  # a table, most likely
    usual = median(certain)

    def fits(page: Page) -> bool:
        return sum(_crosses(line, usual) for line in page.lines) <= 0.2 * len(page.lines)

    return [usual if x is None and fits(page) else x for x, page in zip(found, pages, strict=True)]


def _gutter(page: Page) -> float | None:
    low, high = (part * page.width for part in _MIDDLE)
    left = [line for line in page.lines if line.x0 < low and line.x1 < high]
    right = [line for line in page.lines if line.x0 > low and line.x1 > high]
    if len(left) < _MANY or not right:
        return None
    start, end = max(line.x1 for line in left), min(line.x0 for line in right)
    size = median(line.size for line in left)
    across = [line.y for line in page.lines if _crosses(line, (start + end) / 2)]
    if end - start <= 0.3 * size or len(across) >= len(left):
        return None
    # The cells of a table are seldom filled to their edges, the lines of a column mostly are.
    least = 0.2 if _goes_on(left, right) else 0.35
    columns = len(right) >= _FEW and min(_filled(left), _filled(right)) > least
    below = min((y for y in across if y > _EDGE * page.height), default=page.height)
    columns = columns or _just_begun([x for x in left if x.y < below], [x for x in right if x.y < below])
    return (start + end) / 2 if columns else None


def _goes_on(left: Sequence[PrintedLine], right: Sequence[PrintedLine]) -> bool:
    """Whether articles begin on both sides and the right ones follow the left ones, as in no table."""
    keys = [
        [article_key(head.label) for line in side if (head := split_heading(line.text)) and is_heading(head, line.text)]
        for side in (left, right)
    ]
    return all(keys) and max(keys[0]) < min(keys[1])


def _just_begun(left: Sequence[PrintedLine], right: Sequence[PrintedLine]) -> bool:
    """Whether the right side has a few lines, level with the first of a left one that is justified to its own edge."""
    if len(left) < _MANY:
        return False
    top, size = max(line.y for line in left), left[0].size
    heights = [line.y for line in right if line.y < top + size]
    if not 0 < len(heights) < _FEW or max(heights) < top - size or max(heights) - min(heights) > 2 * size:
        return False
    return Counter(round(line.x1) for line in left).most_common(1)[0][1] > 0.35 * len(left)


def _filled(column: Sequence[PrintedLine]) -> float:
    """Return the share of a column's lines that end where the longest does, or nearly so."""
    margin = max(line.x1 for line in column)
    return sum(line.x1 > margin - 2 * line.size for line in column) / len(column)


def _crosses(line: PrintedLine, x: float) -> bool:
    return line.x0 < x < line.x1


def _join_pieces(pieces: Sequence[PrintedLine], gutter: float | None) -> Iterator[PrintedLine]:
    """Yield the lines of a page from top to bottom, those of two columns side by side."""
    row: list[PrintedLine] = []
    for piece in sorted(pieces, key=lambda piece: -piece.y):
        if row and row[0].y - piece.y > 0.35 * max(piece.size, 4):
            yield from _join_row(row, gutter)
            row = []
        row.append(piece)
    yield from _join_row(row, gutter)


def _join_row(row: Sequence[PrintedLine], gutter: float | None) -> Iterator[PrintedLine]:
    line: PrintedLine | None = None
    for piece in sorted(row, key=lambda piece: piece.x0):
        if line is None:
            line = piece
        elif piece.x0 < line.x1 - 0.3 * line.size or (gutter is not None and line.x1 <= gutter <= piece.x0):
            yield line
            line = piece
        else:
            line = _join(line, piece)
    if line is not None:
        yield line


def _join(left: PrintedLine, right: PrintedLine) -> PrintedLine:
    gap = " " if right.x0 - left.x1 > 0.15 * left.size else ""
    width = left.width + len(gap) * left.space + right.width
    return replace(left, x1=right.x1, width=width, text=left.text + gap + right.text)


def _split_columns(pages: Sequence[Page], gutters: Sequence[float | None]) -> Iterator[Page]:
    """Yield every page whole or, where it has columns, what is above them, the left and the right one."""
    bands = [list(_bands(page, gutter)) for page, gutter in zip(pages, gutters, strict=True)]
    columns = [
        [line for page in bands for across, *sides in page if not across for line in sides[side]] for side in (0, 1)
    ]
    starts = _starts(*columns)
    for page, gutter, parts in zip(pages, gutters, bands, strict=True):
        if gutter is None:
            yield page
            continue
        for across, left, right in parts:
            if across:
                yield replace(page, lines=tuple(left))
                continue
            for start, lines in zip(starts, (left, right), strict=True):
                # Both columns begin at 0 and are as wide, so that they share indentations and margin.
                moved = tuple(replace(line, x0=line.x0 - start, x1=line.x1 - start) for line in lines)
                yield replace(page, width=gutter - starts[0], lines=moved)


def _bands(page: Page, gutter: float | None) -> Iterator[tuple[bool, list[PrintedLine], list[PrintedLine]]]:
    """Cut a page across where lines run over both columns: (whether they do, left or all lines, right lines)."""
    if gutter is None:
        return
    for across, lines in groupby(page.lines, key=lambda line: _crosses(line, gutter)):
        if across:
            yield True, list(lines), []
            continue
        band = list(lines)
        left, right = [x for x in band if x.x1 <= gutter], [x for x in band if x.x1 > gutter]
        if left and right:
            # What stands above the columns on one side only belongs to the title.
            top = min(left[0].y, right[0].y) + 0.7 * left[0].size
            if above := [line for line in band if line.y > top]:
                yield True, above, []
                left, right = [x for x in left if x.y <= top], [x for x in right if x.y <= top]
        yield False, left, right


def _starts(left: Sequence[PrintedLine], right: Sequence[PrintedLine]) -> tuple[float, float]:
    """Return where both columns begin; in one, all lines may be indented, and then its end tells."""
    starts = _leftmost(left), _leftmost(right)
    if not left or not right:
        return starts
    ends = [Counter(round(line.x1) for line in lines).most_common(1)[0] for lines in (left, right)]
    apart = ends[1][0] - ends[0][0]
    if min(count for _, count in ends) < 3 or abs(starts[1] - starts[0] - apart) < 4:
        return starts
    start = min(starts[0], starts[1] - apart)
    return start, start + apart


def _leftmost(lines: Sequence[PrintedLine]) -> float:
    """Return where a column begins: the leftmost place at which several lines do."""
    counts = Counter(round(line.x0) for line in lines)
    often = [x for x, count in counts.items() if count >= max(2, 0.02 * len(lines))]
    start = min(often, default=min(counts, default=0))
    return min((line.x0 for line in lines if round(line.x0) == start), default=0.0)


def drop_running(pages: Sequence[Page]) -> list[Page]:
    """Return the pages without running heads and feet.

    Those are the outermost lines of a page that stand at one height with one text, a number that counts pages aside,
    on many pages, and apart from the text unless they are on nearly all. Nothing is dropped for what it says alone
    but the foot of law.go.kr, which a single page has too.
    """
    seen = Counter(key for page in pages for key in {key for line in _outer(page) for key in _running_keys(line)})
    gaps = (a.y - b.y for page in pages for a, b in pairwise(page.lines) if a.y - b.y > 0.9 * b.size)
    pitch = min(gaps, default=0.0)
    often, always = max(2, 0.4 * len(pages)), max(3, 0.8 * len(pages))

    def count(page: Page, line: PrintedLine) -> float:
        if _FOOT.fullmatch(line.text):
            return always
        misread = _like(line, pages) if page.recognised else 0
        return max(misread, *(seen[key] for key in _running_keys(line)))

    def keep(page: Page, lines: Sequence[PrintedLine], outer: Sequence[PrintedLine]) -> int:
        """Return how many of a page's lines, from one end, are running."""
        end = next((i for i, line in enumerate(lines) if line not in outer or count(page, line) < often), len(lines))
        apart = end == len(lines) or abs(lines[end - 1].y - lines[end].y) > 1.3 * pitch
        return end if apart else next((i for i in range(end) if count(page, lines[i]) < always), end)

    kept = []
    for page in pages:
        outer = _outer(page)
        top = keep(page, page.lines, outer)
        bottom = len(page.lines) - keep(page, page.lines[::-1], outer) if top < len(page.lines) else top
        kept.append(replace(page, lines=page.lines[top:bottom]))
    return kept


def _like(line: PrintedLine, pages: Sequence[Page]) -> int:
    """Return on how many pages a line at the very edge stands much as here, for one whose letters are not certain."""
    height = pages[line.page].height
    if _EDGE * height < line.y < (1 - _EDGE) * height:
        return 0
    return sum(
        any(abs(o.y - line.y) < 5 and SequenceMatcher(None, o.text, line.text).ratio() > 0.5 for o in _outer(page))
        for page in pages
    )


def _outer(page: Page) -> list[PrintedLine]:
    return [line for line in page.lines if not _OUTER * page.height < line.y < (1 - _OUTER) * page.height]


def _running_keys(line: PrintedLine) -> list[tuple[str, int, int]]:
    """Return what a line has in common with its like on other pages: its text, or that around a page number."""
    height = round(line.y / 2)
    numbers = [
        (line.text[: match.start()] + "#" + line.text[match.end() :], height, int(match[0]) - line.page)
        for match in re.finditer(r"\d{1,4}", line.text)
    ]
    return [(line.text, height, 0), *numbers]


def right_margins(pages: Sequence[Page], head: int) -> list[float]:
    """Return each page's right margin, found from all pages of its width.

    The first `head` lines stand above the text: they may be wider than it and, in a short statute, as many.
    """
    ends: dict[int, list[float]] = defaultdict(list)
    text: dict[int, list[float]] = defaultdict(list)
    for i, line in enumerate(line for page in pages for line in page.lines):
        width = pages[line.page].width
        # A punctuation mark may hang over the margin.
        if line.text[-1] not in ".,;:'" and line.x1 < width:
            ends[round(width)].append(line.x1)
            text[round(width)] += [line.x1] if i >= head else []
    margins = {width: _justified(text[width]) or _margin(sorted(edges)) for width, edges in ends.items()}
    return [margins.get(round(page.width), page.width) for page in pages]


def _margin(edges: Sequence[float]) -> float:
    """Return where justified lines end; where there are none, where the longest end, a few outliers aside."""
    return _justified(edges) or edges[-1 - len(edges) // 50]


def _justified(edges: Sequence[float]) -> float | None:
    """Return where justified lines end, if there are any."""
    if not edges:
        return None
    edge, count = Counter(round(x) for x in edges).most_common(1)[0]
    beyond = sum(x > edge + 1 for x in edges)
    if count < max(3, 0.08 * len(edges)) or beyond >= 0.2 * count:
        return None
    near = [x for x in edges if abs(x - edge) < 0.6]
    return sum(near) / len(near)
