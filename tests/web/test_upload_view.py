"""What is shown of uploaded files: previews, how far they are, what became of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from ingest.pipeline import Outcome, Progress, Result
from ingest.preview import Changes, Preview
from rag.statutes import Edition
from tests.web.dom import Dom
from tests.web.made import EDITION, HOSTILE, TODAY, article, plain
from web.running import told
from web.upload_view import gaps, goes_in, outcomes_html, previews_html, progress_html

ADDED = Outcome("빨래터.pdf", Result.ADDED, f"{EDITION.title}: 조문 3개.", EDITION, 3, ("제2조를 찾지 못했습니다.",))


def test_a_preview_says_what_a_file_is() -> None:
    edition = replace(EDITION, ministries=("법무부", "환경부"))
    seen = Preview(replace(ADDED, edition=edition), edition, (plain("빨래터는 " + "길다 " * 200),), 2)
    assert goes_in(seen)
    assert gaps(seen) == []
    dom = Dom(previews_html([seen], TODAY))
    for part in (
        "파일 1개 가운데 1개가 들어갑니다",
        "아직 아무것도 바뀌지 않았습니다",
        "빨래터.pdf",
        "새로 들어갑니다",
        EDITION.title,
        "법률 제1호",
        "2020-01-01",
        "법무부, 환경부",
        "3개, 부칙 2개",
        "제2조를 찾지 못했습니다.",
    ):
        assert part in dom.text
    assert dom.folded[0].endswith(" …")
    assert "제2조(이용 시간)" in dom.folded[0]


def test_a_preview_says_what_would_change() -> None:
    changes = Changes(tuple(f"제{n}조" for n in range(10, 30)), ("제3조",), ("제1조", "제2조"), 40)
    seen = Preview(replace(ADDED, result=Result.UPDATED), EDITION, (), 0, changes)
    text = Dom(previews_html([seen], TODAY)).text
    assert "새 판으로 바뀝니다" in text
    assert "바뀐 조문 2개(제1조, 제2조)" in text
    assert "없어진 조문 1개(제3조)" in text
    assert "새 조문 20개(제10조, " in text
    assert "제22조" not in text
    assert "그대로 40개" in text


def test_a_file_with_gaps_asks_for_them() -> None:
    untitled = Preview(Outcome("무제.txt", Result.FAILED, "무제.txt: 법령 제목을 찾지 못했습니다."), Edition(title=""))
    assert gaps(untitled) == ["제목", "종류", "공포일", "시행일"]
    text = Dom(previews_html([untitled], TODAY)).text
    assert "제목 없음" in text
    assert "파일에 없는 내용: 제목, 종류, 공포일, 시행일" in text
    assert "0개가 들어갑니다" in text
    broken = Preview(Outcome("깨진.pdf", Result.FAILED, "깨진.pdf: 손상되었습니다."))
    assert gaps(broken) == []
    assert Dom(previews_html([broken], TODAY)).text.count("깨진.pdf") == 1


def test_two_files_of_one_statute_are_told() -> None:
    seen = Preview(ADDED, EDITION)
    assert "더 새로운 판만 남습니다" in Dom(previews_html([seen, seen], TODAY)).text
    assert "더 새로운 판만" not in Dom(previews_html([seen], TODAY)).text


def test_the_file_that_is_being_read_is_named() -> None:
    assert "읽는 중 2/3 가.pdf" in Dom(previews_html([], TODAY, "2/3 가.pdf")).text


def test_how_far_files_are() -> None:
    html = progress_html([ADDED], ["나.pdf", "다.pdf"], Progress("임베딩", 50, 100, 10.0))
    dom = Dom(html)
    for part in ("2/3 나.pdf", "임베딩 50/100조각", "넣는 중", "기다림", "다.pdf", "추가"):
        assert part in dom.text
    assert "width:50.0%" in html
    assert "기다리는 중" in Dom(progress_html([], ["가.pdf"], "기다리는 중")).text
    assert progress_html([ADDED], [], None) == outcomes_html([ADDED])


def test_uploads_are_reported_file_by_file() -> None:
    dom = Dom(outcomes_html([ADDED, Outcome(HOSTILE, Result.FAILED, f"{HOSTILE}: 빈 파일입니다.")]))
    assert not dom.tags() & {"script", "img"}
    for part in ("파일 2개: 추가 1, 실패 1", "빨래터.pdf", "조문 3개.", "제2조를 찾지", "빈 파일입니다.", "2020-01-01"):
        assert part in dom.text
    assert dom.text.count(HOSTILE) == 1
    assert "넣을 파일이 없습니다" in outcomes_html([])


def test_hostile_files_are_only_text() -> None:
    edition = replace(EDITION, title=HOSTILE, kind=HOSTILE, ministries=(HOSTILE,))
    outcome = Outcome(HOSTILE, Result.ADDED, HOSTILE, edition, 1, (HOSTILE,))
    shown = article(title=HOSTILE)
    seen = Preview(outcome, edition, (shown, plain(HOSTILE)), 1, Changes((HOSTILE,), (HOSTILE,), (HOSTILE,), 0))
    for html in (previews_html([seen], TODAY, HOSTILE), progress_html([outcome], [HOSTILE], HOSTILE)):
        dom = Dom(html)
        assert not dom.tags() & {"script", "img", "a"}
        assert HOSTILE in dom.text


def test_work_goes_on_when_nobody_listens_any_more() -> None:
    ended = threading.Event()

    def work(tell: Callable[[int], None]) -> None:
        for n in range(3):
            tell(n)
        ended.set()

    assert list(told(work)) == [0, 1, 2]
    ended.clear()
    for event in told(work):
        assert event == 0
        break
    assert ended.wait(10)


def test_what_work_raises_is_raised_where_it_is_shown() -> None:
    def work(tell: Callable[[int], None]) -> None:
        tell(1)
        raise ValueError("끝")

    events = told(work)
    assert next(events) == 1
    with pytest.raises(ValueError, match="끝"):
        next(events)
