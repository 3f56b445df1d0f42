"""The printed lines of a text PDF with their place on the page, read with pdfium; running heads and feet dropped.

Lengths are in points. pdfium is not thread-safe: every call of it happens under one lock.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from rag.errors import SourceError

MAX_PAGES = 3000
"""The longest statutes print on fewer than a thousand pages."""

MAX_BYTES = 200 * 2**20

_PDFIUM = threading.Lock()
_OUTER = 0.12  # the part of a page's height, at top and bottom, in which running heads and feet stand
_FOOT = re.compile(r"법제처\s*\d*\s*국가법령정보센터")


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
    """A page: its size and its lines from top to bottom."""

    width: float
    height: float
    lines: tuple[PrintedLine, ...]


@dataclass(frozen=True, slots=True)
class _Glyph:
    char: str
    x0: float
    x1: float
    y: float
    size: float


def read_pages(path: Path) -> list[Page]:
    """Return the pages of a PDF. Raises SourceError, naming the file, the reason and what to do."""
    name = path.name
    _check_bytes(path)
    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            raise SourceError(_why_closed(name, error)) from error
        try:
            if len(document) > MAX_PAGES:
                raise SourceError(
                    f"{name}: {len(document):,}쪽이라 너무 깁니다(최대 {MAX_PAGES:,}쪽). 나누어서 넣어 주십시오."
                )
            return [_read_page(document, index) for index in range(len(document))]
        except pypdfium2.PdfiumError as error:
            raise SourceError(f"{name}: 손상된 쪽이 있습니다. 파일을 다시 내려받아 주십시오.") from error
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
    lines = [line for row in _rows(text) if (line := _line(index, text, row))]
    text.close()
    page.close()
    lines.sort(key=lambda line: (-round(line.y), line.x0))
    return Page(width, height, tuple(lines))


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
    widths = [max(0.0, glyph.x1 - glyph.x0) for glyph in glyphs]
    chars = "".join(glyph.char for glyph in glyphs)
    run = next((i + splits(char) for i, char in enumerate(chars) if splits(char)), len(chars))
    word = next((i for i, char in enumerate(chars) if char.isspace()), len(chars))
    spaces = [width for glyph, width in zip(glyphs, widths, strict=True) if glyph.char.isspace() and width]
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
        space=min(spaces, default=0.3 * first.size),
        text=_clean(chars),
    )


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

    def count(line: PrintedLine) -> float:
        return always if _FOOT.fullmatch(line.text) else max(seen[key] for key in _running_keys(line))

    def keep(lines: Sequence[PrintedLine], outer: Sequence[PrintedLine]) -> int:
        """Return how many of a page's lines, from one end, are running."""
        end = next((i for i, line in enumerate(lines) if line not in outer or count(line) < often), len(lines))
        apart = end == len(lines) or abs(lines[end - 1].y - lines[end].y) > 1.3 * pitch
        return end if apart else next((i for i in range(end) if count(lines[i]) < always), end)

    kept = []
    for page in pages:
        outer = _outer(page)
        top = keep(page.lines, outer)
        bottom = len(page.lines) - keep(page.lines[::-1], outer) if top < len(page.lines) else top
        kept.append(Page(page.width, page.height, page.lines[top:bottom]))
    return kept


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


def right_margins(pages: Sequence[Page]) -> list[float]:
    """Return each page's right margin, found from all pages of its width."""
    ends: dict[int, list[float]] = defaultdict(list)
    for page in pages:
        # A punctuation mark may hang over the margin.
        ends[round(page.width)] += [
            line.x1 for line in page.lines if line.text[-1] not in ".,;:'" and line.x1 < page.width
        ]
    margins = {width: _margin(sorted(edges)) for width, edges in ends.items() if edges}
    return [margins.get(round(page.width), page.width) for page in pages]


def _margin(edges: Sequence[float]) -> float:
    """Return where justified lines end; where there are none, where the longest end, a few outliers aside."""
    edge, count = Counter(round(x) for x in edges).most_common(1)[0]
    beyond = sum(x > edge + 1 for x in edges)
    if count >= max(3, 0.08 * len(edges)) and beyond < 0.2 * count:
        near = [x for x in edges if abs(x - edge) < 0.6]
        return sum(near) / len(near)
    return edges[-1 - len(edges) // 50]
