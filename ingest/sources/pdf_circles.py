"""Circled numbers in the picture of a line: ① and its like are told by their ring."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby

import numpy as np

from ingest.sources.pdf_lines import Ink, Picture

_ANGLES = [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 48, endpoint=False)]
_RING, _INSIDE = 0.9, 0.02  # shares: of the ring that has ink at least; of the inside, which holds a number

_DEPTHS = (1, 0.96, 0.92, 0.88, 0.84)  # parts of the radius, for a ring that is no perfect one

Box = tuple[float, float, float, float]


def find_circles(picture: Picture, line: Box, *, all_along: bool) -> Iterator[tuple[float, float]]:
    """Yield the (left, right) of circled numbers in a line, dots from the left.

    `line` is the (left, top, right, bottom) of what was read; a number that was not may stand before it. Unless
    `all_along`, only the line's first character is looked at.
    """
    left, top, right, bottom = line
    em = bottom - top
    x0, x1 = max(0, int(left - 2.5 * em)), min(picture.shape[1], int(right + 1) if all_along else int(left + 2.5 * em))
    y0, y1 = max(0, int(top - 0.25 * em)), min(picture.shape[0], int(bottom + 0.25 * em))
    part = picture[y0:y1, x0:x1]
    if not part.size:
        return
    paper, black = float(np.percentile(part, 90)), float(part.min())
    ink = part < paper - 0.25 * (paper - black)  # rings are thin, and pale in a scan
    for start, end in _runs(np.logical_or.reduce(ink, axis=0)):
        if start + x0 < left - 2 * em and not all_along:
            continue
        if _is_circled(ink[:, start:end], em):
            yield float(start + x0), float(end + x0)
        elif not all_along and end - start > 0.2 * em:
            return


def _runs(columns: Ink) -> Iterator[tuple[int, int]]:
    start = 0
    for inked, group in groupby(columns):
        length = len(list(group))
        if inked:
            yield start, start + length
        start += length


def _is_circled(ink: Ink, em: float) -> bool:
    rows = np.flatnonzero(np.logical_or.reduce(ink, axis=1))
    height, width = int(rows[-1] - rows[0] + 1), ink.shape[1]
    if not (0.5 * em < width < 1.4 * em and 0.8 < width / height < 1.25):
        return False
    glyph = ink[rows[0] : rows[-1] + 1]
    cy, cx = (height - 1) / 2, (width - 1) / 2
    ring = 0
    for dx, dy in _ANGLES:
        ring += any(
            glyph[round(cy + dy * cy * part), round(cx + dx * cx * part)] for part in (1, 0.96, 0.92, 0.88, 0.84)
        )
    y, x = np.ogrid[:height, :width]
    distance = ((y - cy) / max(cy, 1)) ** 2 + ((x - cx) / max(cx, 1)) ** 2
    corners = glyph[distance > 1.3].any()
    return bool(ring >= _RING * len(_ANGLES) and not corners and glyph[distance < 0.4].mean() > _INSIDE)
