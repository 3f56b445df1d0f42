"""What the Open API of law.go.kr does to a statute: 목 beside 호, headings among articles, texts in lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.sources.files import read_file
from ingest.sources.markdown import read_markdown
from rag.statutes import Annex, Statute
from tests.ingest.format_samples import api_tree, to_xml
from tests.ingest.test_formats import shape

INFO = {
    "법령ID": "000123",
    "공포일자": "20231231",
    "공포번호": "00123",
    "법종구분": {"content": "법률", "법종구분코드": "A0002"},
    "법령명_한글": "마을 빨래터의 이용에 관한 법률",
    "법령명약칭": "빨래터법",
    "제명변경여부": "N",
    "소관부처": {"content": "법무부,국토교통부", "소관부처코드": "1"},
    "시행일자": "20240101",
    "제개정구분": "일부개정",
}


def article(number: str, text: str, *paragraphs: Any, **more: Any) -> dict[str, Any]:
    return {"조문번호": number, "조문여부": "조문", "조문내용": text, "항": list(paragraphs), **more}


def read(folder: Path, *units: dict[str, Any], info: dict[str, Any] | None = None, **parts: Any) -> Statute:
    law = {"법령": {"기본정보": INFO | (info or {}), "조문": {"조문단위": list(units)}, **parts}}
    path = folder / "빨래터.json"
    path.write_text(json.dumps(law, ensure_ascii=False), "utf-8")
    return read_file(path)


def labels(statute: Statute) -> list[str]:
    return [line.label for a in statute.articles for p in a.paragraphs for line in p.lines]


def sub(text: str) -> dict[str, str]:
    return {"호번호": text.split()[0], "호내용": text}


def items(*letters: str) -> list[dict[str, str]]:
    return [{"목번호": f"{letter}.", "목내용": f"{letter}. 것"} for letter in letters]


def test_the_edition(tmp_path: Path) -> None:
    statute = read(tmp_path, article("1", "제1조(목적) 가"))
    edition = statute.edition
    assert (edition.law_id, edition.kind, edition.number, edition.abbreviation) == ("000123", "법률", "123", "빨래터법")
    assert (str(edition.promulgated), str(edition.effective)) == ("2023-12-31", "2024-01-01")
    assert edition.ministries == ("법무부", "국토교통부")
    assert not edition.repealed
    assert not statute.warnings


def test_a_repeal_a_new_title_and_a_bad_date(tmp_path: Path) -> None:
    info = {"제개정구분": "타법폐지", "제명변경여부": "Y", "시행일자": "20241399"}
    statute = read(tmp_path, article("1", "제1조(목적) 가"), info=info)
    assert statute.edition.repealed
    assert statute.edition.effective is None
    assert ["제명" in statute.warnings[0], "20241399" in statute.warnings[1]] == [True, True]


def test_headings_come_as_entries(tmp_path: Path) -> None:
    statute = read(
        tmp_path,
        {"조문번호": "1", "조문여부": "전문", "조문내용": "      제1장 총칙\n   제1절 통칙"},
        article("1", "제1조(목적) 가"),
        {"조문번호": "2", "조문여부": "전문", "조문내용": "제1항 협의상 파양 <개정 2012.2.10>"},
        article("2", "제2조 삭제 <2020. 1. 1.>", 조문가지번호="3"),
        article("3", "제3조(벌칙)", {"항번호": "①", "항내용": "① 나"}, 조문참고자료="[본조신설 2020. 1. 1.]"),
    )
    assert [(a.heading, a.divisions) for a in statute.articles] == [
        ("제1조(목적)", ("제1장 총칙", "제1절 통칙")),
        ("제2조의3", ("제1장 총칙", "제1절 통칙", "제1항 협의상 파양 <개정 2012.2.10>")),
        ("제3조(벌칙)", ("제1장 총칙", "제1절 통칙", "제1항 협의상 파양 <개정 2012.2.10>")),
    ]
    assert statute.articles[2].text == "① 나\n[본조신설 2020. 1. 1.]"


def test_items_after_all_subparagraphs_return_to_theirs(tmp_path: Path) -> None:
    paragraph = {
        "호": [sub("1. 다음 각 목의 곳"), sub("2. 제1호 각 목 외의 곳"), sub("2의2. 삭제"), sub("3. 다음 각 목의 때")],
        "목": items("가", "나", "다", "가", "나"),
    }
    statute = read(tmp_path, article("1", "제1조(정의) 다음과 같다.", paragraph))
    assert labels(statute) == ["", "1.", "가.", "나.", "다.", "2.", "2의2.", "3.", "가.", "나."]
    assert not statute.warnings


def test_items_that_fit_no_subparagraph_are_kept_with_a_warning(tmp_path: Path) -> None:
    paragraph = {
        "항번호": "②",
        "항내용": "② 가",
        "호": [sub("1. 곳"), sub("2. 때"), sub("3. 일")],
        "목": items("가", "가"),
    }
    statute = read(tmp_path, article("1", "제1조(정의)", paragraph))
    assert labels(statute) == ["②", "1.", "2.", "3.", "가.", "가."]
    assert any(warning.startswith("제1조②: 목이") for warning in statute.warnings)


def test_announced_items_that_are_gone_are_missed(tmp_path: Path) -> None:
    statute = read(tmp_path, article("1", "제1조(정의)", {"호": [sub("1. 다음 각 목의 곳"), sub("2. 때")]}))
    assert any("제1조 1." in warning for warning in statute.warnings)


def test_texts_in_lists_and_labels_from_numbers(tmp_path: Path) -> None:
    statute = read(
        tmp_path,
        article(
            "1",
            "제1조(정의) 다음과 같다.",
            {
                "호": {
                    "호번호": "1.",
                    "호가지번호": "2",
                    "호내용": "곳",
                    "목": {"목내용": [["가. 큰 것", "   1) 더 큰 것"]]},
                }
            },
        ),
    )
    assert statute.articles[0].text.split("\n")[1:] == ["  1의2. 곳", "    가. 큰 것", "      1) 더 큰 것"]


def test_addenda_and_annexes(tmp_path: Path) -> None:
    statute = read(
        tmp_path,
        article("1", '제1조(목적) 가<img id="77"></img>'),
        부칙={
            "부칙단위": [
                {"부칙내용": [["부칙 <제1호,2018.1.1>", "", "제1조(시행일) 나"]]},
                {"부칙공포일자": "20231231", "부칙공포번호": "00123", "부칙내용": "이 법은 공포한 날부터 시행한다."},
            ]
        },
        별표={
            "별표단위": {
                "별표번호": "0001",
                "별표가지번호": "02",
                "별표구분": "별표",
                "별표제목": "사용료(제1조 관련)",
                "별표서식PDF파일링크": "/LSW/x?flSeq=1",
            }
        },
    )
    assert [(a.heading, a.text) for a in statute.addenda] == [
        ("부칙 <제1호,2018.1.1>", "제1조(시행일) 나"),
        ("부칙 <제123호,2023.12.31>", "이 법은 공포한 날부터 시행한다."),
    ]
    assert statute.annexes == (Annex("별표 1의2", "사용료(제1조 관련)", "", "https://www.law.go.kr/LSW/x?flSeq=1"),)
    assert statute.articles[0].text == "가[그림: http://www.law.go.kr/LSW/flDownload.do?flSeq=77]"


def test_two_texts_of_one_article_are_both_kept(tmp_path: Path) -> None:
    statute = read(tmp_path, article("1", "제1조(목적) 가"), article("1", "제1조(목적) 나"))
    assert [a.label for a in statute.articles] == ["제1조", "제1조 [2]"]
    assert statute.warnings


@pytest.mark.parametrize("suffix", [".json", ".xml"])
def test_items_inside_their_subparagraphs_as_of_old(statute_book: Path, tmp_path: Path, suffix: str) -> None:
    expected = read_markdown(statute_book / "근로기준법" / "시행령.md")
    tree = api_tree(expected, beside=False)
    path = tmp_path / f"영{suffix}"
    path.write_text(to_xml("법령", tree["법령"]) if suffix == ".xml" else json.dumps(tree), "utf-8")
    statute = read_file(path)
    assert shape(statute) == shape(expected)
    assert not statute.warnings
