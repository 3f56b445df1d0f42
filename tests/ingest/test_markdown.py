from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.files import read_file
from ingest.sources.markdown import parse_markdown, read_markdown
from rag.errors import SourceError
from rag.settings import ROOT
from tests.samples import mini


def test_front_matter_and_structure_are_read(tmp_path: Path) -> None:
    statute = read_markdown(mini(tmp_path))
    edition = statute.edition
    assert (edition.title, edition.kind, edition.law_id, edition.number) == (
        "빨래터의 이용에 관한 법률", "법률", "999001", "1",
    )  # fmt: skip
    assert (edition.promulgated, edition.effective) == (date(2020, 1, 1), date(2020, 1, 1))
    assert edition.ministries == ("법무부",)
    assert [a.heading for a in statute.articles] == ["제1조(목적)", "제2조(이용 시간)", "제3조", "제3조의2(벌칙)"]
    assert [a.deleted for a in statute.articles] == [False, False, True, False]
    second = statute.articles[1]
    assert second.divisions == ("제1장 총칙",)
    assert [p.number for p in second.paragraphs] == [1, 2]
    assert second.text.endswith("  1. 신생아가 있는 가구의 구성원\n  2. 세탁업을 하는 사람")
    assert "<개정 2020.1.1>" in second.text


def test_a_mark_in_an_annexs_title_is_read_as_what_it_stands_for(tmp_path: Path) -> None:
    listed = "첨부파일:\n- 별표번호: '0001'\n  별표구분: 별표\n  제목: 삭제 &lt;2014.11.4.&gt;\n상태:"
    statute = parse_markdown(mini(tmp_path).read_text("utf-8").replace("상태:", listed, 1), "x.md")
    assert [(annex.label, annex.title) for annex in statute.annexes] == [("별표 1", "삭제 <2014.11.4.>")]


def test_addenda_stay_out_of_the_articles(tmp_path: Path) -> None:
    statute = read_markdown(mini(tmp_path))
    (addendum,) = statute.addenda
    assert addendum.heading == "부칙 <제1호,2018.1.1>"
    assert addendum.text.startswith("제1조 (시행일)")
    assert sum(a.label == "제1조" for a in statute.articles) == 1


def test_the_bundled_constitution_is_whole() -> None:
    statute = read_markdown(ROOT / "corpus" / "대한민국헌법.md")
    assert [a.label for a in statute.articles] == ["전문", *(f"제{n}조" for n in range(1, 131))]
    assert statute.edition.effective == date(1988, 2, 25)
    assert len(statute.addenda[0].text) > 700


def test_the_bundled_constitution_is_the_official_text(statute_book: Path) -> None:
    ours = read_markdown(ROOT / "corpus" / "대한민국헌법.md")
    official = read_markdown(statute_book / "대한민국헌법" / "헌법.md")
    assert [(a.label, a.text.split(), a.divisions) for a in ours.articles] == [
        (a.label, a.text.split(), a.divisions) for a in official.articles
    ]
    assert [a.text.split() for a in ours.addenda] == [a.text.split() for a in official.addenda]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "빈 파일"),
        (b"   \n\n", "빈 파일"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00", "글자를 읽을 수 없"),
        (b"\xff\xfe\x00\xd8", "글자를 읽을 수 없"),
        ("---\n제목: 민법\n".encode(), "닫히지 않았습니다"),
        ("---\n제목: [민법\n---\n##### 제1조\n\n본문".encode(), "머리말"),
        ("---\n- 민법\n---\n##### 제1조\n\n본문".encode(), "머리말"),
        ("---\n제목: 민법\n---\n\n# 민법\n".encode(), "조문을 찾지 못했습니다"),
        ("오늘 회의록\n\n점심은 국수.".encode(), "법령으로 볼 수 없습니다"),
        ("# 회의록\n\n점심은 국수.".encode(), "법령으로 볼 수 없습니다"),
        (b"---\n" + b"a: &a [x]\n" + "".join(f"b{n}: [*a,*a]\n" for n in range(9)).encode() + b"---\n", "제목"),
    ],
)
def test_what_is_no_statute_is_refused_by_name_and_reason(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "이상한 파일.md"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=said) as caught:
        read_file(path)
    assert "이상한 파일.md" in str(caught.value)


