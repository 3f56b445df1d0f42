"""Pages that are read from their picture: scans, fonts without a Unicode map, both beside pages with text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pypdf
import pytest

from ingest import pipeline
from ingest.pipeline import Progress, Result
from ingest.sources.markdown import read_markdown
from ingest.sources.pdf import read_pdf
from ingest.sources.pdf_lines import PrintedLine, read_pages
from ingest.sources.pdf_mend import mend, mend_text
from ingest.sources.pdf_ocr import CIRCLE, ocr_is_ready
from ingest.sources.pdf_quality import needs_ocr
from rag.embedding import StatuteEmbedder
from rag.errors import SourceError
from rag.settings import Settings
from rag.statutes import Statute
from rag.store import StatuteStore
from tests.ingest.pdf_print import FONTS_AT_HAND, LAW, print_set, printable, scan, without_unicode_map
from tests.ingest.test_pdf_layouts import laundry

fonts = pytest.mark.skipif(not FONTS_AT_HAND, reason="Debian's fonts-nanum are not installed")
ocr = pytest.mark.skipif(not ocr_is_ready(), reason="tesseract-ocr and tesseract-ocr-kor are not installed")


@pytest.fixture
def printed(tmp_path: Path) -> Path:
    """Three articles on one page."""
    return print_set(tmp_path / "빨래터.pdf", laundry(3), LAW)


def labels(statute: Statute) -> list[tuple[str, str, list[str]]]:
    return [
        (article.label, article.title, [line.label for p in article.paragraphs for line in p.lines])
        for article in statute.articles
    ]


@fonts
@ocr
def test_scan_is_recognised(printed: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    scanned = scan(printed, tmp_path / "스캔.pdf", askew=0.6)
    statute = read_pdf(scanned, on_page=lambda done, total: told.append((done, total)))
    assert labels(statute) == labels(laundry(3))
    assert (statute.edition.title, statute.edition.number) == ("빨래터의 이용에 관한 법률", "123")
    assert told == [(0, 1), (1, 1)]
    assert any(warning.startswith("1쪽은 광학 문자 인식(OCR)으로 읽었습니다.") for warning in statute.warnings)


@fonts
@ocr
def test_page_whose_fonts_say_nothing_is_recognised_and_no_other(printed: Path, tmp_path: Path) -> None:
    both = pypdf.PdfWriter()
    for file in (printed, without_unicode_map(printed, tmp_path / "깨진.pdf")):
        both.append(pypdf.PdfReader(file))
    both.write(tmp_path / "섞인.pdf")
    assert [needs_ocr(page) for page in read_pages(tmp_path / "섞인.pdf", 9)] == [False, True]
    statute = read_pdf(tmp_path / "섞인.pdf")
    assert any(warning.startswith("2쪽은 광학 문자 인식(OCR)") for warning in statute.warnings)
    first = read_pdf(printed)
    assert statute.articles[:3] == first.articles[:3]


@fonts
@ocr
def test_pipeline_tells_of_pages_and_warns(
    printed: Path, tmp_path: Path, store: StatuteStore, embedder: StatuteEmbedder
) -> None:
    told: list[Progress] = []
    scanned = scan(printed, tmp_path / "스캔.pdf")
    outcomes = pipeline.add([scanned], store, embedder, 256, told.append)
    pages = [(progress.done, progress.total) for progress in told if progress.stage == "문자 인식"]
    assert pages == [(0, 1), (1, 1)]  # and not once more when it is stored
    assert outcomes[0].result is Result.ADDED
    assert any("광학 문자 인식" in warning for warning in outcomes[0].warnings)


@fonts
@pytest.mark.parametrize(
    "damage", [lambda a, b: scan(a, b), lambda a, b: without_unicode_map(a, b)], ids=["scan", "no Unicode map"]
)
def test_without_tesseract_it_is_said_what_to_install(
    printed: Path, tmp_path: Path, damage: Callable[[Path, Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = damage(printed, tmp_path / "빨래터법.pdf")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match=r"빨래터법\.pdf: .*apt install tesseract-ocr tesseract-ocr-kor"):
        read_pdf(path)


@fonts
@ocr
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_ocr_pages": 1}, r"2쪽이라 너무 많습니다\(최대 1쪽\)"),
        ({"ocr_seconds": 0.01}, "초 안에 끝나지 않았습니다"),
    ],
)
def test_limits_of_recognition(printed: Path, tmp_path: Path, limits: dict[str, float], message: str) -> None:
    twice = pypdf.PdfWriter()
    for _ in range(2):
        twice.append(pypdf.PdfReader(scan(printed, tmp_path / "스캔.pdf", dpi=100)))
    twice.write(tmp_path / "두 쪽.pdf")
    with pytest.raises(SourceError, match=message):
        read_pdf(tmp_path / "두 쪽.pdf", Settings(_env_file=None, **limits))


def line(text: str, x0: float = 50) -> PrintedLine:
    return PrintedLine(0, x0, 500, 700, 10, "", 450, 10, 20, 3, text)


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("제l조(목적) 이 법은", "제1조(목적) 이 법은"),
        ("제1O조의2 (정의)", "제10조의2(정의)"),
        ("제 3 조에 따른", "제3조에 따른"),
        ("제2조제l항에 따른 오일(Oil)", "제2조제1항에 따른 오일(Oil)"),
        ("l. 세대주", "1. 세대주"),
        ("「 민법」 에 따른 「민법」』 제3조", "「민법」에 따른 「민법」 제3조"),
        ("이 법은 제조업을 한다", "이 법은 제조업을 한다"),
    ],
)
def test_numbers_are_mended(read: str, meant: str) -> None:
    assert mend_text(read) == meant


def test_circles_are_counted_within_an_article() -> None:
    lines = [
        line(f"제1조(목적) {CIRCLE} 이 법은"), line(f"{CIRCLE} 다음과"), line("제1항에 따라"), line("(8) 정한다"),
        line("66 개를 정한다", x0=80), line("제2조(정의) 0) 이 법에서"), line(f"{CIRCLE} 둘째"),
        line("부칙"), line(f"{CIRCLE} 이 법은"),
    ]  # fmt: skip
    assert [mended.text for mended in mend(lines)] == [
        "제1조(목적) ① 이 법은", "② 다음과", "제1항에 따라", "③ 정한다",
        "66 개를 정한다", "제2조(정의) ① 이 법에서", "② 둘째",
        "부칙", "① 이 법은",
    ]  # fmt: skip


def test_circles_are_told_by_what_no_statute_says_where_no_ring_is_seen() -> None:
    lines = [
        line("제4조(시책의 기본방향) 0) 국가는 다음 각 호의"), line("2 이상의 시책을 세운다."),
        line("@@ 국가는 조직을 확보하여야 한다."), line("(6 국가는 정한다."), line("62 국가는 정한다."),
    ]  # fmt: skip
    assert [mended.text for mended in mend(lines)] == [
        "제4조(시책의 기본방향) ① 국가는 다음 각 호의", "2 이상의 시책을 세운다.",
        "② 국가는 조직을 확보하여야 한다.", "③ 국가는 정한다.", "④ 국가는 정한다.",
    ]  # fmt: skip


@fonts
@ocr
def test_scanned_statute_keeps_its_paragraphs(statute_book: Path, tmp_path: Path) -> None:
    """Where Tesseract read every ② as @ or @@ and none was seen as a ring."""
    wanted = printable(read_markdown(statute_book / "정보통신공사업법/시행령.md"))
    scanned = scan(print_set(tmp_path / "영.pdf", wanted, LAW), tmp_path / "스캔.pdf", askew=0.4, pages=1)
    assert labels(read_pdf(scanned))[:3] == labels(wanted)[:3]
