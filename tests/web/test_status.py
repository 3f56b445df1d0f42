"""What is said of the index, of indexing and of uploads."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ingest.pipeline import Progress
from ingest.report import find_statutes
from rag.texts import StoredStatute
from tests.web.dom import Dom
from tests.web.made import EDITION, HOSTILE, TODAY
from web.service import Job
from web.status import confirm_html, describe, header_html, inventory_html, waiting


def stored(title: str = "민법", *, articles: int = 10, pending: int = 0, **fields: object) -> StoredStatute:
    edition = replace(EDITION, title=title, **fields)  # type: ignore[arg-type]
    return StoredStatute(edition, "f", articles, 12, pending)


def test_the_head_says_what_is_in_and_that_it_is_no_advice() -> None:
    statutes = [stored("민법", articles=1100), stored("형법", effective=date(2025, 3, 1), promulgated=date(2024, 9, 1))]
    text = Dom(header_html(statutes, Job())).text
    for part in (
        "2개 법령, 1,110개 조문",
        "민법, 형법",
        "2020-01-01 ~ 2025-03-01",
        "2024-09-01까지 공포",
        "법률 자문이 아닙니다",
    ):
        assert part in text


def test_many_statutes_are_counted_and_not_named() -> None:
    text = Dom(header_html([stored(f"제{n}법") for n in range(9)], Job())).text
    assert "9개 법령" in text
    assert "제3법" not in text


def test_one_statute_shows_its_own_dates() -> None:
    assert "2020-01-01 공포, 2020-01-01 시행" in Dom(header_html([stored()], Job())).text


def test_the_head_of_an_empty_index() -> None:
    assert "아직 들어 있는 법령이 없습니다" in header_html([], Job())


def test_the_head_shows_indexing_and_its_problems() -> None:
    text = Dom(header_html([stored()], Job(running=True, progress=Progress("임베딩", 320, 2332, 14.2)))).text
    assert "색인 중" in text
    assert "임베딩 320/2,332조각 · 14.2조각/초 · 남은 시간 약 2분" in text
    assert HOSTILE in Dom(header_html([], Job(problems=(HOSTILE,)))).text


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress("읽기", 3, 3, 5.0), "읽기 3/3파일"),
        (Progress("임베딩", 0, 9, 0.0), "임베딩 0/9조각"),
        (Progress("임베딩", 10, 20, 1.0), "임베딩 10/20조각 · 1.0조각/초 · 남은 시간 약 10초"),
        (Progress("임베딩", 0, 36000, 5.0), "임베딩 0/36,000조각 · 5.0조각/초 · 남은 시간 약 2시간 0분"),
    ],
)
def test_progress_in_words(progress: Progress, text: str) -> None:
    assert describe(progress) == text


def test_waiting_says_for_what() -> None:
    assert "읽기 1/2파일" in waiting(Job(running=True, progress=Progress("읽기", 1, 2, 0.0)))
    assert waiting(Job()) == "앞선 색인이 끝나기를 기다리는 중"


def test_statutes_are_found_by_words_of_title_or_abbreviation() -> None:
    statutes = [stored("개인정보 보호법"), stored("주택임대차보호법", abbreviation="주임법"), stored("10ㆍ27법난법")]
    assert [s.edition.title for s in find_statutes(statutes, "보호 개인")] == ["개인정보 보호법"]
    assert [s.edition.title for s in find_statutes(statutes, "주임법")] == ["주택임대차보호법"]
    assert [s.edition.title for s in find_statutes(statutes, "10·27")] == ["10ㆍ27법난법"]
    assert len(find_statutes(statutes, " ")) == 3


def test_the_list_shows_editions_and_their_state() -> None:
    statutes = [
        stored("민법", number="21454", articles=1193, pending=7),
        stored("옛법", repealed=True),
        stored("앞날법", effective=date(2027, 1, 1)),
    ]
    text = Dom(inventory_html(statutes, "", TODAY)).text
    for part in ("법령 3개", "법률 제21454호", "1,193", "색인 대기 7", "폐지", "시행 예정 2027-01-01"):
        assert part in text


def test_a_long_list_says_that_it_is_cut() -> None:
    dom = Dom(inventory_html([stored(f"제{n}법") for n in range(250)], "", TODAY))
    assert len(dom.all("tr")) == 201
    assert "법령 250개 중 처음 200개" in dom.text


def test_hostile_titles_and_queries_in_the_list() -> None:
    assert not Dom(inventory_html([stored(HOSTILE)], "", TODAY)).tags() & {"script", "img"}
    assert HOSTILE in Dom(inventory_html([stored()], HOSTILE, TODAY)).text
    assert HOSTILE in Dom(confirm_html(HOSTILE, "주의")).text
