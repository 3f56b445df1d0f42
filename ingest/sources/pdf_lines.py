"""The printed lines of a PDF with their place on the page, and pages as pictures, read with pdfium.

Lengths are in points. pdfium is not thread-safe: every call of it happens under one lock. It is opened without form
fill and JavaScript, and what is attached to a PDF is never touched.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from rag.errors import SourceError

MAX_BYTES = 200 * 2**20

Picture = npt.NDArray[np.uint8]
"""A page in shades of grey: rows from the top, 0 is black."""

_PDFIUM = threading.Lock()
_WIDE = 1.5  # ems; a wider gap may be that between columns or cells
_FEW_GLYPHS = 50  # a page with fewer is looked at for pictures of text
_LOW_DPI, _VECTOR_DPI, _HIGH_DPI = 150.0, 300.0, 300.0
_MAX_PATHS = 5000
_MAX_SIDE = 5000  # dots; a poster-sized page is rendered more coarsely


Ink = npt.NDArray[np.bool_]
"""Where a part of a picture is dark."""


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A line as printed. `width` is its length without justification; `run` that of its first unbreakable piece.

    `word` is the length of its first word, `space` of one space. `style` names the face of its first character.
    """

    page: int
    x0: float
    x1: float
    y: float
    size: float
    style: str
    width: float
    run: float
    word: float
    space: float
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page, or a column of one: its size and its lines from top to bottom.

    As read, lines are cut where gaps are wide; `layout` joins them. `unmapped` counts glyphs of which the font does
    not say what they mean; `drawn` says that pictures or paths cover a page that has hardly any text,
    `recognised` that it was read from its picture.
    """

    width: float
    height: float
    lines: tuple[PrintedLine, ...]
    unmapped: int = 0
    drawn: bool = False
    recognised: bool = False


@dataclass(frozen=True, slots=True)
class _Glyph:
    char: str
    x0: float
    x1: float
    y: float
    size: float


def read_pages(path: Path, max_pages: int) -> list[Page]:
    """Return the pages of a PDF. Raises SourceError, naming the file, the reason and what to do."""
    name = path.name
    _check_bytes(path)
    with _opened(path) as document:
        if len(document) > max_pages:
            raise SourceError(
                f"{name}: {len(document):,}쪽이라 너무 깁니다(최대 {max_pages:,}쪽). 나누어서 넣거나 "
                "LAW_MAX_PDF_PAGES를 늘려 주십시오."
            )
        return [_read_page(document, index) for index in range(len(document))]


def render_page(path: Path, index: int) -> tuple[Picture, float]:
    """Return a page as a picture and its dots per inch: as many as a scan has, within reason. Raises SourceError."""
    with _opened(path) as document:
        page = document[index]
        width, height = page.get_size()
        dots = [
            picture.get_px_size()[0] / max(1.0, (right - left) / 72)
            for picture in page.get_objects([pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3)
            for left, _, right, _ in [picture.get_bounds()]
            if right - left > 0.5 * width
        ]
        dpi = min(max(max(dots, default=_VECTOR_DPI), _LOW_DPI), _HIGH_DPI)
        dpi = min(dpi, _MAX_SIDE * 72 / max(width, height))
        bitmap = page.render(scale=dpi / 72, grayscale=True, may_draw_forms=False)
        picture = np.array(bitmap.to_numpy(), dtype=np.uint8).reshape(bitmap.height, bitmap.width)
        bitmap.close()
        page.close()
        return picture, dpi


def read_paths(path: Path, index: int) -> list[tuple[float, float, float, float]]:
    """Return the boxes (left, bottom, right, top) of what is drawn on a page, no more than a page of tables has."""
    with _opened(path) as document:
        page = document[index]
        drawn = islice(page.get_objects([pdfium.FPDF_PAGEOBJ_PATH], max_depth=3), _MAX_PATHS)
        boxes = [thing.get_bounds() for thing in drawn]
        page.close()
        return boxes


@contextmanager
def _opened(path: Path) -> Iterator[pypdfium2.PdfDocument]:
    """Open a PDF and hold the lock meanwhile. Raises SourceError, also for what pdfium says inside."""
    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            raise SourceError(_why_closed(path.name, error)) from error
        try:
            yield document
        except pypdfium2.PdfiumError as error:
            raise SourceError(f"{path.name}: 손상된 쪽이 있습니다. 파일을 다시 내려받아 주십시오.") from error
        finally:
            document.close()


def _check_bytes(path: Path) -> None:
    name = path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(1024)
            file.seek(max(0, size - 4096))
            end = file.read()
    except OSError as error:
        raise SourceError(f"{name}: 파일을 열 수 없습니다({error.strerror}).") from error
    if not size:
        raise SourceError(f"{name}: 빈 파일입니다. 파일을 다시 내려받아 주십시오.")
    if size > MAX_BYTES:
        raise SourceError(
            f"{name}: {size / 2**20:,.0f} MB라 너무 큽니다(최대 {MAX_BYTES // 2**20} MB). 나누어서 넣어 주십시오."
        )
    if b"%PDF-" not in start:
        raise SourceError(f"{name}: PDF가 아닙니다. 국가법령정보센터(law.go.kr)에서 PDF로 저장한 파일을 넣어 주십시오.")
    if b"%%EOF" not in end:
        # pdfium would repair the file and read the pages that are left: articles would be missing unseen.
        raise SourceError(f"{name}: PDF가 중간에 잘렸습니다. 파일을 다시 내려받아 주십시오.")


def _why_closed(name: str, error: pypdfium2.PdfiumError) -> str:
    if error.err_code == pdfium.FPDF_ERR_PASSWORD:
        return f"{name}: 암호가 걸린 PDF입니다. 암호를 푼 파일로 저장해서 넣어 주십시오."
    return f"{name}: PDF가 손상되어 열 수 없습니다. 파일을 다시 내려받아 주십시오."


def _read_page(document: pypdfium2.PdfDocument, index: int) -> Page:
    page = document[index]
    width, height = page.get_size()
    text = page.get_textpage()
    glyphs = text.count_chars()
    unmapped = sum(pdfium.FPDFText_HasUnicodeMapError(text, i) == 1 for i in range(glyphs))
    rows = (piece for row in _rows(text) for piece in _pieces(row))
    lines = [line for row in rows if (line := _line(index, text, row))]
    drawn = glyphs < _FEW_GLYPHS and _is_drawn(page, width * height)
    text.close()
    page.close()
    return Page(width, height, tuple(lines), unmapped, drawn)


def _is_drawn(page: pypdfium2.PdfPage, area: float) -> bool:
    """Whether pictures cover a good part of a page, or so many paths that they may be letters."""
    covered, paths = 0.0, 0
    for thing in page.get_objects([pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_PATH], max_depth=3):
        paths += thing.type == pdfium.FPDF_PAGEOBJ_PATH
        if thing.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = thing.get_bounds()
            covered += max(0.0, right - left) * max(0.0, top - bottom)
    return covered > 0.2 * area or paths > 200


def _pieces(row: list[tuple[int, _Glyph]]) -> Iterator[list[tuple[int, _Glyph]]]:
    """Cut a row of glyphs where nothing is printed for a while."""
    start, end = 0, None
    for i, (_, glyph) in enumerate(row):
        if glyph.char.isspace():
            continue
        if end is not None and glyph.x0 - end > _WIDE * max(glyph.size, 4):
            yield row[start:i]
            start = i
        end = glyph.x1
    yield row[start:]


def _rows(text: pypdfium2.PdfTextPage) -> Iterator[list[tuple[int, _Glyph]]]:
    """Yield the glyphs of each line in the order of the content stream, with their index on the page."""
    row: list[tuple[int, _Glyph]] = []
    x, y, box = ctypes.c_double(), ctypes.c_double(), pdfium.FS_RECTF()
    for index in range(text.count_chars()):
        code = pdfium.FPDFText_GetUnicode(text, index)
        if code in (0, 10, 13):
            continue
        pdfium.FPDFText_GetCharOrigin(text, index, x, y)
        pdfium.FPDFText_GetLooseCharBox(text, index, box)
        # pdfium marks a hyphen at a line's end as U+0002 or U+FFFE.
        char = "-" if code in (2, 0xFFFE) else chr(code)
        glyph = _Glyph(char, box.left, box.right, y.value, pdfium.FPDFText_GetFontSize(text, index))
        if row:
            last = row[-1][1]
            if abs(glyph.y - last.y) > 0.35 * max(last.size, 4) or x.value < last.x1 - last.size:
                yield row
                row = []
        row.append((index, glyph))
    if row:
        yield row


def _line(page: int, text: pypdfium2.PdfTextPage, row: list[tuple[int, _Glyph]]) -> PrintedLine | None:
    start = next((i for i, (_, glyph) in enumerate(row) if not glyph.char.isspace()), None)
    if start is None:
        return None
    end = max(i for i, (_, glyph) in enumerate(row) if not glyph.char.isspace()) + 1
    glyphs = [glyph for _, glyph in row[start:end]]
    first = glyphs[0]
    widths, space = _widths(glyphs)
    chars = "".join(glyph.char for glyph in glyphs)
    run = next((i + splits(char) for i, char in enumerate(chars) if splits(char)), len(chars))
    word = next((i for i, char in enumerate(chars) if char.isspace()), len(chars))
    return PrintedLine(
        page=page,
        x0=first.x0,
        x1=glyphs[-1].x1,
        y=first.y,
        size=first.size,
        style=_style(text, row[start][0]),
        width=sum(widths),
        run=sum(widths[: run if not chars[run - 1].isspace() else run - 1]),
        word=sum(widths[:word]),
        space=space,
        text=_clean(chars),
    )


def _widths(glyphs: Sequence[_Glyph]) -> tuple[list[float], float]:
    """Return the widths of glyphs, as if the line were not justified, and that of a space."""
    widths = [max(0.0, glyph.x1 - glyph.x0) for glyph in glyphs]
    spaces = [width for glyph, width in zip(glyphs, widths, strict=True) if glyph.char.isspace() and width]
    # Where a gap stands for a space, pdfium makes one up that has no width.
    gaps = {i: after.x0 - glyph.x1 for i, (glyph, after) in enumerate(pairwise(glyphs)) if _is_gap(glyph, after)}
    space = min(spaces, default=min([0.3 * glyphs[0].size, *gaps.values()]))
    return [min(space, gaps[i]) if i in gaps else width for i, width in enumerate(widths)], space


def _is_gap(glyph: _Glyph, after: _Glyph) -> bool:
    return glyph.char.isspace() and glyph.x1 <= glyph.x0 and after.x0 > glyph.x1


def splits(char: str) -> bool:
    """Whether a line may be broken right after a character, as typesetters of CJK text (iText among them) do it."""
    code = ord(char)
    return char.isspace() or char in "-‐" or 0x2E80 <= code < 0xD7A4 or 0xF900 <= code < 0xFB00


def _style(text: pypdfium2.PdfTextPage, index: int) -> str:
    flags, buffer = ctypes.c_int(), ctypes.create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(text, index, buffer, 128, flags)
    # law.go.kr prints bold by stroking the outline too.
    stroked = pdfium.FPDFTextObj_GetTextRenderMode(pdfium.FPDFText_GetTextObject(text, index)) != 0
    return buffer.value.decode("utf-8", "replace") + ("+stroke" if stroked else "")


def _clean(chars: str) -> str:
    """Join surrogate pairs and turn every run of white space into one space."""
    if any("\ud800" <= char <= "\udfff" for char in chars):
        chars = chars.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return re.sub(r"\s+", " ", chars).strip()
