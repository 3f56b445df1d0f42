"""Statutes in the layouts of gazettes, ordinances and word processors; tables; what a PDF may carry beside text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pypdf
import pytest
from pypdf.generic import DictionaryObject, NameObject, TextStringObject
from reportlab.lib import colors
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Table, TableStyle

from ingest.sources.pdf import read_pdf
from rag.statutes import Article, Edition, Line, Paragraph, Statute
from tests.ingest.pdf_print import FONTS_AT_HAND, GAZETTE, LAW, SETTINGS, Setting, print_set
from tests.ingest.pdf_samples import MARGIN, print_statute

pytestmark = pytest.mark.skipif(not FONTS_AT_HAND, reason="Debian's fonts-nanum are not installed")

LONG = (
    "마을 빨래터를 이용하려는 사람은 제6조의2에 따라 신고하여야 하며, 비용의 2/3 이상을 미리 내야 한다. 다만, "
    "제2조(정의)에 따른 세대주가 이용하는 경우에는 그러하지 아니하다. <개정 2013. 8. 13., 2015. 1. 6.>"
)


def laundry(articles: int = 9) -> Statute:
    """A statute whose articles run over columns and pages."""
    made = [
        Article(
            "제1조", "목적", (Paragraph(None, (Line(0, "", "이 법은 빨래터의 이용 질서를 정한다."),)),), ("제1장 총칙",)
        )
    ]
    for number in range(2, articles + 1):
        lines = (
            Line(0, "①", LONG),
            Line(1, "1.", f"제{number}조의2에 따른 세대주 및 그 배우자로서 빨래터에서 10킬로미터 안에 사는 사람"),
            Line(1, "2.", "다음 각 목의 사람"),
            Line(2, "가.", "신생아가 있는 세대의 세대주"),
            Line(2, "나.", LONG),
        )
        paragraphs = (Paragraph(1, lines), Paragraph(2, (Line(0, "②", LONG), Line(0, "", "[전문개정 2008. 3. 21.]"))))
        division = "제1장 총칙" if number < 5 else "제2장 이용"
        made.append(Article(f"제{number}조", "이용의 신고 등", paragraphs, (division,)))
    edition = Edition("빨래터의 이용에 관한 법률", "법률", "", "123", date(2023, 12, 31), date(2024, 1, 1))
    return Statute(edition, tuple(made))


def shape(statute: Statute) -> list[tuple[str, str, tuple[str, ...], list[tuple[int, str, str]]]]:
    return [
        (
            article.label,
            article.title,
            article.divisions,
            [(line.depth, line.label, re.sub(r"\s", "", line.text)) for p in article.paragraphs for line in p.lines],
        )
        for article in statute.articles
    ]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_layouts(tmp_path: Path, setting: Setting) -> None:
    path = print_set(tmp_path / "빨래터.pdf", laundry(), setting)
    assert len(pypdf.PdfReader(path).pages) > 1
    statute = read_pdf(path)
    assert shape(statute) == shape(laundry())
    assert (statute.edition.title, statute.edition.number) == (laundry().edition.title, "123")
    assert statute.edition.kind == ("서울특별시조례" if setting.name == "local ordinance" else "법률")
    assert statute.edition.ministries == (("서울특별시",) if setting.name == "local ordinance" else ("법무부",))
    assert statute.warnings == ()


@pytest.mark.parametrize("articles", range(3, 9))
def test_columns_end_anywhere(tmp_path: Path, articles: int) -> None:
    statute = read_pdf(print_set(tmp_path / "관보.pdf", laundry(articles), replace(GAZETTE, bottom=300)))
    assert shape(statute) == shape(laundry(articles))


def test_table_of_an_annex_is_read_by_rows(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "별표.pdf"), pagesize=(595, 842))
    canvas.setFont("NanumGothicBold", 12)
    canvas.drawCentredString(297, 780, "빨래터의 이용에 관한 법률")
    canvas.setFont("NanumGothic", 10)
    canvas.drawCentredString(297, 760, "[시행 2024. 1. 1.] [법률 제123호, 2023. 12. 31., 일부개정]")
    canvas.drawString(40, 720, "제1조(과태료) 과태료의 부과기준은 별표 1과 같다.")
    canvas.drawString(40, 690, "[별표 1]")
    canvas.drawString(40, 670, "과태료의 부과기준(제1조 관련)")
    cells = [
        ["위반행위", "근거 법조문", "과태료"],
        ["가. 신고를 하지 않고\n빨래터를 이용한 경우", "법 제27조\n제1항", "50만원"],
        ["나. 이용 시간을\n지키지 않은 경우", "법 제27조제2항", "비용의 2/3"],
    ]
    table = Table(cells, colWidths=[200, 150, 100])
    table.setStyle(
        TableStyle([("FONT", (0, 0), (-1, -1), "NanumGothic", 10), ("GRID", (0, 0), (-1, -1), 1, colors.black)])
    )
    table.wrapOn(canvas, 500, 500)
    table.drawOn(canvas, 40, 560)
    canvas.drawString(40, 530, "비고: 2회 이상이면 두 배로 한다.")
    canvas.save()
    statute = read_pdf(tmp_path / "별표.pdf")
    assert [article.label for article in statute.articles] == ["제1조"]
    (annex,) = statute.annexes
    assert (annex.label, annex.title) == ("별표 1", "과태료의 부과기준(제1조 관련)")
    assert annex.text.splitlines() == [
        "위반행위 | 근거 법조문 | 과태료",
        "가. 신고를 하지 않고 빨래터를 이용한 경우 | 법 제27조 제1항 | 50만원",
        "나. 이용 시간을 지키지 않은 경우 | 법 제27조제2항 | 비용의 2/3",
        "비고: 2회 이상이면 두 배로 한다.",
    ]


def test_script_and_attachment_are_left_alone(tmp_path: Path) -> None:
    plain = print_set(tmp_path / "빨래터.pdf", laundry(3), LAW)
    writer = pypdf.PdfWriter(clone_from=plain)
    script = "app.alert('빨래'); this.exportDataObject({cName: 'x.exe', nLaunch: 2});"
    action = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject(script)}
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(action)
    writer.add_attachment("../../x.exe", b"MZ" + bytes(1000))
    writer.write(tmp_path / "실린 것.pdf")
    assert read_pdf(tmp_path / "실린 것.pdf").articles == read_pdf(plain).articles
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["빨래터.pdf", "실린 것.pdf"]


def test_wide_gaps_within_a_line_are_spaces(tmp_path: Path) -> None:
    path = print_statute(
        tmp_path / "법.pdf", [("조", "제1조(목적) 목적은 다음과 같다."), ("글", "앞" + " " * 20 + "뒤")]
    )
    assert MARGIN > 500
    assert read_pdf(path).articles[0].text.splitlines()[1] == "앞 뒤"
