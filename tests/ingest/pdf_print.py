"""Statutes set as PDFs in several layouts with Debian's Nanum fonts, and what can become of such a PDF: a scan of it,
or one whose fonts do not say which characters they hold.
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pypdf
import pypdfium2
from PIL import Image, ImageFilter
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from rag.statutes import Article, Edition, Line, Paragraph, Statute

NANUM = Path("/usr/share/fonts/truetype/nanum")
FONTS_AT_HAND = all((NANUM / f"{name}.ttf").exists() for name in ("NanumGothic", "NanumGothicBold", "NanumMyeongjo"))
WIDTH, HEIGHT = 595.0, 842.0


@dataclass(frozen=True)
class Setting:
    """How a statute is set: lengths in points; `indents` are (first line, other lines) of each kind of paragraph."""

    name: str
    font: str = "NanumGothic"
    bold: str = "NanumGothicBold"
    size: float = 10
    pitch: float = 16
    left: float = 40
    right: float = 555
    top: float = 770
    bottom: float = 70
    gutter: float = 0  # between two columns; 0 for one
    by_word: bool = False
    justified: bool = True
    title_size: float = 12
    indents: dict[str, tuple[float, float]] = field(
        default_factory=lambda: {
            "편장": (14, 14), "조": (0, 12), "항": (16, 16), "호": (16, 26), "목": (26, 36), "글": (16, 16),
            "부칙": (56, 56),
        }
    )  # fmt: skip
    head: Callable[[Edition], Sequence[str]] = lambda e: (
        f"[시행 {_dotted(e.effective)}] [{e.kind} 제{e.number}호, {_dotted(e.promulgated)}, 일부개정]",
        "법무부 (법무심의관실) 02-2110-3164",
    )
    running: Callable[[Edition, int], tuple[str, str]] = lambda e, page: (
        e.title,
        f"법제처   {page}   국가법령정보센터",
    )


def _dotted(day: object) -> str:
    year, month, date = str(day).split("-")
    return f"{year}. {int(month)}. {int(date)}."


LAW = Setting("law.go.kr")
GAZETTE = Setting(
    "gazette, two columns", font="NanumMyeongjo", bold="NanumMyeongjoBold", size=9, pitch=13.5, left=45, right=550,
    gutter=20, title_size=16,
    indents={"편장": (30, 30), "조": (0, 9), "항": (9, 9), "호": (9, 20), "목": (18, 29), "글": (9, 9),
             "부칙": (40, 40)},
    running=lambda e, page: ("제20417호          관     보          2023. 1. 3.(화요일)", f"- {page} -"),
)  # fmt: skip
ORDINANCE = Setting(
    "local ordinance", justified=False, by_word=True, size=10.5, pitch=18, left=56, right=540, title_size=15,
    head=lambda e: (
        f"[시행 {_dotted(e.effective)}] [서울특별시조례 제{e.number}호, {_dotted(e.promulgated)}, 일부개정]",
        "서울특별시(주차계획과), 02-2133-2355",
    ),
    running=lambda e, page: ("", f"{page} / 24"),
)  # fmt: skip
HWP = Setting(
    "word processor (HWP)", font="NanumMyeongjo", bold="NanumMyeongjo", size=11, pitch=19, left=85, right=510,
    top=740, bottom=85, title_size=16,
    indents={"편장": (120, 120), "조": (0, 0), "항": (11, 0), "호": (11, 24), "목": (22, 35), "글": (11, 0),
             "부칙": (190, 190)},
    running=lambda e, page: ("", f"- {page} -"),
)  # fmt: skip
SETTINGS = (LAW, GAZETTE, ORDINANCE, HWP)


def _register() -> None:
    for name in ("NanumGothic", "NanumGothicBold", "NanumMyeongjo", "NanumMyeongjoBold"):
        pdfmetrics.registerFont(TTFont(name, NANUM / f"{name}.ttf"))


if FONTS_AT_HAND:
    _register()


def printable(statute: Statute) -> Statute:
    """Return a statute without the characters that Nanum does not have, ㉑ and most Hanja among them."""
    known = pdfmetrics.getFont("NanumMyeongjo").face.charToGlyph.keys()
    known &= pdfmetrics.getFont("NanumGothic").face.charToGlyph.keys()

    def clean(text: str) -> str:
        return re.sub(r"\s+", " ", "".join(char for char in text if ord(char) in known)).strip()

    def line(of: Line) -> Line:
        return replace(of, label=clean(of.label), text=clean(of.text))

    def article(of: Article) -> Article:
        paragraphs = (Paragraph(p.number, tuple(map(line, p.lines))) for p in of.paragraphs)
        return replace(of, title=clean(of.title), paragraphs=tuple(paragraphs))

    return replace(statute, articles=tuple(map(article, statute.articles)), addenda=())


def paragraphs(statute: Statute) -> Iterator[tuple[str, str]]:
    """Yield (kind, text) of every paragraph as it is printed."""
    above: tuple[str, ...] = ()
    for article in statute.articles:
        for division in article.divisions:
            if division not in above:
                yield "편장", division
        above = article.divisions
        lines = [(line.depth, " ".join(filter(None, [line.label, line.text])), line.label)
                 for paragraph in article.paragraphs for line in paragraph.lines]  # fmt: skip
        first = lines.pop(0)[1] if lines and lines[0][0] == 0 and not lines[0][1].startswith("[") else ""
        yield "조", f"{article.heading} {first}".strip()
        for depth, text, label in lines:
            yield ("항" if label else "글") if depth == 0 else "호" if depth == 1 else "목", text
    yield "부칙", "부칙 <제1호,2000. 1. 1.>"
    yield "글", "이 법은 공포한 날부터 시행한다."


def print_set(path: Path, statute: Statute, setting: Setting) -> Path:
    """Print a statute and return the path."""
    canvas = Canvas(str(path), pagesize=(WIDTH, HEIGHT))
    edition = statute.edition
    y = _print_title(canvas, edition, setting)
    columns = _columns(setting)
    place, start = 0, y
    for kind, text in paragraphs(statute):
        lines = _break(text, kind, setting, columns[0][1] - columns[0][0])
        y -= 0.4 * setting.pitch if kind == "조" else 0
        for i, line in enumerate(lines):
            if y < setting.bottom:
                place, y = place + 1, start
                if place == len(columns):
                    canvas.showPage()
                    _print_running(canvas, edition, setting)
                    place, y, start = 0, setting.top, setting.top
            left, right = columns[place]
            x = left + setting.indents[kind][i > 0]
            _print_line(canvas, line, x, y, setting, kind if i == 0 else "", right if i < len(lines) - 1 else None)
            y -= setting.pitch
    canvas.save()
    return path


def _columns(setting: Setting) -> list[tuple[float, float]]:
    if not setting.gutter:
        return [(setting.left, setting.right)]
    middle = (setting.left + setting.right) / 2
    return [(setting.left, middle - setting.gutter / 2), (middle + setting.gutter / 2, setting.right)]


def _print_title(canvas: Canvas, edition: Edition, setting: Setting) -> float:
    _print_running(canvas, edition, setting)
    y = setting.top
    canvas.setFont(setting.bold, setting.title_size)
    for line in _wrap(edition.title, setting.bold, setting.title_size, 440):
        canvas.drawCentredString(WIDTH / 2, y, line)
        y -= 1.5 * setting.title_size
    canvas.setFont(setting.font, setting.size)
    for i, line in enumerate(setting.head(edition)):
        draw = canvas.drawCentredString if i == 0 else canvas.drawRightString
        draw(WIDTH / 2 if i == 0 else setting.right, y, line)
        y -= setting.pitch
    return y - setting.pitch


def _wrap(text: str, font: str, size: float, width: float) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}".strip()
        if pdfmetrics.stringWidth(joined, font, size) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines


def _print_running(canvas: Canvas, edition: Edition, setting: Setting) -> None:
    head, foot = setting.running(edition, canvas.getPageNumber())
    canvas.setFont(setting.font, 9)
    canvas.drawCentredString(WIDTH / 2, 805, head)
    canvas.drawCentredString(WIDTH / 2, 35, foot)


def _print_line(
    canvas: Canvas, line: str, x: float, y: float, setting: Setting, kind: str, justify_to: float | None
) -> None:
    text = canvas.beginText(x, y)
    spare = (justify_to - x - pdfmetrics.stringWidth(line, setting.font, setting.size)) if justify_to else 0
    spread = setting.justified and kind not in ("조", "편장", "부칙") and 0 < spare < 30
    text.setCharSpace(spare / (len(line) - 1) if spread and len(line) > 1 else 0)
    head = _head(kind, line)
    text.setFont(setting.bold, setting.size)
    text.textOut(line[:head])
    text.setFont(setting.font, setting.size)
    text.textOut(line[head:])
    canvas.drawText(text)


def _head(kind: str, line: str) -> int:
    """Return how many characters of a paragraph's first line are bold."""
    if kind != "조":
        return len(line) if kind in ("편장", "부칙") else 0
    match = re.match(r"제\d+조(?:의\d+)*(?:\((?:[^()]|\([^()]*\))*\))?", line)
    return match.end() if match else 0


