"""Reading PDFs: real ones of law.go.kr where they are at hand, and small ones set in its layout."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pypdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ingest.sources import pdf_lines
from ingest.sources.files import read_file, read_untitled
from ingest.sources.lines import label_key
from ingest.sources.markdown import read_markdown
from ingest.sources.pdf import read_pdf
from ingest.sources.pdf_layout import lay_out
from ingest.sources.pdf_quality import is_garbled
from rag.errors import SourceError
from rag.settings import Settings
from rag.statutes import Article, Statute, normalize_title, strip_marks
from tests.ingest.pdf_samples import COLUMNS, FONT, LAW_GO_KR, TITLE, Paragraphs, Style, break_lines, print_statute

PLAIN = Style(bold=False, justified=False)
STYLES = [LAW_GO_KR, Style(bold=False), PLAIN, Style(bold=False, justified=False, by_word=True), Style(running=False)]

# Articles as counted in the prints: those of 근로기준법, 부동산등기법 and 주민등록법 give 5, 11 and 4 articles twice,
# in the text of today and in one that comes into force later.
REAL = {
    "개인정보 보호법 시행령": ("대통령령", "33723", date(2023, 9, 12), date(2024, 9, 15), "개인정보보호위원회", 120),
    "개인정보 보호법": ("법률", "19234", date(2023, 3, 14), date(2024, 3, 15), "개인정보보호위원회", 126),
    "근로기준법": ("법률", "20520", date(2024, 10, 22), date(2024, 10, 22), "고용노동부", 137),
    "데이터기반행정 활성화에 관한 법률 시행규칙": (
        "행정안전부령", "435", date(2023, 11, 7), date(2023, 11, 17), "행정안전부", 3,
    ),
    "데이터기반행정 활성화에 관한 법률 시행령": (
        "대통령령", "33843", date(2023, 11, 7), date(2023, 11, 17), "행정안전부", 23,
    ),
    "데이터기반행정 활성화에 관한 법률": ("법률", "19408", date(2023, 5, 16), date(2023, 11, 17), "행정안전부", 25),
    "부동산등기법": ("법률", "16912", date(2020, 2, 4), date(2020, 8, 5), "법무부", 132),
    "소액사건심판법": ("법률", "19281", date(2023, 3, 28), date(2023, 3, 28), "법무부", 25),
    "주민등록법": ("법률", "19841", date(2023, 12, 26), date(2024, 6, 27), "행정안전부", 61),
    "주택임대차보호법": ("법률", "19356", date(2023, 4, 18), date(2023, 7, 19), "법무부 국토교통부", 42),
    "형법": ("법률", "19582", date(2023, 8, 8), date(2024, 2, 9), "법무부", 398),
}  # fmt: skip


@lru_cache
def read_real(path: Path) -> Statute:
    return read_pdf(path)


def squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


def shape(article: Article) -> list[tuple[int, str, str]]:
    return [(line.depth, line.label, squeeze(line.text)) for p in article.paragraphs for line in p.lines]


def test_real_editions(real_pdfs: list[Path]) -> None:
    for path in real_pdfs:
        statute = read_real(path)
        edition = statute.edition
        title = unicodedata.normalize("NFC", path.name).split("(")[0]
        kind, number, promulgated, effective, ministries, count = REAL[title]
        assert edition.title == title
        assert (edition.kind, edition.number) == (kind, number)
        assert (edition.promulgated, edition.effective) == (promulgated, effective)
        assert " ".join(edition.ministries) == ministries
        assert (edition.source, edition.repealed) == (path.name, False)
        assert len(statute.articles) == count
        assert len(statute.addenda) == 1
        assert all("번 나와" in warning for warning in statute.warnings)


def test_real_abbreviations(real_pdfs: list[Path]) -> None:
    found = {read_real(path).edition.title: read_real(path).edition.abbreviation for path in real_pdfs}
    assert {title: short for title, short in found.items() if short} == {
        "주택임대차보호법": "주택임대차법",
        "데이터기반행정 활성화에 관한 법률": "데이터기반행정법",
        "데이터기반행정 활성화에 관한 법률 시행령": "데이터기반행정법 시행령",
        "데이터기반행정 활성화에 관한 법률 시행규칙": "데이터기반행정법 시행규칙",
    }


def test_real_text_is_kept_whole(real_pdfs: list[Path]) -> None:
    """Every character between the ministries and the end is in the statute, in order, but heads and feet."""
    for path in real_pdfs:
        statute = read_real(path)
        printed = [line.text for page in lay_out(pdf_lines.read_pages(path, 100)) for line in page.lines]
        start = next(i for i, text in enumerate(printed) if re.match(r"제1조\(|제1[편장] ", text))
        assert squeeze("".join(printed[start:])) == squeeze(_whole(statute))


def _whole(statute: Statute) -> str:
    parts: list[str] = []
    above: tuple[str, ...] = ()
    for article in statute.articles:
        parts += [division for division in article.divisions if division not in above]
        above = article.divisions
        parts += [re.sub(r" \[\d\]", "", article.label), f"({article.title})" if article.title else "", article.text]
    for addendum in statute.addenda:
        parts += [addendum.heading, addendum.text]
    return "".join(parts)


def test_real_articles_are_in_order_and_not_cross_references(real_pdfs: list[Path]) -> None:
    for path in real_pdfs:
        for article in read_real(path).articles:
            assert article.title or article.deleted, (path.name, article.label)
            assert "국가법령정보센터" not in article.text
            assert not re.search(r"(?m)^\s*부칙 <", article.text)
            assert not re.match(r"(에|를|을|의|및|부터) ", article.text), (path.name, article.label)


def test_real_text_is_that_of_the_statute_book(real_pdfs: list[Path], statute_book: Path) -> None:
    """Statutes of one version agree article by article; where the wording agrees, so do nearly all spaces."""
    comparable = spaced_alike = 0
    for path in real_pdfs:
        statute = read_real(path)
        published = _newest(statute_book, statute)
        for article in statute.articles:
            other = published.get(article.label)
            if other is None or squeeze(_plain(article)) != squeeze(_plain(other)):
                assert "데이터기반행정" not in statute.edition.title, (path.name, article.label)
                continue
            comparable += 1
            assert _labels(article) == _labels(other), (path.name, article.label)
            spaced_alike += _plain(article) == _plain(other)
    assert comparable > 950
    assert spaced_alike / comparable > 0.98


def _newest(book: Path, statute: Statute) -> dict[str, Article]:
    title = statute.edition.title
    folder = book / normalize_title(re.sub(r" 시행(령|규칙)$", "", title))
    versions = [read_markdown(file) for file in folder.glob("*.md")]
    alike = [version for version in versions if version.edition.key == statute.edition.key]
    return {article.label: article for article in max(alike, key=lambda s: s.edition.version).articles}


def _plain(article: Article) -> str:
    text = strip_marks(article.text).translate(str.maketrans("“”‘’", "\"\"''"))
    text = re.sub(r"(?m)^\[시행일.*$", "", re.sub(r"([①-⑳])\s*", r"\1 ", text))
    return re.sub(r"\s+", " ", text).strip()


def _labels(article: Article) -> list[tuple[int, str]]:
    return [(line.depth, line.label) for p in article.paragraphs for line in p.lines if line.label]


SAMPLE: Paragraphs = (
    ("편장", "제1장 총칙"),
    ("조", "제1조(목적) 이 법은 마을 빨래터의 이용 질서를 정함을 목적으로 한다."),
    ("글", "[전문개정 2008. 3. 21.]"),
    ("조", "제2조(정의) ① 이 법에서 사용하는 용어의 뜻은 다음 각 호와 같다. <개정 2013. 8. 13.>"),
    ("호", "1. “빨래터”란 물가에 둔 빨래하는 곳을 말한다."),
    ("호", "1의2. 다음 각 목의 어느 하나에 해당하는 사람"),
    ("목", "가. 세대주"),
    ("목", "나. 세대주의 배우자"),
    ("호", "2. 그 밖에 대통령령으로 정하는 것"),
    ("항", "② 이용료는 비용의 2/3를 넘지 못한다."),
    ("글", "[제목개정 2020. 1. 1.]"),
    ("편장", "제2장 벌칙"),
    ("조", "제3조 삭제 <2020. 8. 4.>"),
    ("조", "제3조의2 ① 제목이 없는 조문은 번호로 시작한다."),
    ("부칙", "부칙 <제100호,2008. 3. 21.>"),
    ("부칙조", "제1조(시행일) 이 법은 공포한 날부터 시행한다."),
    ("부칙", "부칙 <제123호,2023. 12. 31.>"),
    ("글", "이 법은 공포한 날부터 시행한다."),
    ("글", "[별표 1] <개정 2023. 12. 31.>"),
    ("글", "과태료의 부과기준(제3조의2 관련)"),
    ("글", "제1조(일반기준) 다음과 같다."),
)


@pytest.mark.parametrize("style", STYLES)
def test_structure(tmp_path: Path, style: Style) -> None:
    statute = read_pdf(print_statute(tmp_path / "빨래터법.pdf", SAMPLE, abbreviation="빨래터법", style=style))
    edition = statute.edition
    assert (edition.title, edition.abbreviation, edition.ministries) == (TITLE, "빨래터법", ("법무부",))
    assert (edition.kind, edition.number) == ("법률", "123")
    assert (edition.promulgated, edition.effective) == (date(2023, 12, 31), date(2024, 1, 1))
    assert statute.warnings == ()
    assert [a.heading for a in statute.articles] == ["제1조(목적)", "제2조(정의)", "제3조", "제3조의2"]
    assert [a.divisions for a in statute.articles] == [("제1장 총칙",)] * 2 + [("제2장 벌칙",)] * 2
    assert statute.articles[0].text.splitlines() == [SAMPLE[1][1][8:], "[전문개정 2008. 3. 21.]"]
    assert statute.articles[1].text.splitlines() == [
        "① 이 법에서 사용하는 용어의 뜻은 다음 각 호와 같다. <개정 2013. 8. 13.>",
        "  1. “빨래터”란 물가에 둔 빨래하는 곳을 말한다.",
        "  1의2. 다음 각 목의 어느 하나에 해당하는 사람",
        "    가. 세대주",
        "    나. 세대주의 배우자",
        "  2. 그 밖에 대통령령으로 정하는 것",
        "② 이용료는 비용의 2/3를 넘지 못한다.",
        "[제목개정 2020. 1. 1.]",
    ]
    assert statute.articles[2].deleted
    assert [a.heading for a in statute.addenda] == [
        "부칙 <제100호,2008. 3. 21.>",
        "부칙 <제123호,2023. 12. 31.>",
    ]
    assert [(a.label, a.title) for a in statute.annexes] == [("별표 1", "<개정 2023. 12. 31.>")]
    assert statute.annexes[0].text.splitlines()[1] == "제1조(일반기준) 다음과 같다."


def at_line_start(kind: str, text: str, wanted: str, style: Style = LAW_GO_KR) -> str:
    """Return the text with as much in place of ~ as puts `wanted` first on a printed line."""
    for n in range(1, 150):
        padded = text.replace("~", "물" * n)
        if any(line.startswith(wanted) for line in break_lines(padded, kind, style)[1:]):
            return padded
    raise AssertionError(f"nothing puts {wanted!r} at a line's start")


CROSS_REFERENCES = [
    "제6조의2에 따라 신고한 사람을 말한다.",
    "제84조에 따른 보상금을 1년에 걸쳐 지급한다.",
    "제91조, 제93조, 제98조제2항 및 제99조를 위반한 자를 벌한다.",
    "제5조(제3항은 제외한다)에 따른 신고를 하여야 한다.",
    "제297조의2 및 제298조의 예에 의한다.",
    "제2조 또는 제3조를 준용한다.",
    "제3조(벌칙)를 적용한다.",
]


@pytest.mark.parametrize("style", [LAW_GO_KR, Style(bold=False), PLAIN])
@pytest.mark.parametrize("reference", CROSS_REFERENCES)
@pytest.mark.parametrize(("kind", "start"), [("조", "제2조(이용)"), ("항", "②"), ("호", "1.")])
def test_cross_reference_at_line_start_is_no_article(
    tmp_path: Path, kind: str, start: str, reference: str, style: Style
) -> None:
    text = at_line_start(kind, f"{start} ~ 사람은 {reference}", reference[:6], style)
    before = [] if kind == "조" else [("조", "제2조(이용) ① 다음과 같다.")]
    paragraphs = [("조", "제1조(목적) 목적이다."), *before, (kind, text), ("조", "제3조(벌칙) 벌칙이다.")]
    statute = read_pdf(print_statute(tmp_path / "참조.pdf", paragraphs, style=style))
    assert [a.label for a in statute.articles] == ["제1조", "제2조", "제3조"]
    assert squeeze(text).removeprefix("제2조(이용)") in squeeze(statute.articles[1].text)
    assert len(statute.articles[1].text.splitlines()) == (1 if kind == "조" else 2)


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        ("항", "② ~ 이 법을 적용한다. <신설 2013. 8. 13., 2015. 1. 6., 2016. 5. 29.>", "1. 6."),
        ("항", "② ~ 이 법을 적용한다. <신설 2013. 8. 13., 2016. 5. 29.>", "29.>"),
        ("조", "제2조(이용) ~ 이 법(2011. 4. 1. 개정된 것을 말한다)을 적용한다.", "1. 개정"),
        ("항", "② ~ 경우에는 이를 준용하여야 한다. 다만, 그러하지 아니하다.", "다. 다만"),
        ("항", "② ~ 비율은 2/3 이상으로 한다.", "2/3"),
        ("항", "② ~ 제2조제1호가. 목에 따라 정한다.", "가. 목"),
        ("항", "② ~ 사람은 그 이용의 전부(全部) 또는 일부를 제1장 및 제2장의 규정에 따른다.", "제2장"),
    ],
)
def test_continuation_is_no_label(tmp_path: Path, kind: str, text: str, wanted: str) -> None:
    text = at_line_start(kind, text, wanted)
    first = [] if kind == "조" else [("조", "제2조(이용) ① 다음과 같다.")]
    statute = read_pdf(
        print_statute(tmp_path / "이음.pdf", [*first, (kind, text), ("호", "1. 첫째"), ("호", "2. 둘째")])
    )
    assert [a.label for a in statute.articles] == ["제2조"]
    lines = statute.articles[0].text.splitlines()
    assert squeeze(lines[-3]) == squeeze(text).removeprefix("제2조(이용)")
    assert lines[-2:] == ["  1. 첫째", "  2. 둘째"]


def test_end_of_a_sentence_is_no_item(tmp_path: Path) -> None:
    text = at_line_start("목", "나. ~ 사람은 주변을 정리하여야 한다. 다만, 그러하지 아니하다.", "다. 다만")
    paragraphs = [
        ("조", "제1조(이용) 다음과 같다."),
        ("호", "1. 다음"),
        ("목", "가. 세대주"),
        ("목", text),
        ("목", "다. 밖"),
    ]
    article = read_pdf(print_statute(tmp_path / "문장끝.pdf", paragraphs)).articles[0]
    assert [line.label for p in article.paragraphs for line in p.lines] == ["", "1.", "가.", "나.", "다."]


def test_article_goes_on_across_pages(tmp_path: Path) -> None:
    long = "비율의 2/3 이상을 내야 하며 그 밖의 사항은 1/1 의 방식에 따라 정한다. " * 90
    paragraphs = [("조", f"제1조(목적) {long.strip()}"), ("항", f"② {long.strip()}"), ("조", "제2조(벌칙) 벌칙이다.")]
    path = print_statute(tmp_path / "여러 쪽.pdf", paragraphs)
    assert len(pypdf.PdfReader(path).pages) > 2
    statute = read_pdf(path)
    assert [a.label for a in statute.articles] == ["제1조", "제2조"]
    assert squeeze(statute.articles[0].text) == squeeze(long + "② " + long)
    assert statute.articles[0].text.splitlines()[0] == long.strip()


def test_only_running_lines_are_dropped(tmp_path: Path) -> None:
    """A body line that equals the title, or an amendment mark last on several pages, is text."""
    filler = [("글", TITLE), ("글", "<개정 2015. 11. 20.>")] * 60
    statute = read_pdf(print_statute(tmp_path / "제목.pdf", [("조", "제1조(목적) 목적이다."), *filler]))
    assert statute.articles[0].text.count(TITLE) == 60
    assert statute.articles[0].text.count("<개정 2015. 11. 20.>") == 60


def test_preamble_and_untitled_articles(tmp_path: Path) -> None:
    paragraphs = [
        ("글", "전문"),
        ("글", "유구한 역사와 전통에 빛나는 우리 대한국민은 헌법을 국민투표에 의하여 개정한다."),
        ("편장", "제1장 총강"),
        ("조", "제1조 ①대한민국은 민주공화국이다."),
        ("항", "②대한민국의 주권은 국민에게 있다."),
        ("조", "제2조 이 조문에는 항도 제목도 없다."),
    ]
    for style in (LAW_GO_KR, Style(bold=False)):
        edition = ("[시행 1988. 2. 25.] [헌법 제10호, 1987. 10. 29., 전부개정]",)
        statute = read_pdf(
            print_statute(tmp_path / "헌법.pdf", paragraphs, title="대한민국헌법", edition=edition, style=style)
        )
        assert [a.label for a in statute.articles] == ["전문", "제1조", "제2조"]
        assert statute.articles[0].text.startswith("유구한")
        assert [p.number for p in statute.articles[1].paragraphs] == [1, 2]
        assert (statute.edition.kind, statute.edition.number) == ("헌법", "10")


@pytest.mark.parametrize(
    ("lines", "kind", "number", "effective", "repealed"),
    [
        (("[시행 2024. 1. 1.] [법률 제1호, 2020. 1. 1., 제정]",), "법률", "1", date(2024, 1, 1), False),
        (("[시행 2024.1.1.] [교육부령 제00435호, 2020.1.1, 타법개정]",), "교육부령", "435", date(2024, 1, 1), False),
        (("[시행 2024. 1. 1.] [법률 제1호,", "2020. 1. 1., 전부개정]"), "법률", "1", date(2024, 1, 1), False),
        (("[시행 2024. 1. 1.]", "[대법원규칙 제30호, 2020. 1. 1., 제정]"), "대법원규칙", "30", date(2024, 1, 1), False),
        (("[시행 2024. 1. 1.] [대통령령 제7호, 2020. 1. 1., 폐지]",), "대통령령", "7", date(2024, 1, 1), True),
        (("[일부개정 2020. 1. 1. 법률 제8723호]",), "법률", "8723", None, False),
    ],
)  # fmt: skip
def test_editions(
    tmp_path: Path, lines: Sequence[str], kind: str, number: str, effective: date | None, repealed: bool
) -> None:
    edition = read_pdf(print_statute(tmp_path / "판.pdf", SAMPLE, edition=lines)).edition
    assert (edition.title, edition.kind, edition.number) == (TITLE, kind, number)
    assert (edition.promulgated, edition.effective) == (date(2020, 1, 1), effective)
    assert edition.repealed is repealed


def test_ministries(tmp_path: Path) -> None:
    lines = (
        "고용노동부 (근로기준정책과 - 해고, 취업규칙, 기타) 044-202-7534",
        "고용노동부 (여성고용정책과 - 여성) 044-202-7475",
        "국토교통부(주택임대차기획팀(가칭)) 044-201-3348, 4178",
    )
    statute = read_pdf(print_statute(tmp_path / "부처.pdf", SAMPLE, ministries=lines))
    assert statute.edition.ministries == ("고용노동부", "국토교통부")
    assert statute.articles[0].label == "제1조"


def test_file_name_gives_what_the_page_does_not(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "마을 빨래터법(법률)(제00123호)(20240101).pdf")
    statute = read_pdf(print_statute(tmp_path / name, SAMPLE, title="", edition=(), ministries=()))
    edition = statute.edition
    assert (edition.title, edition.kind, edition.number) == ("마을 빨래터법", "법률", "123")
    assert (edition.effective, edition.promulgated) == (date(2024, 1, 1), None)
    assert any("파일 이름" in warning for warning in statute.warnings)
    assert [a.label for a in statute.articles] == ["제1조", "제2조", "제3조", "제3조의2"]


def test_no_title_anywhere(tmp_path: Path) -> None:
    path = print_statute(tmp_path / "무제.pdf", SAMPLE, title="", edition=(), ministries=())
    with pytest.raises(SourceError, match=r"무제\.pdf: 법령 제목을 찾지 못했습니다.*\(제19409호\)"):
        read_file(path)
    assert read_untitled(path).edition.title == ""


def _encrypted(path: Path) -> None:
    writer = pypdf.PdfWriter(clone_from=print_statute(path, SAMPLE))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(path)


def _truncated(path: Path) -> None:
    path.write_bytes(print_statute(path, SAMPLE).read_bytes()[:3000])


def _image(path: Path) -> None:
    from PIL import Image

    canvas = Canvas(str(path))
    canvas.drawImage(ImageReader(Image.new("L", (60, 80), 200)), 0, 0)
    canvas.save()


def _text(path: Path, text: str) -> None:
    canvas = Canvas(str(path))
    canvas.setFont(FONT, 10)
    for i in range(10):
        canvas.drawString(50, 700 - 16 * i, text)
    canvas.save()


def _corrupt(path: Path) -> None:
    path.write_bytes(b"%PDF-1.4\n" + bytes(range(256)) * 20 + b"\n%%EOF\n")


BAD = {
    "빈 파일": lambda path: path.write_bytes(b""),
    "PDF가 아닙니다": lambda path: path.write_text("제1조(목적) 이 법은", "utf-8"),
    "손상": _corrupt,
    "잘렸습니다": _truncated,
    "암호": _encrypted,
    "글자가 없는 PDF": _image,
    "조문": lambda path: _text(path, "오늘은 빨래터의 비용에 관하여 한 바퀴 돌며 이야기하는 법을 적는다."),
    "깨져": lambda path: _text(path, "뀁튐쀍뷁궯쾗떫쨟뵭쵔횻뮵쪪퉷"),
}


@pytest.mark.parametrize("reason", BAD)
def test_bad_input_is_explained(tmp_path: Path, reason: str) -> None:
    path = tmp_path / "나쁜법(법률)(제1호)(20240101).pdf"
    BAD[reason](path)
    with pytest.raises(SourceError) as error:
        read_pdf(path, Settings(_env_file=None, max_ocr_pages=0))
    message = str(error.value)
    assert message.startswith(path.name)
    assert reason in message
    assert message.endswith("주십시오.")


@pytest.mark.parametrize(
    "text", ["\ue001\ue002\ue003 " * 30, "(cid:12)(cid:34) 법 제1조 " * 5, "\ufffd제1조 목적 " * 20]
)
def test_text_without_meaning_is_told(text: str) -> None:
    assert is_garbled([text])


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = print_statute(tmp_path / "긴 법.pdf", [("조", "제1조(목적) " + "목적이다. " * 900)])
    with pytest.raises(SourceError, match="쪽이라 너무 깁니다"):
        read_pdf(path, Settings(_env_file=None, max_pdf_pages=1))
    monkeypatch.setattr(pdf_lines, "MAX_BYTES", 100)
    with pytest.raises(SourceError, match="너무 큽니다"):
        read_pdf(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "없는 법.pdf", tmp_path):
        with pytest.raises(SourceError, match="열 수 없습니다"):
            read_pdf(path)


def test_threads_read_at_once(tmp_path: Path) -> None:
    paths = [print_statute(tmp_path / f"{i}.pdf", SAMPLE) for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        statutes = list(pool.map(read_pdf, paths))
    assert len({tuple(a.text for a in statute.articles) for statute in statutes}) == 1


def test_label_keys_are_ordered() -> None:
    assert [label_key(label) for label in ("1.", "1의2.", "2.", "가.", "하.", "거.", "②", "3)", "다)")] == [
        (1,), (1, 2), (2,), (1,), (14,), (15,), (2,), (3,), (3,),
    ]  # fmt: skip


WORDS = [
    *"이 법에서 정하는 바에 따라 사람은 물가의 이용을 관리하고 비용과 질서를 정하여 경우 2/3 이상 10만원".split(),
    *"등기(登記)를 하여야 한다. 다만, 시ㆍ도지사는 ABC-12 다음 각 호의 가목 이하 둘 또는".split(),
    *["제6조의2에 따른", "제84조에 따라", "제5조(제3항은 제외한다)에 따른", "제91조, 제93조를 위반한 자는"],
    *[
        "「민법」 제750조제1항",
        "“빨래터”라 한다.",
        "<개정 2013. 8. 13., 2015. 1. 6.>",
        "제1장 및 제2장의",
        "둘(또는 셋을 포함한다)의",
    ],
]
SENTENCE = st.lists(st.sampled_from(WORDS), max_size=60).map(lambda words: " ".join(["마을의", *words, "끝이다."]))


@st.composite
def statutes(draw: st.DrawFn) -> tuple[Paragraphs, list[tuple[str, str, list[tuple[int, str, str]]]]]:
    """Draw the paragraphs of a statute, and the articles that they are."""
    paragraphs: list[tuple[str, str]] = []
    articles = []
    for number in range(1, draw(st.integers(1, 5)) + 1):
        label = f"제{number}조" + draw(st.sampled_from(["", "의2"]))
        title = draw(st.sampled_from(["목적", "정의 등", "「민법」(民法)의 적용"]))
        lines: list[tuple[int, str, str]] = []
        items = [("항", 0, circled) for circled in "①②③"[: draw(st.integers(0, 3))]]
        first = draw(SENTENCE)
        if items:
            lines.append((0, "①", first))
        else:
            lines.append((0, "", first))
        paragraphs.append(("조", " ".join(filter(None, [f"{label}({title})", lines[0][1], first]))))
        for kind, depth, mark in [*items[1:], *_subdivisions(draw)]:
            text = draw(SENTENCE)
            lines.append((depth, mark, text))
            paragraphs.append((kind, f"{mark} {text}"))
        articles.append((label, squeeze(title), [(depth, mark, squeeze(text)) for depth, mark, text in lines]))
    return paragraphs, articles


def _subdivisions(draw: st.DrawFn) -> list[tuple[str, int, str]]:
    found = []
    for n in range(1, draw(st.integers(0, 3)) + 1):
        found.append(("호", 1, f"{n}."))
        found += [("목", 2, f"{letter}.") for letter in "가나다라"[: draw(st.integers(0, 4))]]
    return found


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(statutes(), st.sampled_from([LAW_GO_KR, Style(bottom=600), Style(bold=False), PLAIN]))
def test_any_statute_is_read_back(
    drawn: tuple[Paragraphs, list[tuple[str, str, list[tuple[int, str, str]]]]], style: Style
) -> None:
    paragraphs, articles = drawn
    assert {kind for kind, _ in paragraphs} <= COLUMNS.keys()
    with TemporaryDirectory() as folder:
        statute = read_pdf(print_statute(Path(folder) / "지은 법.pdf", paragraphs, style=style))
    assert [(a.label, squeeze(a.title), shape(a)) for a in statute.articles] == articles
