"""The text of articles as HTML: escaping, marks, folding."""

from __future__ import annotations

import pytest

from rag.statutes import Article, Line, Paragraph
from tests.web.dom import Dom
from tests.web.made import HOSTILE, article, plain
from web.markup import LONG_ARTICLE, MARK_LABEL, article_html, escape, escape_markdown, merge_spans

LAID_OUT = article(
    (Line(0, "①", "빨래터는 오전 6시부터 이용할 수 있다."),),
    (Line(0, "②", "다음 각 호의 사람은 예외로 한다."), Line(1, "1.", "신생아가 있는 가구"), Line(2, "가.", "쌍둥이")),
)


@pytest.mark.parametrize(
    ("spans", "merged"),
    [
        ([], []),
        ([(2, 5)], [(2, 5)]),
        ([(4, 8), (0, 2)], [(0, 2), (4, 8)]),
        ([(0, 5), (3, 8)], [(0, 8)]),
        ([(0, 3), (3, 6)], [(0, 6)]),
        ([(0, 9), (2, 4)], [(0, 9)]),
        ([(-5, 3), (8, 99)], [(0, 3), (8, 10)]),
        ([(3, 3), (5, 4), (10, 12)], []),
    ],
)
def test_spans_are_ordered_cut_and_merged(spans: list[tuple[int, int]], merged: list[tuple[int, int]]) -> None:
    assert merge_spans(spans, 10) == merged


@pytest.mark.parametrize("span", [(0, 4), (5, 9), (18, 22), (0, 22), (7, 8)])
def test_a_mark_holds_exactly_its_span(span: tuple[int, int]) -> None:
    made = plain("빨래터는 오전 6시부터 이용할 수 있다.")
    dom = Dom(article_html(made, [span]))
    assert dom.marks == [made.text[slice(*span)]]
    assert dom.text.replace(MARK_LABEL, "") == made.text


def test_a_mark_over_several_lines_covers_each_of_them_and_is_announced_once() -> None:
    start, end = LAID_OUT.paragraph_spans()[1]
    dom = Dom(article_html(LAID_OUT, [(start, end)]))
    assert dom.marks == ["② 다음 각 호의 사람은 예외로 한다.", "1. 신생아가 있는 가구", "가. 쌍둥이"]
    assert dom.text.count(MARK_LABEL) == 1


def test_a_span_that_begins_in_one_line_and_ends_in_the_next() -> None:
    text = LAID_OUT.text
    start, end = text.index("예외로"), text.index("신생아가") + 2
    assert Dom(article_html(LAID_OUT, [(start, end)])).marks == ["예외로 한다.", "1. 신생"]


def test_a_span_that_lies_in_an_indentation_marks_nothing() -> None:
    start = LAID_OUT.text.index("\n  1.") + 1
    assert Dom(article_html(LAID_OUT, [(start, start + 2)])).marks == []


def test_lines_stand_as_deep_as_in_the_statute() -> None:
    classes = [attributes["class"] for attributes in Dom(article_html(LAID_OUT, [])).all("p")]
    assert [next(c for c in line.split() if c.startswith("depth")) for line in classes] == [
        "depth-0",
        "depth-0",
        "depth-1",
        "depth-2",
    ]


def test_hostile_text_stays_text() -> None:
    dom = Dom(article_html(plain(HOSTILE), [(3, 40)]))
    assert dom.tags() == {"div", "p", "mark", "span"}
    assert dom.marks == [HOSTILE[3:40]]
    assert dom.text.replace(MARK_LABEL, "") == HOSTILE


def test_amendment_marks_are_set_apart_and_other_brackets_are_not() -> None:
    made = plain("이용할 수 있다. <개정 2020.1.1, 2021. 3. 2.> 비율은 <표>에 따른다. [전문개정 2008.3.21]")
    dom = Dom(article_html(made, []))
    assert len(dom.of_class("amendment")) == 2
    assert dom.text == made.text


def test_tables_keep_their_spacing() -> None:
    made = article(
        (Line(0, "", "다음 표와 같다."), Line(0, "", "┌──┬──┐"), Line(0, "", "│ 가 │  나│"), Line(0, "", "└──┴──┘"))
    )
    html = article_html(made, [])
    assert "┌──┬──┐\n│ 가 │  나│\n└──┴──┘</pre>" in html


def test_an_empty_article() -> None:
    assert Dom(article_html(Article("제3조", "", ()), [(0, 5)])).text == ""


def _long() -> Article:
    lines = [(Line(0, "①②③④⑤⑥⑦⑧⑨"[n], f"{n}번째 항이다. " + "매우 긴 내용이 이어진다. " * 12),) for n in range(9)]
    made = article(*lines)
    assert len(made.text) > LONG_ARTICLE
    return made


def test_a_long_article_is_folded_around_its_mark() -> None:
    made = _long()
    start, end = made.paragraph_spans()[4]
    dom = Dom(article_html(made, [(start, end)]))
    before, after = dom.folded
    assert dom.marks == [made.text[start:end]]
    assert "번째 항이다" not in dom.marks[0].replace("4번째 항이다", "")
    assert "0번째" in before
    assert "3번째" in before
    assert "5번째" in after
    assert "4번째" not in before + after
    assert "앞부분 4줄 펼치기" in before


def test_a_long_article_without_a_mark_shows_its_beginning() -> None:
    dom = Dom(article_html(_long(), []))
    assert len(dom.folded) == 1
    assert "2번째" not in dom.folded[0]
    assert "3번째" in dom.folded[0]


def test_nothing_is_lost_in_folding() -> None:
    made = _long()
    dom = Dom(article_html(made, [made.paragraph_spans()[4]]))
    for paragraph in made.paragraphs:
        assert paragraph.text in dom.text


def test_a_marked_paragraph_of_many_pages_is_folded_too() -> None:
    lines = tuple(Line(1, f"{n}.", f"{n}번째 뜻은 이러하다. " * 6) for n in range(1, 60))
    made = Article("제2조", "정의", (Paragraph(None, (Line(0, "", "용어의 뜻은 다음과 같다."), *lines)),))
    dom = Dom(article_html(made, [(0, len(made.text))]))
    assert len(dom.marks) == 60
    assert "59번째" in dom.folded[0]
    assert "1번째 뜻" not in dom.folded[0].replace("11번째 뜻", "").replace("21번째 뜻", "")[:20]


def test_escape_is_fit_for_attributes() -> None:
    assert escape("<a href=\"x\" title='y'>&") == "&lt;a href=&quot;x&quot; title=&#x27;y&#x27;&gt;&amp;"


@pytest.mark.parametrize("text", ["**굵게**", "[눌러](javascript:alert(1))", "# 제목", "1. 목록", "- 목록", "`코드`"])
def test_markdown_is_shown_letter_by_letter(text: str) -> None:
    escaped = escape_markdown(text)
    assert escaped.replace("\\", "") == text
    assert all(f"\\{character}" in escaped for character in text if character in "*[](`#.-")


def test_html_in_markdown_is_shown_as_text() -> None:
    assert "<" not in escape_markdown(HOSTILE)
