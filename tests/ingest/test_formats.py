"""Reading HWPX, DOCX, HTML, plain text and the Open API's XML and JSON: real statutes written and read back."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.sources.files import READERS, find_files, read_file
from ingest.sources.markdown import read_markdown
from ingest.sources.plain import parse_lines
from rag.errors import SourceError
from rag.settings import ROOT
from rag.statutes import CIRCLED, Annex, Paragraph, Statute, normalize_title
from tests.ingest.format_samples import HP, WRITERS, hwpx_section, pack, write_plain
from tests.samples import mini

FORMATS = sorted(WRITERS)
API = (".json", ".xml")
REAL = (
    "근로기준법/법률.md",
    "주택임대차보호법/법률.md",
    "대한민국헌법/헌법.md",
    "소득세법/시행령.md",
    "도로교통법/시행규칙.md",
    "상법/법률.md",
)
HEAD = [
    "마을 빨래터의 이용에 관한 법률",
    "[시행 2024. 1. 1.] [법률 제123호, 2023. 12. 31., 일부개정]",
    "법무부(심의관실), 02-1",
]


def squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


def shape(statute: Statute) -> list[Any]:
    """Everything but white space, and how deep a line without a label stands, which paragraphs do not show."""
    return [
        (article.label, article.title, article.divisions, [(p.number, _lines(p)) for p in article.paragraphs])
        for article in statute.articles
    ]


def _lines(paragraph: Paragraph) -> list[tuple[int | None, str, str]]:
    return [(line.depth if line.label else None, line.label, squeeze(line.text)) for line in paragraph.lines]


def lines_of(statute: Statute) -> list[tuple[str, str, str]]:
    return [
        (article.label, line.label, squeeze(line.text))
        for article in statute.articles
        for paragraph in article.paragraphs
        for line in paragraph.lines
    ]


def refusal(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        read_file(path)
    assert str(caught.value).startswith(path.name)
    assert str(caught.value).endswith("주십시오.")
    return str(caught.value)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_small_statute_reads_as_its_markdown(tmp_path: Path, suffix: str) -> None:
    expected = read_markdown(mini(tmp_path))
    path = tmp_path / f"빨래터{suffix}"
    WRITERS[suffix](expected, path)
    statute = read_file(path)
    assert shape(statute) == shape(expected)
    assert [(a.heading, squeeze(a.text)) for a in statute.addenda] == [
        (a.heading, squeeze(a.text)) for a in expected.addenda
    ]
    ours, theirs = statute.edition, expected.edition
    assert (ours.title, ours.kind, ours.number, ours.promulgated, ours.effective, ours.ministries) == (
        theirs.title, theirs.kind, theirs.number, theirs.promulgated, theirs.effective, theirs.ministries,
    )  # fmt: skip
    assert ours.law_id == (theirs.law_id if suffix in API else "")
    assert ours.source == path.name
    assert not statute.warnings


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("name", REAL)
def test_a_real_statute_reads_as_its_markdown(statute_book: Path, tmp_path: Path, name: str, suffix: str) -> None:
    expected = read_markdown(statute_book / name)
    path = tmp_path / f"법{suffix}"
    WRITERS[suffix](expected, path)
    statute = read_file(path)
    # JSON has all 목 after all 호. Where they cannot be told apart that is said, and nothing is lost.
    unsure = {warning.split(":")[0].rstrip(CIRCLED) for warning in statute.warnings if "딸린" in warning}
    assert len(unsure) <= (suffix == ".json") * 0.1 * len(expected.articles)
    assert sorted(lines_of(statute)) == sorted(lines_of(expected))
    assert [article for article in shape(statute) if article[0] not in unsure] == [
        article for article in shape(expected) if article[0] not in unsure
    ]
    assert not [warning for warning in statute.warnings if "딸린" not in warning and "각 목" not in warning]
    assert normalize_title(statute.edition.title) == expected.edition.key
    assert statute.edition.version == expected.edition.version
    assert squeeze("".join(a.heading + a.text for a in statute.addenda)) == squeeze(
        "".join(a.heading + a.text for a in expected.addenda)
    )


def test_the_bundled_constitution_reads_as_its_markdown_in_every_format(tmp_path: Path) -> None:
    """Its articles have no titles and it begins with a preamble."""
    expected = read_markdown(ROOT / "corpus" / "대한민국헌법.md")
    for suffix in FORMATS:
        WRITERS[suffix](expected, tmp_path / f"헌법{suffix}")
        assert shape(read_file(tmp_path / f"헌법{suffix}")) == shape(expected), suffix


def test_a_cross_reference_that_begins_a_line_begins_no_article() -> None:
    statute = parse_lines(
        [
            *HEAD,
            "제1조(목적)",
            "제6조의2에 따라 지정된 빨래터의 비율이 2/3 이상인 경우",
            "제2조(정의)에 따른 빨래터와 제3조에 따른 빨래터",
            "제2조 및 제3조에도 불구하고 정한다.",
            "제2조(정의) 이 법에서 쓰는 말은 다음과 같다.",
            "1. 빨래터",
            "제2장에 따른 곳",
        ],
        "x.txt",
    )
    assert [a.heading for a in statute.articles] == ["제1조(목적)", "제2조(정의)"]
    assert "비율이 2/3 이상" in statute.articles[0].text
    assert statute.articles[1].divisions == ()


def test_a_quoted_article_out_of_order_is_text_and_said() -> None:
    lines = [
        *HEAD,
        "제1조(목적) 가",
        "제2조(정의) 나",
        "제750조(불법행위의 내용) 인용",
        "제3조(벌칙) 다",
        "제4조(과태료) 라",
    ]
    statute = parse_lines(lines, "x.txt")
    assert [a.label for a in statute.articles] == ["제1조", "제2조", "제3조", "제4조"]
    assert "불법행위" in statute.articles[1].text
    assert any("불법행위" in warning for warning in statute.warnings)


def test_a_table_of_contents_is_no_text() -> None:
    contents = ["제1장 총칙", "제1조(목적)", "제2조(정의)", "제2장 벌칙", "제3조(벌칙)"]
    text = ["제1장 총칙", "제1조(목적) 가", "제2조(정의) 나", "제2장 벌칙", "제3조(벌칙) 다"]
    statute = parse_lines([*HEAD, *contents, *text], "x.txt")
    assert [(a.label, a.text, a.divisions) for a in statute.articles] == [
        ("제1조", "가", ("제1장 총칙",)), ("제2조", "나", ("제1장 총칙",)), ("제3조", "다", ("제2장 벌칙",)),
    ]  # fmt: skip
    assert not statute.warnings


def test_a_broken_sentence_begins_no_item() -> None:
    statute = parse_lines(
        [*HEAD, "제1조(목적) 신고하여야 한", "다. 다만, 그러하지 아니하다.", "1. 하나", "가. 둘"], "x.txt"
    )
    assert [line.label for line in statute.articles[0].paragraphs[0].lines] == ["", "", "1.", "가."]


def test_an_annex_is_kept_apart_from_the_last_article() -> None:
    statute = parse_lines([*HEAD, "제1조(목적) 가", "[별표 1] 사용료(제1조 관련)", "1. 빨래 한 통: 500원"], "x.txt")
    assert statute.annexes == (Annex("별표 1", "사용료(제1조 관련)", "1. 빨래 한 통: 500원"),)


def test_title_and_edition_may_share_a_line_or_be_broken() -> None:
    for head in ([" ".join(HEAD[:2])], [HEAD[0], "( 약칭: 빨래터법 )", "[시행 2024. 1. 1.]", HEAD[1][16:]]):
        edition = parse_lines([*head, "제1조(목적) 가"], "x.txt").edition
        assert (edition.title, edition.kind, edition.number) == (HEAD[0], "법률", "123")
        assert edition.effective is not None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
@pytest.mark.parametrize("suffix", [".txt", ".html", ".xml", ".json"])
def test_old_encodings_are_read(tmp_path: Path, suffix: str, encoding: str) -> None:
    path = tmp_path / f"빨래터{suffix}"
    WRITERS[suffix](read_markdown(mini(tmp_path)), path)
    path.write_bytes(path.read_text("utf-8").encode(encoding))
    assert len(read_file(path).articles) == 4


def test_a_file_name_of_law_go_kr_says_what_the_text_does_not(tmp_path: Path) -> None:
    path = tmp_path / "민법(법률)(제19409호)(20230628).txt"
    path.write_text("제1조(법원) 가\n제2조(신의성실) ① 나\n② 다", "utf-8")
    edition = read_file(path).edition
    assert (edition.title, edition.kind, edition.number, str(edition.effective)) == (
        "민법",
        "법률",
        "19409",
        "2023-06-28",
    )


def test_folders_hold_every_format(tmp_path: Path) -> None:
    for suffix in READERS:
        (tmp_path / f"가{suffix.upper()}").write_bytes(b"x")
    assert {path.suffix.lower() for path in find_files([tmp_path])} == set(READERS)


# HTML


def test_tables_and_images_of_a_page(tmp_path: Path) -> None:
    path = tmp_path / "가.html"
    body = (
        f"<h2>{HEAD[0]}</h2><div>{HEAD[1]}</div><p>제1조(세율)<br>다음과 같다."
        "<img src='/LSW/flDownload.do?flSeq=1'></p><table><tr><th>가</th><td>1%</td></tr>"
        "<tr><td>  </td><td>2%</td></tr></table><p>제2조(벌칙) 나<script>x</script>"
    )
    path.write_text(body, "utf-8")
    first, second = read_file(path).articles
    assert first.text.split("\n") == ["다음과 같다.", "[그림: /LSW/flDownload.do?flSeq=1]", "가 │ 1%", "2%"]
    assert second.text == "나"


def test_the_shell_page_of_law_go_kr_is_told(tmp_path: Path) -> None:
    path = tmp_path / "민법.html"
    path.write_text(
        "<html><body><iframe id='lawService' src='/LSW/lsInfoP.do?lsiSeq=1'></iframe></body></html>", "utf-8"
    )
    assert "iframe" in refusal(path)


def test_deep_nesting_is_no_trouble(tmp_path: Path) -> None:
    inner = "".join(f"<p>{line}</p>" for line in [*HEAD, "제1조(목적) 가"])
    path = tmp_path / "가.html"
    for opening, closing in (("<div>", "</div>"), ("<table><tr><td>", "</td></tr></table>")):
        path.write_text(opening * 3000 + inner + closing * 3000, "utf-8")
        _read_or_refuse(path)


# DOCX and HWPX


def test_word_keeps_insertions_and_drops_deletions(tmp_path: Path) -> None:
    document = docx.Document()
    for line in [*HEAD, "제1조(목적) 가"]:
        document.add_paragraph(line)
    paragraph = document.add_paragraph("② ")._p
    paragraph.append(parse_xml(f"<w:ins {nsdecls('w')}><w:r><w:t>새 글</w:t></w:r></w:ins>"))
    paragraph.append(parse_xml(f"<w:del {nsdecls('w')}><w:r><w:delText>헌 글</w:delText></w:r></w:del>"))
    table = document.add_table(rows=2, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text, table.cell(1, 0).text = "구분", "금액", "③ 틀 속의 항"
    document.add_paragraph("저절로 번호", style="List Number")
    document.save(str(tmp_path / "가.docx"))
    statute = read_file(tmp_path / "가.docx")
    assert statute.articles[0].text == "가\n② 새 글\n구분 │ 금액\n③ 틀 속의 항\n저절로 번호"


def test_numbers_that_word_makes_are_warned_of(tmp_path: Path) -> None:
    document = docx.Document()
    for line in [*HEAD, "제1조(목적) 가"]:
        document.add_paragraph(line)
    numbered = document.add_paragraph("번호")._p.get_or_add_pPr()
    numbered.append(parse_xml(f"<w:numPr {nsdecls('w')}><w:numId w:val='1'/></w:numPr>"))
    document.save(str(tmp_path / "가.docx"))
    assert any("자동" in warning for warning in read_file(tmp_path / "가.docx").warnings)


def test_hangul_tables_breaks_and_running_heads(tmp_path: Path) -> None:
    cell = "<hp:tc><hp:subList><hp:p><hp:run><hp:t>{}</hp:t></hp:run></hp:p></hp:subList></hp:tc>"
    extra = (
        "<hp:p><hp:run><hp:ctrl><hp:header><hp:subList><hp:p><hp:run><hp:t>머리말</hp:t></hp:run></hp:p></hp:subList>"
        "</hp:header></hp:ctrl><hp:t>① 앞<hp:lineBreak/>② 뒤<hp:nbSpace/>말</hp:t></hp:run><hp:run><hp:tbl><hp:tr>"
        f"{cell.format('구분')}{cell.format('금액')}</hp:tr></hp:tbl></hp:run></hp:p>"
    )
    path = pack(tmp_path / "가.hwpx", {"Contents/section0.xml": hwpx_section([*HEAD, "제1조(목적)"], extra)})
    assert read_file(path).articles[0].text == "① 앞\n② 뒤 말\n구분 │ 금액"
    assert read_file(path.rename(tmp_path / "가.hwp")).articles  # some save HWPX under the old suffix


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)
BOMB = b"<a>" + b" " * (60 * 2**20) + b"</a>"
ENTITIES = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><법령>&c;</법령>'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("가.hwpx", OLE + b"HWP Document File", ".hwp로"),
        ("가.docx", OLE + "EncryptedPackage".encode("utf-16-le"), "암호"),
        ("가.docx", OLE, "옛 형식"),
        ("가.docx", b"%PDF-1.7 x", "PDF"),
        ("가.docx", b"PK\x03\x04 broken", "손상"),
        ("가.hwpx", "제1조(목적) 가".encode(), "손상"),
        ("가.txt", b"%PDF-1.7 x", "PDF"),
        ("가.txt", b"PK\x03\x04x", "ZIP"),
        ("가.txt", b"\x89PNG\r\n\x1a\n\x00\x00", "글자를 읽을 수 없"),
        ("가.txt", b"<!DOCTYPE html><html><body>x", "HTML"),
        ("가.txt", "오늘 회의록\n점심은 국수".encode(), "조문"),
        ("법령.txt", "국수법\n[시행 2024. 1. 1.] [법률 제1호, 2024. 1. 1., 제정]".encode(), "조문"),
        ("가.html", b"<html></html>", "글자가 없습니다"),
        ("가.xml", b"<html><body>error</body></html>", "HTML"),
        ("가.xml", b"<a><b></a>", "손상"),
        ("가.xml", ENTITIES.encode(), "entity"),
        ("가.xml", b"<rss><channel/></rss>", "법령이 아닌"),
        ("가.xml", "<Response><result>사용자 정보 검증에 실패</result></Response>".encode(), "검증에 실패"),
        ("가.xml", "<법령><기본정보><법령명_한글>가법</법령명_한글></기본정보></법령>".encode(), "조문"),
        ("가.xml", b"<a>" * 200 + b"</a>" * 200, "깊습니다"),
        ("가.json", b"{", "손상"),
        ("가.json", b"[" * 100_000, "깊습니다"),
        ("가.json", b"[1, 2]", "법령이 아닌"),
        ("가.json", b'{"a": {"b": 1}}', "법령이 아닌"),
        ("가.json", '{"Law": "일치하는 법령이 없습니다."}'.encode(), "일치하는"),
        ("가.json", b'{"LawSearch": {"law": []}}', "검색 목록"),
        ("가.json", b'{"AdmRulService": {}}', "행정규칙"),
        ("가.json", '{"법령": {"기본정보": {"법령ID": "1"}}}'.encode(), "법령명"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name_and_reason(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert said in refusal(path)


@pytest.mark.parametrize("suffix", [*FORMATS, ".htm"])
def test_empty_and_huge_files_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"가{suffix}"
    path.write_bytes(b" \n")
    assert "빈 파일" in refusal(path)
    with path.open("wb") as file:
        file.truncate(201 * 2**20)  # sparse
    assert "너무 큽니다" in refusal(path)


@pytest.mark.parametrize(("suffix", "part"), [(".docx", "word/document.xml"), (".hwpx", "Contents/section0.xml")])
def test_zips_that_swell_are_refused(tmp_path: Path, suffix: str, part: str) -> None:
    path = pack(tmp_path / f"가{suffix}", {part: BOMB})
    assert "너무 큽니다" in refusal(path)
    noise = {f"BinData/{i}": bytes(range(256)) * 2**13 for i in range(101)}
    assert "너무 큽니다" in refusal(pack(path, {part: "<a/>"} | noise))


@pytest.mark.parametrize(("suffix", "part"), [(".docx", "word/document.xml"), (".hwpx", "Contents/section0.xml")])
def test_entities_in_zips_are_refused(tmp_path: Path, suffix: str, part: str) -> None:
    assert "entity" in refusal(pack(tmp_path / f"가{suffix}", {part: ENTITIES}))


def test_an_encrypted_hwpx_and_one_without_text_are_refused(tmp_path: Path) -> None:
    manifest = "<manifest><file-entry><encryption-data/></file-entry></manifest>"
    assert "암호" in refusal(
        pack(tmp_path / "가.hwpx", {"META-INF/manifest.xml": manifest, "Contents/section0.xml": "x"})
    )
    assert "본문이 없" in refusal(pack(tmp_path / "나.hwpx", {"mimetype": "application/hwp+zip"}))
    assert "글자가 없" in refusal(pack(tmp_path / "다.hwpx", {"Contents/section0.xml": f'<s xmlns:hp="{HP}"/>'}))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from(sorted(READERS)), st.sampled_from([b"", b"PK\x03\x04", OLE, b"<", b"{"])
)
def test_any_bytes_are_a_statute_or_a_plain_refusal(data: bytes, suffix: str, start: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"x{suffix}"
        path.write_bytes(start + data)
        _read_or_refuse(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data(), st.sampled_from(FORMATS))
def test_any_damage_is_a_statute_or_a_plain_refusal(data: st.DataObject, suffix: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"x{suffix}"
        WRITERS[suffix](read_markdown(mini(Path(folder))), path)
        damaged = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 8))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
        _read_or_refuse(path)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["제1조(가) 나", "제9999조", "① 가", "가. 나", "부칙", "제1장 가", "[별표 1]", "다.", *HEAD])
    )
)
def test_no_line_is_lost(lines: list[str]) -> None:
    statute = parse_lines([*HEAD, "제1조(목적) 처음", *lines], "x.txt")
    kept = "".join("".join(a.divisions) + re.sub(r" \[\d+\]", "", a.heading) + a.text for a in statute.articles)
    kept += "".join(a.heading + a.text for a in statute.addenda)
    kept += "".join(f"[{annex.label}]{annex.title}{annex.text}" for annex in statute.annexes)
    # A bare 부칙 without text is a heading of others, and divisions that no article follows hold nothing.
    assert all(squeeze(line) in squeeze(kept) for line in lines if line not in ("부칙", "제1장 가"))


def _read_or_refuse(path: Path) -> None:
    """Call the reader itself: `read_file` would turn whatever it raises into a refusal."""
    statute, said = None, ""
    try:
        statute = READERS[path.suffix](path)
    except SourceError as error:
        said = str(error)
    assert said.startswith(path.name) if statute is None else statute.articles


def test_copies_of_the_web_page_lose_the_buttons(tmp_path: Path) -> None:
    path = tmp_path / "가.txt"
    write_plain(read_markdown(mini(tmp_path)), path)
    assert "조문체계도" in path.read_text("utf-8")
    assert "조문체계도" not in "".join(article.text for article in read_file(path).articles)