def test_old_korean_encodings_are_read(tmp_path: Path) -> None:
    path = mini(tmp_path)
    text = path.read_text("utf-8")
    for encoding in ("cp949", "utf-8-sig", "utf-16"):
        path.write_bytes(text.encode(encoding))
        assert read_markdown(path).edition.title == "빨래터의 이용에 관한 법률"


def test_a_date_that_is_none_is_a_warning(tmp_path: Path) -> None:
    statute = read_markdown(mini(tmp_path, effective="2020-13-45"))
    assert statute.edition.effective is None
    assert any("2020-13-45" in warning for warning in statute.warnings)


def test_markdown_without_front_matter_is_read_with_a_warning() -> None:
    statute = parse_markdown("# 마을 규약\n\n##### 제1조 (목적)\n\n목적을 정한다.\n", "규약.md")
    assert statute.edition.title == "마을 규약"
    assert statute.warnings


def test_windows_line_ends_make_no_difference(tmp_path: Path) -> None:
    path = mini(tmp_path)
    unix = read_markdown(path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_markdown(path) == unix


def test_tables_keep_their_layout_and_images_their_address() -> None:
    text = (
        "# 표법\n\n##### 제1조\n\n세율은 다음과 같다.\n\t\t\t\t│ 가  │  1% │\n"
        '\t\t\t\t<img src="http://www.law.go.kr/flDownload.do?flSeq=1"  alt="img1" >\n\t\t\t\t</img>\n'
    )
    (article,) = parse_markdown(text, "표법.md").articles
    assert article.text.splitlines() == [
        "세율은 다음과 같다.", "│ 가  │  1% │", "[그림: http://www.law.go.kr/flDownload.do?flSeq=1]",
    ]  # fmt: skip


@given(st.text(max_size=300))
def test_any_text_is_a_statute_or_a_plain_refusal(text: str) -> None:
    refusals = []
    try:
        parse_markdown(text, "x.md")
    except SourceError as error:
        refusals.append(str(error))
    assert all(refusal.startswith("x.md") for refusal in refusals)


def letters(text: str) -> str:
    """What is left of Markdown when its notation and white space are gone."""
    text = re.sub(r'<img\b(?:[^>]*?src="([^"]*)")?[^>]*>', r"[그림:\1]", text).replace("</img>", "")
    return re.sub(r"[\s\\*#]+", "", text)


SAMPLE = (
    "민법/법률.md",
    "형법/법률.md",
    "상법/법률.md",
    "소득세법/시행령.md",
    "도로교통법/시행규칙.md",
    "지방세법/법률.md",
    "선박톤수의측정에관한규칙/국토해양부령.md",
)


@pytest.mark.parametrize("name", SAMPLE)
def test_no_character_of_a_real_statute_is_lost(statute_book: Path, name: str) -> None:
    text = (statute_book / name).read_text("utf-8")
    statute = parse_markdown(text, name)
    body = text.split("\n---\n", 1)[1].split("\n## 부칙", 1)[0]
    title_line, _, rest = body.strip().partition("\n")
    assert title_line == f"# {statute.edition.title}"
    read, divisions = [], ()
    for article in statute.articles:
        read += [d for d in article.divisions if d not in divisions]
        divisions = article.divisions
        read.append(f"{article.label}({article.title})" if article.title else article.label)
        read.append(article.text)
    assert letters("".join(read)) == letters(rest)


@pytest.mark.parametrize("name", SAMPLE)
def test_every_heading_of_a_real_statute_is_an_article(statute_book: Path, name: str) -> None:
    text = (statute_book / name).read_text("utf-8")
    headings = re.findall(r"(?m)^##### (제\d+조(?:의\d+)*)", text)
    assert [a.label for a in parse_markdown(text, name).articles] == headings


def test_all_items_of_a_real_statute_are_kept(statute_book: Path) -> None:
    text = (statute_book / "소득세법/시행령.md").read_text("utf-8").split("\n## 부칙", 1)[0]
    statute = parse_markdown(text, "시행령.md")
    labels = [
        line.label for a in statute.articles for p in a.paragraphs for line in p.lines if line.depth == 2 and line.label
    ]
    assert len(labels) == len(re.findall(r"(?m)^    [가-힣](?:의\d+)?\\\.", text))
