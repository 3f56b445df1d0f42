"""Cards of hits, and what stands above them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rag.answer import extractive_answer
from rag.statutes import UNDETERMINED, Article, Coming
from tests.web.dom import Dom
from tests.web.made import EDITION, HOSTILE, TODAY, article, hit, plain, search
from web.cards import card_html, error_html, results_html


def test_a_card_says_what_is_needed_to_trust_it() -> None:
    found = hit(plain("빨래터는 오전 6시부터 이용할 수 있다."), highlight=((0, 4),), signals=("citation", "dense"))
    dom = Dom(card_html(found, 2, TODAY))
    for text in ("2", "「빨래터의 이용에 관한 법률」 제2조(이용 시간)", "0.871", "인용", "의미", "2020-01-01 시행"):
        assert text in dom.text
    assert dom.marks == ["빨래터는"]
    opener, link = dom.all("a")
    assert opener["data-open"] == found.article_id
    assert link["href"] == found.url
    assert link["target"] == "_blank"
    assert "noopener" in link["rel"]


def test_a_card_can_be_cited_and_linked_to() -> None:
    found = hit()
    dom = Dom(card_html(found, 1, TODAY))
    (card,) = dom.all("article")
    assert card["id"] == f"article-{found.article_id}"
    (tools,) = dom.of_class("law-tools")
    assert tools["data-cite"] == f"「{found.edition.title}」 {found.article.heading}"
    assert tools["data-url"] == found.url
    assert [button["data-copy"] for button in dom.all("button")] == ["cite", "text", "markdown"]


def test_what_was_searched_is_said() -> None:
    assert "검색 범위: 법률, 법무부" in Dom(results_html(search(hit()), TODAY, 0.5, scope="법률, 법무부")).text
    assert "검색 범위" not in results_html(search(hit()), TODAY, 0.5)


def test_every_hit_is_a_dot_at_its_similarity_that_leads_to_its_card() -> None:
    other = replace(EDITION, title="다른 법")
    hits = [hit(score=0.8), hit(plain("가"), score=0.79), hit(score=0.4, edition=other), hit(score=-0.2, edition=other)]
    dom = Dom(results_html(search(*hits), TODAY, 0.5))
    dots = dom.of_class("law-dot")
    assert [dot["style"] for dot in dots] == [
        "left:79.0%;--lane:0", "left:80.0%;--lane:1", "left:0.0%;--lane:0", "left:40.0%;--lane:0",
    ]  # fmt: skip
    ids = {card["id"] for card in dom.all("article")}
    assert all(dot["href"].removeprefix("#") in ids for dot in dots)
    assert len(dom.of_class("law-plot-line")) == 2
    assert "law-plot" not in results_html(search(hit()), TODAY, 0.5), "one hit has nothing to be compared with"


@pytest.mark.parametrize(
    ("score", "number", "width"),
    [(0.8714, "0.871", "87.1%"), (1.0, "1.000", "100.0%"), (0.0, "0.000", "0.0%"), (-0.25, "-0.250", "0.0%")],
)
def test_the_bar_is_as_long_as_the_cosine(score: float, number: str, width: str) -> None:
    dom = Dom(card_html(hit(score=score), 1, TODAY))
    assert number in dom.text
    assert any(attributes.get("style") == f"width:{width}" for attributes in dom.all("span"))


def test_a_text_that_is_not_the_law_yet_warns() -> None:
    html = card_html(hit(edition=replace(EDITION, effective=date(2027, 1, 1))), 1, TODAY)
    assert "시행 예정 2027-01-01" in html


def test_a_text_that_takes_effect_today_does_not_warn() -> None:
    assert "시행 예정" not in card_html(hit(edition=replace(EDITION, effective=TODAY)), 1, TODAY)


def test_missing_dates_and_repeal_are_said() -> None:
    dom = Dom(card_html(hit(edition=replace(EDITION, effective=None, repealed=True)), 1, TODAY))
    assert "시행일 미상" in dom.text
    assert "폐지" in dom.text


def test_the_place_in_the_statute_is_shown_without_amendment_marks() -> None:
    made = article(divisions=("제1편 총칙 <개정 2020.1.1>", "제2장 이용"))
    assert "제1편 총칙 › 제2장 이용" in Dom(card_html(hit(made), 1, TODAY)).text


def test_hostile_statutes_and_questions_stay_text() -> None:
    edition = replace(EDITION, title=HOSTILE, kind=HOSTILE, number=HOSTILE)
    made = replace(plain(HOSTILE), label=HOSTILE, title=HOSTILE, divisions=(HOSTILE,))
    found = hit(made, edition=edition, signals=(HOSTILE,), highlight=((0, 9),))
    dom = Dom(results_html(search(found, question=HOSTILE, notes=(HOSTILE,)), TODAY, 0.83))
    assert not dom.tags() & {"script", "img"}
    assert all(not name.startswith("on") for _, attributes in dom.elements for name in attributes)
    assert all(link["href"].startswith(("https://www.law.go.kr/", "?open=", "#article-")) for link in dom.all("a"))
    assert dom.text.count("<script>alert(1)</script>") >= 6


def test_cards_come_in_order_with_a_legend() -> None:
    dom = Dom(results_html(search(hit(score=0.9), hit(score=0.8)), TODAY, 0.83))
    assert len(dom.all("li")) == 2
    assert dom.text.index("0.900") < dom.text.index("0.800")
    assert "코사인 유사도(-1~1)" in dom.text
    assert "0.83보다 낮으면" in dom.text
    assert "답이 아닐 수 있음" not in dom.text


def test_no_threshold_is_claimed_where_there_is_none() -> None:
    assert "보다 낮으면" not in results_html(search(hit()), TODAY, 0.0)


def test_an_abstained_search_says_so_and_shows_its_cards_as_weak() -> None:
    dom = Dom(results_html(search(hit(), abstained=True), TODAY, 0.83))
    assert "답하는 조문을 찾지 못했습니다" in dom.text
    assert "가장 가까운 조문(답이 아닐 수 있음)" in dom.text
    assert len(dom.of_class("weak")) == 1


def test_notes_and_an_empty_index_are_said() -> None:
    dom = Dom(results_html(search(notes=("「민법」에 제9999조는 없습니다.",)), TODAY, 0.83))
    assert "제9999조는 없습니다" in dom.text
    assert "아직 들어 있는 법령이 없습니다" in dom.text


def test_errors_are_escaped() -> None:
    assert Dom(error_html(HOSTILE)).tags() == {"div"}


def test_the_chat_answer_escapes_notes() -> None:
    assert "<img" not in extractive_answer(search(hit(), notes=(HOSTILE,)))


def test_what_an_article_becomes_is_folded_with_the_words_that_change() -> None:
    later = replace(EDITION, effective=date(2099, 1, 1), number="7")
    then = plain("빨래터는 오전 7시부터 이용할 수 있다. <script>")
    dom = Dom(card_html(hit(plain("빨래터는 오전 6시부터 이용할 수 있다."), coming=Coming(later, then)), 1, TODAY))
    (folded,) = dom.folded
    assert folded.startswith("2099-01-01부터 내용이 바뀝니다(법률 제7호).")
    assert "오전 6시부터7시부터 이용할" in folded
    assert {"del", "ins"} <= dom.tags()
    assert "script" not in dom.tags()
    gone = Dom(card_html(hit(coming=Coming(later, None)), 1, TODAY))
    assert "2099-01-01부터 없어집니다" in gone.text
    assert "바뀝니다" not in Dom(card_html(hit(), 1, TODAY)).text


def test_an_annex_without_text_links_to_its_file_and_is_not_called_deleted() -> None:
    found = replace(
        hit(Article("별표 28", "벌점", ())), article_id="007079+별표 28", link="https://www.law.go.kr/LSW/x?flSeq=1"
    )
    dom = Dom(card_html(found, 1, TODAY))
    assert "별표 28(벌점)" in dom.text
    assert "삭제" not in dom.text
    opener, link = dom.all("a")
    assert opener["data-open"] == "007079+별표 28"
    assert link["href"] == "https://www.law.go.kr/LSW/x?flSeq=1"


def test_a_day_that_is_not_determined_is_called_so() -> None:
    text = Dom(card_html(hit(edition=replace(EDITION, effective=UNDETERMINED)), 1, TODAY)).text
    assert "시행일 미정" in text
    assert "9999" not in text
