"""Statutes of the book, printed and read again: one for each way in which the reader has once failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.sources.lines import DIVISION, TEXT, look_at
from ingest.sources.markdown import read_markdown
from ingest.sources.pdf import read_pdf
from tests.ingest.pdf_print import FONTS_AT_HAND, HWP, LAW, ORDINANCE, Setting, print_set, printable
from tests.ingest.test_pdf_layouts import shape

fonts = pytest.mark.skipif(not FONTS_AT_HAND, reason="Debian's fonts-nanum are not installed")


@fonts
@pytest.mark.parametrize(
    ("file", "setting"),
    [
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
