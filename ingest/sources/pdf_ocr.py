"""Text from pictures of pages, by Tesseract with its Korean data: lines with their place, as if they had been printed.

Tesseract knows neither circled numbers nor Hanja. Where the picture shows a circle at a 항's place, `CIRCLE` stands in
the text; `pdf_mend` counts them. Hanja come out as other characters.
"""

from __future__ import annotations

import csv
import math
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from ingest.sources.pdf_circles import find_circles
from ingest.sources.pdf_lines import Ink, Picture, PrintedLine
from rag.errors import SourceError

CIRCLE = "◯"
INSTALL = "`apt install tesseract-ocr tesseract-ocr-kor`로 문자 인식(OCR) 프로그램과 한국어 자료를 설치해 주십시오."

_UNSURE = 30.0  # per cent of confidence below which a line is taken for a smudge
_SMUDGED = re.compile(r"^[^\s가-힣「『“‘\"'(\[<]+(?=[\s가-힣「])")
_TITLED = re.compile(r"제\s?\S{1,4}\s?조(?:\s?의\s?\S{1,2})?\s?(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?\s*")


@dataclass(frozen=True, slots=True)
class Word:
    """A word as Tesseract gives it, or a part of one; dots from the top left."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    confidence: float


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    words: tuple[Word, ...]


def ocr_is_ready() -> bool:
    """Whether Tesseract and its Korean data are installed."""
    if shutil.which("tesseract") is None:
        return False
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=False)
    return "kor" in listed.stdout.split()


def recognise(picture: Picture, dpi: float, page: int, height: float, seconds: float) -> list[PrintedLine]:
    """Read a page's picture; lengths come out in points. `seconds` is the time that Tesseract may take.

    Raises TimeoutError, and SourceError where Tesseract fails.
    """
    upright = straighten(picture)
    found = [
        _moved(_with_circles(line, region), left, top)
        for top, left, region in regions(upright)
        for line in _read_region(region, dpi, seconds)
    ]
    return _even([line for line in (_printed(line, dpi, page, height) for line in found) if line])


def straighten(picture: Picture) -> Picture:
    """Turn a picture that lay askew, by up to three degrees, so that its lines run level."""
    y, x = np.nonzero(picture[::2, ::2] < 128)
    step = max(1, len(x) // 20_000)
    y, x = y[::step], x[::step]
    if len(x) < 500:
        return picture

    def sharpness(angle: float) -> float:
        rows = np.round(y - x * math.tan(math.radians(angle))).astype(int)
        return float((np.bincount(rows - rows.min()).astype(float) ** 2).sum())

    coarse = max(np.arange(-3, 3.01, 0.25), key=sharpness)
    angle = float(max(np.arange(coarse - 0.25, coarse + 0.26, 0.05), key=sharpness))
    if abs(angle) < 0.1:
        return picture
    turned = Image.fromarray(picture).rotate(angle, resample=Image.Resampling.BICUBIC, fillcolor=255)
    return np.asarray(turned, dtype=np.uint8)


def regions(picture: Picture) -> Iterator[tuple[int, int, Picture]]:
    """Yield (top, left, part) of a picture's columns in reading order; the whole where it has one column."""
    ink = picture < 128
    width = ink.shape[1]
    middle = slice(int(0.4 * width), int(0.6 * width))
    usual = float(ink[:, int(0.1 * width) : int(0.9 * width)].sum(axis=0).mean())
    gap = _widest_gap(ink[:, middle], int(0.008 * width), limit=0.25 * usual)
    if gap is None or not usual:
        yield 0, 0, picture
        return
    x = middle.start + gap
    across = _rows_across(ink, x, int(0.004 * width))
    row = 0
    for crossing, group in groupby(across):
        rows = len(list(group))
        part = picture[row : row + rows]
        if crossing:
            yield row, 0, part
        elif (part < 128).any():
            yield row, 0, part[:, :x]
            yield row, x, part[:, x:]
        row += rows


def _widest_gap(ink: Ink, least: int, limit: float) -> int | None:
    """Return the middle of the widest run of columns that have ink in few rows."""
    empty = ink.sum(axis=0) <= limit
    best, start = (0, 0), 0
    for free, group in groupby(empty):
        length = len(list(group))
        if free and length > best[0]:
            best = length, start
        start += length
    return best[1] + best[0] // 2 if best[0] >= least else None


def _rows_across(ink: Ink, x: int, reach: int) -> list[bool]:
    """Say of every row of dots whether it belongs to a line of text that runs over x."""
    text = np.logical_or.reduce(ink, axis=1)
    across = np.logical_or.reduce(ink[:, x - reach : x + reach], axis=1)
    result: list[bool] = []
    last = False
    for has_text, group in groupby(range(len(text)), key=lambda row: bool(text[row])):
        rows = list(group)
        if has_text:
            last = bool(across[rows[0] : rows[-1] + 1].any())
        result += [last] * len(rows)
    return result


def _read_region(picture: Picture, dpi: float, seconds: float) -> list[_Line]:
    height, width = picture.shape
    command = ["tesseract", "stdin", "out", "-l", "kor", "--psm", "6", "--dpi", str(round(dpi)), "tsv", "txt"]
    with TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                command,
                input=b"P5 %d %d 255\n" % (width, height) + picture.tobytes(),
                cwd=folder,
                capture_output=True,
                timeout=seconds,
                env={**os.environ, "OMP_THREAD_LIMIT": "1"},  # its threads slow each other down on a page
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error
        if done.returncode:
            raise SourceError(f"문자 인식(OCR)이 실패했습니다. {INSTALL}")
        table = (Path(folder) / "out.tsv").read_text("utf-8")
        text = (Path(folder) / "out.txt").read_text("utf-8")
    return _lines(table, text)


