from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.grammar import (
    ITEM_LETTERS,
    StatuteBuilder,
    division_rank,
    is_addendum,
    is_heading,
    split_heading,
    split_label,
)
from rag.statutes import BODY, CIRCLED, Edition


def builder() -> StatuteBuilder:
    return StatuteBuilder(Edition("빨래터법"))


@pytest.mark.parametrize(
    ("line", "label", "title", "rest"),
    [
        ("제1조(목적) 이 법은", "제1조", "목적", "이 법은"),
        ("제3조의2 (보증금의 회수)", "제3조의2", "보증금의 회수", ""),
        ("제5조의2의3(가)", "제5조의2의3", "가", ""),
        ("제7조(주거(住居) 등의 보호) ① 누구든지", "제7조", "주거(住居) 등의 보호", "① 누구든지"),
        ("제 12 조 (정의)", "제12조", "정의", ""),
        ("제4조 삭제 <2020. 8. 4.>", "제4조", "", "삭제 <2020. 8. 4.>"),
        ("제1조 ① 대한민국은 민주공화국이다.", "제1조", "", "① 대한민국은 민주공화국이다."),
    ],
)
def test_a_line_that_begins_with_an_article_is_taken_apart(line: str, label: str, title: str, rest: str) -> None:
    heading = split_heading(line)
    assert heading is not None
    assert (heading.label, heading.title, heading.rest) == (label, title, rest)
    assert is_heading(heading, line)


@pytest.mark.parametrize(
    "line",
    [
        "제6조의2에 따라 신고한 자",
        "제84조에 따른 보상금을 1년에 걸쳐",
        "제91조, 제93조, 제98조제2항 및 제99조를 위반한 자",
        "제297조의2 및 제298조의 예에 의한다.",
        "제5조(제3항은 제외한다)에 따른 신고",
        "제10조(제12조에서 준용하는 경우를 포함한다)를 위반한 자",
    ],
)
def test_a_cross_reference_at_a_line_s_start_heads_no_article(line: str) -> None:
    heading = split_heading(line)
    assert heading is not None
    assert not is_heading(heading, line)


@pytest.mark.parametrize(
    ("line", "depth", "label", "text"),
    [
        ("① 임차인은", 0, "①", "임차인은"),
        ("㉑임대인은", 0, "㉑", "임대인은"),
        ("1. 은행", 1, "1.", "은행"),
        ("3의2. 「은행법」", 1, "3의2.", "「은행법」"),
        ("가. 경호용 자동차", 2, "가.", "경호용 자동차"),
        ("1) 해당 연구", 3, "1)", "해당 연구"),
        ("나) 폐업", 4, "나)", "폐업"),
    ],
)
def test_labels_are_recognised(line: str, depth: int, label: str, text: str) -> None:
    assert split_label(line) == (depth, label, text)


@pytest.mark.parametrize(
    "line", ["2020. 1. 1. 개정", "1.5퍼센트", "3 이상", "다만, 그러하지 아니하다.", "이하 같다", "10,000원"]
)
def test_numbers_and_words_are_no_labels(line: str) -> None:
    assert split_label(line) is None


def test_divisions_nest_by_their_unit_not_by_their_order() -> None:
    book = builder()
    for division, label in [
        ("제1편 총칙", ""),
        ("제1장 통칙", "제1조"),
        ("제2장 인", ""),
        ("제1절 능력", "제3조"),
        ("제2편 물권", "제185조"),
    ]:
        book.division(division)
        if label:
            book.article(label)
            book.text("본문")
    divisions = {article.label: article.divisions for article in book.build().articles}
    assert divisions == {
        "제1조": ("제1편 총칙", "제1장 통칙"),
        "제3조": ("제1편 총칙", "제2장 인", "제1절 능력"),
        "제185조": ("제2편 물권",),
    }


@pytest.mark.parametrize(
    ("line", "rank"),
    [("제1편 총칙", 1), ("제2장의2 특례", 2), ("제1항 협의상 파양", 5), ("제3조", 0), ("총칙", 0), ("제1항에 따라", 0)],
)
def test_division_headings(line: str, rank: int) -> None:
    assert division_rank(line) == rank


@pytest.mark.parametrize(
    ("line", "opens"),
    [
        ("부칙 <제8372호,2007.4.11>", True),
        ("부칙(도서관법) <제1호>", True),
        ("부 칙", True),
        ("부칙 제2조에 따라", False),
        ("부칙에 따른", False),
    ],
)
def test_addenda_open_with_their_heading(line: str, opens: bool) -> None:
    assert is_addendum(line) is opens


def test_two_articles_of_one_number_are_both_kept() -> None:
    book = builder()
    for text in ("앞의 것", "뒤의 것", "또 하나"):
        book.article("제5조", "벌칙")
        book.text(text)
    statute = book.build()
    assert [(a.label, a.text) for a in statute.articles] == [
        ("제5조", "앞의 것"),
        ("제5조 [2]", "뒤의 것"),
        ("제5조 [3]", "또 하나"),
    ]
    assert len(statute.warnings) == 2


def test_a_statute_without_articles_is_one_body() -> None:
    book = builder()
    book.text("5월 1일을 노동절로 한다.")
    assert [(a.label, a.text) for a in book.build().articles] == [(BODY, "5월 1일을 노동절로 한다.")]


def test_a_statute_that_only_repeals_itself_is_repealed() -> None:
    book = builder()
    book.article("제0조")
    book.text("빨래터법은 이를 폐지한다.")
    assert book.build().edition.repealed


def test_a_statute_that_repeals_another_is_in_force() -> None:
    book = builder()
    book.article("제1조")
    book.text("이 법은 세탁에 관한 사항을 정한다. 빨래터법은 이를 폐지한다.")
    assert not book.build().edition.repealed


words = (
    st.text(st.sampled_from("가나다라마바사 임대차보증금제조항호의「」ㆍ,0123456789"), min_size=1, max_size=40)
    .map(str.strip)
    .filter(bool)
)
lines = st.one_of(
    st.tuples(st.just(0), st.sampled_from(CIRCLED[:20]), words),
    st.tuples(st.just(1), st.integers(1, 30).map(lambda n: f"{n}."), words),
    st.tuples(st.just(2), st.sampled_from(ITEM_LETTERS[:14]).map(lambda c: f"{c}."), words),
    st.tuples(st.just(0), st.just(""), words),
)


@given(st.lists(st.lists(lines, min_size=1, max_size=12), min_size=1, max_size=6))
def test_every_line_is_kept_once_and_in_order(articles: list[list[tuple[int, str, str]]]) -> None:
    book = builder()
    for number, content in enumerate(articles, 1):
        book.article(f"제{number}조", "제목")
        for depth, label, text in content:
            book.line(depth, label, text)
    statute = book.build()
    assert [
        [(line.depth, line.label, line.text) for p in a.paragraphs for line in p.lines] for a in statute.articles
    ] == articles
    for article in statute.articles:
        assert all(p.number == CIRCLED.index(p.lines[0].label) + 1 for p in article.paragraphs if p.number)
