"""HWP 5: controls in the text, tables, what is locked, what is damaged. Real statutes are in `test_formats`."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.sources.files import read_file
from ingest.sources.hwp import read_hwp
from rag.errors import SourceError
from rag.statutes import Statute
from tests.ingest.hwp_samples import (
    COMPRESSED,
    compound,
    control,
    deflated,
    hwp,
    paragraph,
    record,
    table,
    wide,
)

HEAD = ["빨래터법", "[시행 2024. 1. 1.] [법률 제12호, 2023. 12. 1., 제정]"]
BODY = ["제1조(목적) 이 법은 빨래터를 정한다.", "제2조(시간) ① 아침에 연다.", "② 저녁에 닫는다."]


def section(*extra: bytes) -> bytes:
    return b"".join(map(paragraph, [*HEAD, *BODY])) + b"".join(extra)


def read(path: Path, data: bytes) -> Statute:
    path.write_bytes(data)
    return read_file(path)


def refusal(path: Path, data: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        read(path, data)
    assert str(caught.value).startswith(path.name)
    assert str(caught.value).endswith("주십시오.")
    return str(caught.value)


@pytest.mark.parametrize("flags", [0, COMPRESSED])
def test_packed_or_not(tmp_path: Path, flags: int) -> None:
    statute = read(tmp_path / "가.hwp", hwp([section()], flags=flags))
    assert [article.heading for article in statute.articles] == ["제1조(목적)", "제2조(시간)"]
    assert [paragraph.number for paragraph in statute.articles[1].paragraphs] == [1, 2]
    assert (statute.edition.title, statute.edition.number, statute.warnings) == ("빨래터법", "12", ())


def test_controls_in_the_text(tmp_path: Path) -> None:
    text = f"제3조(표시){wide(9)}가{wide(9)}나{chr(24)}다{chr(30)}라{chr(31)}마{wide(3, b'%hlk')}𠀀{wide(4)}바\n② 새 줄"
    statute = read(tmp_path / "가.hwp", hwp([section(paragraph(text))]))
    assert statute.articles[2].text.splitlines() == ["가 나-다 라 마𠀀바", "② 새 줄"]


def test_a_text_longer_than_a_short_record(tmp_path: Path) -> None:
    long = "제3조(긴 글) " + "빨래터에서는 빨래를 한다. " * 500
    statute = read(tmp_path / "가.hwp", hwp([section(paragraph(long))]))
    assert statute.articles[2].text == long.removeprefix("제3조(긴 글) ").strip()


def test_running_heads_and_hidden_comments_stay_out_and_notes_and_boxes_in(tmp_path: Path) -> None:
    apart = b"".join(control(name, 1, paragraph("적히면 안 된다", 2)) for name in (b"head", b"foot", b"tcmt"))
    box = control(b"gso ", 1, record(76, 2, bytes(8)) + record(72, 3, bytes(8)) + paragraph("상자 속의 글", 3))
    note = control(b"fn  ", 1, record(72, 2, bytes(8)) + paragraph("각주의 글", 2))
    statute = read(tmp_path / "가.hwp", hwp([section(paragraph("제3조(끝) 마친다.", controls=apart + box + note))]))
    assert statute.articles[2].text.splitlines() == ["마친다.", "상자 속의 글", "각주의 글"]


def test_a_table_is_read_row_by_row_and_a_frame_as_text(tmp_path: Path) -> None:
    framed = paragraph("", controls=table([["제3조(틀) 틀 속의 글이다.\n② 둘째 항이다."]]))
    grid = table([["구분", "시간"], ["아침", "6시\n7시"], ["", "밤"]], caption="표 1")
    statute = read(tmp_path / "가.hwp", hwp([section(framed, paragraph("제4조(표) 다음과 같다.", controls=grid))]))
    assert statute.articles[2].text.splitlines() == ["틀 속의 글이다.", "② 둘째 항이다."]
    assert statute.articles[3].text.splitlines() == ["다음과 같다.", "표 1", "구분 │ 시간", "아침 │ 6시 7시", "밤"]


def test_what_cannot_be_read_of_a_document_is_warned_of(tmp_path: Path) -> None:
    numbered = paragraph("스스로 매긴 번호", shape=1)
    statute = read(tmp_path / "가.hwp", hwp([section(numbered)], shapes=[0, 2 << 23], flags=1 | 1 << 14))
    assert len(statute.warnings) == 2
    assert "변경 추적" in statute.warnings[0]
    assert "자동으로 매긴 번호" in statute.warnings[1]
    bullets = hwp([section(numbered)], shapes=[0, 3 << 23])
    assert not read(tmp_path / "나.hwp", bullets).warnings


@pytest.mark.parametrize(
    ("bit", "said"),
    [(1, "암호가 걸린"), (2, "배포용"), (4, "DRM"), (8, "인증서로"), (10, "인증서 DRM")],
)
def test_a_locked_document_is_refused_with_what_to_do(tmp_path: Path, bit: int, said: str) -> None:
    assert said in refusal(tmp_path / "가.hwp", hwp([section()], flags=1 | 1 << bit))


def _without(part: str) -> bytes:
    header = b"HWP Document File".ljust(32, b"\0") + struct.pack("<II", 0x05000500, 0)
    properties = record(16, 0, struct.pack("<H", 1) + bytes(24))
    streams = {"FileHeader": header.ljust(256, b"\0"), "DocInfo": properties, "BodyText/Section0": section()}
    return compound({name: data for name, data in streams.items() if name != part})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"HWP Document File V3.00 \x1a\1\2\3\4\5", "HWP 3"),
        (b"%PDF-1.7 x", "HWP 문서가 아니거나"),
        (compound({"WordDocument": b"x" * 5000}), "옛 형식"),
        (_without("FileHeader"), "옛 형식"),
        (_without("DocInfo"), "손상"),
        (_without("BodyText/Section0"), "손상"),
        (hwp([section()], stated=2), "손상"),
        (hwp([section()[:-3]]), "손상"),
        (hwp([section() + b"\x42"]), "손상"),
        (hwp([record(66, 1, bytes(22))]), "손상"),
        (
            hwp([section(paragraph("표", controls=control(b"tbl ", 1, record(77, 2, b"") + record(72, 2, b"x"))))]),
            "손상",
        ),
        (hwp([paragraph("오늘 회의록")]), "조문"),
        (hwp([b""]), "글자가 없"),
    ],
)
def test_what_is_damaged_or_no_statute_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    assert said in refusal(tmp_path / "가.hwp", data)


def test_a_cut_stream_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    cut = deflated(section())[:-4]
    header = b"HWP Document File".ljust(32, b"\0") + struct.pack("<II", 0x05000500, COMPRESSED)
    info = deflated(record(16, 0, struct.pack("<H", 1)))
    data = compound({"FileHeader": header, "DocInfo": info, "BodyText/Section0": cut})
    assert "손상" in refusal(tmp_path / "가.hwp", data)


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    data = hwp([section(), record(67, 0, bytes(60 * 2**20))])
    assert len(data) < 2**20
    assert "50 MB" in refusal(tmp_path / "가.hwp", data)


def test_boxes_in_boxes_without_end_are_refused(tmp_path: Path) -> None:
    nested = b"".join(record(71, level, b" osg") + paragraph("속", level + 1) for level in range(1, 400, 2))
    assert "손상" in refusal(tmp_path / "가.hwp", hwp([section(paragraph("밖", controls=nested))]))


WHOLE = hwp([section(paragraph("제3조(표) 같다.", controls=table([["가", "나"], ["다", "라"]])))], flags=0)
PACKED = hwp([section(paragraph("제3조(표) 같다.", controls=table([["가", "나"], ["다", "라"]])))])


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([WHOLE, PACKED]),
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8)), max_size=6),
    st.integers(0, len(WHOLE)),
)
def test_broken_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, changes: list[tuple[int, bytes]], cut: int
) -> None:
    broken = bytearray(data)
    for place, new in changes:
        broken[place : place + len(new)] = new
    path = tmp_path_factory.getbasetemp() / "깨진.hwp"
    path.write_bytes(bytes(broken[: len(broken) - cut // 4]))
    try:
        statute = read_hwp(path)
    except SourceError as error:
        assert str(error).startswith("깨진.hwp")  # noqa: PT017
    else:
        assert statute.articles


RECORDS = st.lists(
    st.builds(record, st.sampled_from([66, 67, 71, 72, 77]), st.integers(0, 6), st.binary(max_size=40)), max_size=30
)


@settings(max_examples=150, deadline=None)
@given(RECORDS)
def test_any_records_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, records: list[bytes]) -> None:
    path = tmp_path_factory.getbasetemp() / "이상한.hwp"
    path.write_bytes(hwp([section(*records)]))
    try:
        assert read_hwp(path).articles
    except SourceError as error:
        assert "손상" in str(error)  # noqa: PT017