def _lines(table: str, text: str) -> list[_Line]:
    """Bring together the words with their places, and the lines with the spaces between words, which differ."""
    rows = csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = [row for row in rows if row["level"] == "5" and row["text"].strip()]
    spaced = [re.sub(r"\s+", " ", line).strip() for line in text.splitlines() if line.strip()]
    lines = []
    for _, group in groupby(words, key=lambda row: (row["block_num"], row["par_num"], row["line_num"])):
        parts = tuple(_word(row) for row in group)
        plain = "".join(part.text for part in parts)
        same = next((i for i, line in enumerate(spaced) if line.replace(" ", "") == plain), None)
        joined = spaced[same] if same is not None else " ".join(part.text for part in parts)
        spaced = spaced[same + 1 :] if same is not None else spaced
        lines.append(_Line(joined, parts))
    return lines


def _word(row: dict[str, str]) -> Word:
    x, y, width, height = (float(row[key]) for key in ("left", "top", "width", "height"))
    return Word(row["text"].strip().replace(" ", ""), x, y, x + width, y + height, float(row["conf"]))


def _moved(line: _Line, left: int, top: int) -> _Line:
    words = (replace(w, x0=w.x0 + left, x1=w.x1 + left, y0=w.y0 + top, y1=w.y1 + top) for w in line.words)
    return replace(line, words=tuple(words))


def _with_circles(line: _Line, picture: Picture) -> _Line:
    """Put CIRCLE where a line, or the text of an article after its head, begins with a circled number."""
    title = _TITLED.match(line.text)
    box = (
        min(word.x0 for word in line.words),
        min(word.y0 for word in line.words),
        max(word.x1 for word in line.words),
        max(word.y1 for word in line.words),
    )
    for x0, x1 in find_circles(picture, box, all_along=title is not None):
        before = sum(len(word.text) for word in line.words if (word.x0 + word.x1) / 2 < x0)
        inside = sum(len(word.text) for word in line.words if x0 <= (word.x0 + word.x1) / 2 <= x1)
        start, end = _place(line.text, before), _place(line.text, before + inside)
        if start and not (title and abs(start - title.end()) <= 2):
            continue
        head = line.text[:start].rstrip()
        # Where no word of its own was read for the circle, it may be the first characters of the one after it.
        rest = line.text[end:] if inside else _SMUDGED.sub("", line.text[end:].lstrip(), count=1)
        circle = Word(CIRCLE, x0, box[1], x1, box[3], 100.0)
        kept = [w for w in line.words if not x0 <= (w.x0 + w.x1) / 2 <= x1]
        words = sorted([*kept, circle], key=lambda word: word.x0)
        return _Line(f"{head} {CIRCLE} {rest.strip()}".strip(), tuple(words))
    return line


def _place(text: str, letters: int) -> int:
    """Return the index in a text after so many characters that are not spaces."""
    seen = 0
    for index, char in enumerate(text):
        if seen == letters and not char.isspace():
            return index
        seen += not char.isspace()
    return len(text)


def _printed(line: _Line, dpi: float, page: int, height: float) -> PrintedLine | None:
    """Turn dots into points; None for a smudge."""
    weight = sum(len(word.text) for word in line.words)
    if sum(word.confidence * len(word.text) for word in line.words) < _UNSURE * weight:
        return None
    scale = 72 / dpi
    x0, x1 = (edge(getattr(w, side) for w in line.words) * scale for edge, side in ((min, "x0"), (max, "x1")))
    size = median(word.y1 - word.y0 for word in line.words) * scale
    letter = (x1 - x0) / max(1, len(line.text))
    return PrintedLine(
        page=page,
        x0=x0,
        x1=x1,
        y=height - median((word.y0 + word.y1) / 2 for word in line.words) * scale,
        size=size,
        style="",
        width=x1 - x0,
        run=1.2 * max(letter, size),  # edges are known to a letter or so
        word=letter * len(line.text.split(" ", 1)[0]),
        space=0.3 * size,
        text=line.text,
    )


def _even(lines: Sequence[PrintedLine]) -> list[PrintedLine]:
    """Give lines of about one size one size, and let edges that nearly agree agree."""
    if not lines:
        return []
    usual = median(line.size for line in lines)
    left = _clusters([line.x0 for line in lines], 0.2 * usual)
    right = _clusters([line.x1 for line in lines], 0.35 * usual)
    evened = []
    for line in lines:
        x0, x1 = left[line.x0], right[line.x1]
        size = usual if 0.75 < line.size / usual < 1.15 else line.size
        evened.append(replace(line, x0=x0, x1=x1, width=x1 - x0, size=size))
    return evened


def _clusters(values: Sequence[float], reach: float) -> dict[float, float]:
    """Map every value to the middle of those that it is near to."""
    groups: list[list[float]] = []
    for value in sorted(values):
        if groups and value - groups[-1][-1] <= reach and value - groups[-1][0] <= 3 * reach:
            groups[-1].append(value)
        else:
            groups.append([value])
    return {value: median(group) for group in groups for value in group}
