"""Statutes of the book, printed and read again: one for each way in which the reader has once failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.sources.lines import DIVISION, TEXT, look_at
from ingest.sources.markdown import read_markdown
from ingest.sources.pdf import read_pdf
from ingest.sources.pdf_layout import lay_out
from ingest.sources.pdf_lines import Page, PrintedLine
from tests.ingest.pdf_print import FONTS_AT_HAND, GAZETTE, HWP, LAW, ORDINANCE, Setting, print_set, printable
from tests.ingest.test_pdf_layouts import shape

fonts = pytest.mark.skipif(not FONTS_AT_HAND, reason="Debian's fonts-nanum are not installed")


@fonts
@pytest.mark.parametrize(
    ("file", "setting"),
    [
        pytest.param("재판연구원규칙/대법원규칙.md", GAZETTE, id="left column alone, narrower than the head above"),
        pytest.param("국군재정관리단령/대통령령.md", GAZETTE, id="one line in the right column"),
        pytest.param("감사교육원직제/감사원규칙.md", GAZETTE, id="columns of short lines"),
        pytest.param("외교부와그소속기관직제/대통령령.md", ORDINANCE, id="words longer than a line"),
        pytest.param("문화유산의보존및활용에관한법률/법률.md", ORDINANCE, id="spaces that are gaps, ragged lines"),
        pytest.param("녹색건축물조성지원법/시행령.md", HWP, id="spaces that are gaps, justified lines"),
        pytest.param("마약류불법거래방지에관한특례법/법률.md", LAW, id="chapter whose title begins with 제3자"),
    ],
)
def test_statute_is_read_back(statute_book: Path, tmp_path: Path, file: str, setting: Setting) -> None:
    wanted = printable(read_markdown(statute_book / file))
    got = read_pdf(print_set(tmp_path / "법령.pdf", wanted, setting))
    assert shape(got) == shape(wanted)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("제5장 제3자 참가신청 등의 특례 <개정 2009.11.2>", DIVISION),
        ("제2장 제1절에 따른 심사를 받은 자", TEXT),
        ("제2장 제7조부터 제9조까지를 준용한다", TEXT),
    ],
)
def test_divisions_and_references_to_them(text: str, kind: str) -> None:
    assert look_at(text) == kind


def column(x0: float, texts: list[str]) -> list[PrintedLine]:
    """Lines below each other, every fourth as wide as the column."""
    return [
        PrintedLine(0, x0, x0 + (230 if i % 4 == 0 else 150), 700 - 14 * i, 10, "", 150, 10, 20, 3, text)
        for i, text in enumerate(texts)
    ]


@pytest.mark.parametrize(("first", "columns"), [(3, True), (1, False)], ids=["goes on", "old and new text compared"])
def test_short_lines_are_columns_where_articles_go_on(first: int, columns: bool) -> None:
    left = column(45, ["제1조(목적) 목적", *["1. 호"] * 5, "제2조(정의) 정의", *["1. 호"] * 5])
    right = column(310, [f"제{first}조(목적) 목적", *["1. 호"] * 5, f"제{first + 1}조(정의) 정의", *["1. 호"] * 5])
    page = Page(595, 842, tuple(left + right))
    assert [len(part.lines) for part in lay_out([page])] == ([12, 12] if columns else [12])
