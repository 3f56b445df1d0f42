"""Small statute PDFs in the layout of law.go.kr, set with reportlab's own Korean font."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

FONT = "HYSMyeongJo-Medium"
pdfmetrics.registerFont(UnicodeCIDFont(FONT))

WIDTH, HEIGHT, MARGIN, TOP, BOTTOM, PITCH = 595, 842, 565, 771, 80, 16

COLUMNS = {
    "편장": (48, 48),
    "조": (34, 46),
    "항": (50, 50),
    "호": (50, 60),
    "목": (60, 70),
    "글": (50, 50),
    "부칙": (90, 90),
    "부칙조": (38, 50),
}
"""Where a paragraph's first line and its other lines begin."""

TITLE = "마을 빨래터의 이용에 관한 법률"
EDITION = ("[시행 2024. 1. 1.] [법률 제123호, 2023. 12. 31., 일부개정]",)
MINISTRIES = ("법무부 (법무심의관실) 02-2110-3164",)

Paragraphs = Sequence[tuple[str, str]]
"""Kind, as in COLUMNS, and text."""


@dataclass(frozen=True)
class Style:
    """How a statute is printed; the default is how law.go.kr does it."""

    bold: bool = True
    justified: bool = True
    by_word: bool = False
    running: bool = True
    bottom: int = BOTTOM


LAW_GO_KR = Style()


def measure(text: str) -> float:
    """Width in points, at 10 points."""
    return float(pdfmetrics.stringWidth(text, FONT, 10))


def print_statute(
    path: Path,
    paragraphs: Paragraphs,
    *,
    title: str = TITLE,
    abbreviation: str = "",
    edition: Sequence[str] = EDITION,
    ministries: Sequence[str] = MINISTRIES,
    style: Style = LAW_GO_KR,
) -> Path:
    """Write a statute's PDF and return its path."""
    canvas = Canvas(str(path), pagesize=(WIDTH, HEIGHT))
    y = _print_head(canvas, title, abbreviation, edition, ministries)
    _print_running(canvas, title, style)
    for kind, text in paragraphs:
        y -= 10 if kind == "조" else 0
        lines = break_lines(text, kind, style)
        for i, line in enumerate(lines):
            if y < style.bottom:
                canvas.showPage()
                _print_running(canvas, title, style)
                y = TOP
            is_bold = style.bold and i == 0 and kind in ("편장", "조", "부칙", "부칙조")
            spread = style.justified and kind != "조" and i < len(lines) - 1
            _print_line(canvas, line, COLUMNS[kind][i > 0], y, bold=is_bold, spread=spread)
            y -= PITCH
    canvas.save()
    return path


def _print_head(
    canvas: Canvas, title: str, abbreviation: str, edition: Sequence[str], ministries: Sequence[str]
) -> float:
    if title:
        canvas.setFont(FONT, 12)
        canvas.drawCentredString(WIDTH / 2, 747, title)
        if abbreviation:
            canvas.setFont(FONT, 10)
            canvas.drawString(WIDTH / 2 + 0.6 * measure(title), 747, f" ( 약칭: {abbreviation} )")
    y = 727.0
    for size, lines in ((10, edition), (9, ministries)):
        canvas.setFont(FONT, size)
        for line in lines:
            canvas.drawRightString(MARGIN if size == 9 else 430, y, line)
            y -= 13.5
    return y - 16


def _print_running(canvas: Canvas, title: str, style: Style) -> None:
    if style.running:
        canvas.setFont(FONT, 10)
        canvas.drawString(38, 30, "법제처")
        canvas.drawString(278, 30, str(canvas.getPageNumber()))
        canvas.drawString(477, 30, "국가법령정보센터")
        canvas.drawRightString(MARGIN, 802, title)


def _print_line(canvas: Canvas, line: str, x: float, y: float, *, bold: bool, spread: bool) -> None:
    text = canvas.beginText(x, y)
    text.setFont(FONT, 10)
    text.setCharSpace((MARGIN - x - measure(line)) / (len(line) - 1) if spread and len(line) > 1 else 0)
    head = line.find(")") + 1 or len(line)
    text.setTextRenderMode(2 if bold else 0)
    text.textOut(line[:head])
    text.setTextRenderMode(0)
    text.textOut(line[head:])
    canvas.drawText(text)


def break_lines(text: str, kind: str, style: Style = LAW_GO_KR) -> list[str]:
    """Break a paragraph as iText does: after any CJK character or space, as late as it fits; spaces there vanish."""
    breakable = _space if style.by_word else _cjk
    lines: list[str] = []
    while text:
        room = MARGIN - COLUMNS[kind][bool(lines)]
        fits, used, end = 0, 0.0, 0
        for end, char in enumerate(text, start=1):
            used += measure(char)
            if used > room and char != " ":
                break
            if breakable(char):
                fits = end
            if used > room:
                break
        else:
            fits = len(text)
        fits = fits or max(1, end - 1)
        lines.append(text[:fits].rstrip())
        text = text[fits:].lstrip()
    return lines


def _cjk(char: str) -> bool:
    return char in " -" or "\u2e80" <= char < "\ud7a4" or "\uf900" <= char < "\ufb00"


_space: Callable[[str], bool] = str.isspace
