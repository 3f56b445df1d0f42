"""Ruled tables, as in a 별표: the pieces of text between the same rules become one row, `cell | cell | cell`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ingest.sources.pdf_lines import Page, PrintedLine

CELL_BORDER = " | "

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in points."""

_THIN, _LONG = 2.5, 8.0
_FEWEST = 2  # rows and columns of a table


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where a table's columns begin, from the left, and its rows, from the bottom; the last of each is its end."""

    xs: list[float]
    ys: list[float]

    def holds(self, piece: PrintedLine) -> bool:
        return self.xs[0] - 2 < piece.x0 < self.xs[-1] and self.ys[0] < piece.y < self.ys[-1]

    def row(self, piece: PrintedLine) -> int:
        return -bisect_right(self.ys, piece.y + 0.3 * piece.size)

    def column(self, piece: PrintedLine) -> int:
        return bisect_right(self.xs, piece.x0 + 0.3 * piece.size)


def tabulate(page: Page, paths: Sequence[Box]) -> Page:
    """Return a page whose tables are lines, a row each. `paths` are the boxes of what is drawn on it."""
    for grid in _grids(paths):
        inside = [piece for piece in page.lines if grid.holds(piece)]
        rows = [_row(list(pieces), grid) for _, pieces in groupby(sorted(inside, key=grid.row), key=grid.row)]
        page = replace(page, lines=(*(piece for piece in page.lines if piece not in inside), *rows))
    return page


def _row(pieces: list[PrintedLine], grid: _Grid) -> PrintedLine:
    cells = []
    for _, group in groupby(sorted(pieces, key=lambda p: (grid.column(p), -round(p.y), p.x0)), key=grid.column):
        cells.append(" ".join(piece.text for piece in group))
    top = max(pieces, key=lambda piece: piece.y)
    return replace(top, x0=grid.xs[0], x1=grid.xs[-1], text=CELL_BORDER.join(cells))


def _grids(paths: Sequence[Box]) -> list[_Grid]:
    """Return the tables that rules, or the frames of cells, make up."""
    across, down = [], []
    for left, bottom, right, top in paths:
        flat, slim = top - bottom < _THIN, right - left < _THIN
        if flat and right - left > _LONG:
            across.append((left, right, (bottom + top) / 2))
        elif slim and top - bottom > _LONG:
            down.append(((left + right) / 2, bottom, top))
        elif right - left > _LONG and top - bottom > _LONG:
            across += [(left, right, bottom), (left, right, top)]
            down += [(left, bottom, top), (right, bottom, top)]
    grids = []
    for start, end in _stacks([(bottom, top) for _, bottom, top in down]):
        ys = _apart(y for _, _, y in across if start - _THIN <= y <= end + _THIN)
        xs = _apart(x for x, bottom, top in down if start - _THIN <= bottom and top <= end + _THIN)
        if len(xs) > _FEWEST and len(ys) > _FEWEST:
            grids.append(_Grid(xs, ys))
    return grids


def _stacks(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return where the spans that touch each other begin and end: one for every table on the page."""
    stacks: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if stacks and start <= stacks[-1][1] + _THIN:
            stacks[-1] = stacks[-1][0], max(end, stacks[-1][1])
        else:
            stacks.append((start, end))
    return stacks


def _apart(values: Iterable[float]) -> list[float]:
    kept: list[float] = []
    for value in sorted(values):
        if not kept or value - kept[-1] > _LONG / 2:
            kept.append(value)
    return kept