def _break(text: str, kind: str, setting: Setting, width: float) -> list[str]:
    """Break a paragraph after any CJK character or space (or only at spaces), as late as it fits."""
    lines: list[str] = []
    while text:
        room = width - setting.indents[kind][bool(lines)]
        head = 0 if lines else _head(kind, text)
        fits, used, end = 0, 0.0, 0
        for end, char in enumerate(text, start=1):
            used += _width(char, setting.bold if end <= head else setting.font) * setting.size
            if used > room and char != " ":
                break
            if char in " -" or (not setting.by_word and "\u2e80" <= char < "\ufb00"):
                fits = end
        else:
            fits = len(text)
        fits = fits or max(1, end - 1)
        lines.append(text[:fits].rstrip())
        text = text[fits:].lstrip()
    return lines


@cache
def _width(char: str, font: str) -> float:
    return float(pdfmetrics.stringWidth(char, font, 1))


def scan(source: Path, path: Path, *, dpi: int = 200, askew: float = 0.0, noise: int = 12, pages: int = 99) -> Path:
    """Turn a PDF into one of grey pictures, as from a scanner: blurred, speckled, perhaps askew (degrees)."""
    document = pypdfium2.PdfDocument(source)
    canvas = Canvas(str(path))
    dice = random.Random(7)
    for index in range(min(len(document), pages)):
        width, height = document[index].get_size()
        picture = document[index].render(scale=dpi / 72, grayscale=True).to_pil()
        if askew:
            picture = picture.rotate(askew, resample=Image.Resampling.BICUBIC, fillcolor=255)
        picture = picture.filter(ImageFilter.GaussianBlur(0.5))
        if noise:
            grain = Image.frombytes("L", picture.size, dice.randbytes(picture.width * picture.height))
            picture = Image.blend(picture, grain, noise / 255)
        data = io.BytesIO()
        picture.save(data, "JPEG", quality=80)
        data.seek(0)
        canvas.setPageSize((width, height))
        canvas.drawImage(ImageReader(data), 0, 0, width, height)
        canvas.showPage()
    document.close()
    canvas.save()
    return path


def without_unicode_map(source: Path, path: Path, pages: Sequence[int] | None = None) -> Path:
    """Take from the fonts of a PDF, or of some of its pages, what says which characters their glyphs are."""
    writer = pypdf.PdfWriter(clone_from=source)
    for number, page in enumerate(writer.pages):
        if pages is None or number in pages:
            fonts = page["/Resources"]["/Font"]
            for font in fonts.values():
                font.get_object().pop("/ToUnicode", None)
    writer.write(path)
    return path
