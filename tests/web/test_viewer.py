"""A statute to browse: what stands in its outline, and what opens from it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.sources.markdown import read_markdown
from rag.appended import ADDENDA, ANNEXES, of_statute
from rag.contents import Opened, open_at
from rag.statutes import Addendum, Annex, Article, Line, Paragraph, Statute
from rag.texts import Texts
from tests.web.dom import Dom
from tests.web.made import EDITION, HOSTILE, TODAY, hit, plain
from web.cards import card_html
from web.viewer import outline_html, statute_head_html, stretch_html

FILE = "https://www.law.go.kr/LSW/flDownload.do?flSeq=1"
APPENDED = Statute(
    EDITION,
    (Article("제1조", "목적", (Paragraph(None, (Line(0, "", "이 법은 빨래터의 이용을 정한다."),)),)),),
    (
        Addendum("부칙 <제1호,2018.1.1>", "제1조 (시행일) 이 법은 공포한 날부터 시행한다."),
        Addendum(
            "부칙(다른 법)\n<제2호,2020.1.1>", f"제1조 (시행일) {HOSTILE}\n\n제2조 (경과조치) 종전의 예에 따른다."
        ),
    ),
    annexes=(
        Annex("별표 1", "이용료(제2조 관련)", "│ 빨래 │ 500원 │"),
        Annex("별표 2", "빨래판의 규격", url=FILE),
        Annex("별지 제1호서식", f"신청서{HOSTILE}"),
    ),
)


@pytest.fixture
def texts(tmp_path: Path) -> Iterator[Texts]:
    opened = Texts(tmp_path / "texts.db")
    opened.put(APPENDED, [])
    yield opened
    opened.close()


def opened(texts: Texts, reference: str) -> Opened:
    found = open_at(texts, reference)
    assert found, reference
    return found


def test_addenda_and_annexes_are_folded_after_the_articles(texts: Texts) -> None:
    dom = Dom(outline_html(opened(texts, "999001:제1조")))
    assert [text.split(")")[0] + ")" for text in dom.folded] == ["부칙 (2)", "별표·서식 (3)"]
    assert not any("open" in details for details in dom.all("details"))
    assert [link["data-open"] for link in dom.all("a")] == [
        "999001:제1조", "999001+부칙#1", "999001+부칙#0", "999001+별표 1", "999001+별표 2", "999001+별지 제1호서식",
    ]  # fmt: skip
    assert dom.folded[0] == "부칙 (2)부칙(다른 법) <제2호,2020.1.1>부칙 <제1호,2018.1.1>"  # the newest first
    assert "별표 1 이용료(제2조 관련)" in dom.folded[1]
    assert dom.tags() <= {"nav", "ul", "li", "a", "span", "details", "summary"}


def test_a_statute_without_them_has_no_empty_groups(tmp_path: Path) -> None:
    texts = Texts(tmp_path / "bare.db")
    texts.put(Statute(EDITION, APPENDED.articles), [])
    assert "details" not in Dom(outline_html(opened(texts, EDITION.title))).tags()
    texts.close()


def test_an_addendum_opens_alone_with_those_before_and_after_it(texts: Texts) -> None:
    found = opened(texts, "999001+부칙#1")
    dom = Dom(stretch_html(found))
    assert "부칙(다른 법) <제2호,2020.1.1>" in dom.text
    assert "제2조 (경과조치) 종전의 예에 따른다." in dom.text
    assert HOSTILE in dom.text
    assert not {"script", "img"} & dom.tags()
    (here,) = dom.all("article")
    assert here["id"] == "law-here"
    (tools,) = dom.of_class("law-tools")
    assert tools["data-cite"] == "「빨래터의 이용에 관한 법률」 부칙(다른 법) <제2호,2020.1.1>"
    assert [link["data-open"] for link in dom.all("a") if "data-open" in link] == ["999001+부칙#0"] * 2
    outline = Dom(outline_html(found))
    (current,) = [link for link in outline.all("a") if "aria-current" in link]
    assert current["data-open"] == "999001+부칙#1"
    assert ["open" in details for details in outline.all("details")] == [True, False]
    assert "조문 1개" in Dom(statute_head_html(found.edition, len(found.entries), TODAY)).text


@pytest.mark.parametrize(
    ("label", "said", "link"),
    [
        ("별표 1", "│ 빨래 │ 500원 │", "https://www.law.go.kr/법령/빨래터의이용에관한법률"),
        ("별표 2", "내용이 글로 들어 있지 않습니다. 공식 파일 열기", FILE),
        ("별지 제1호서식", "내용이 글로 들어 있지 않습니다.", "https://www.law.go.kr/법령/빨래터의이용에관한법률"),
    ],
)
def test_an_annex_opens_with_its_text_or_its_file(texts: Texts, label: str, said: str, link: str) -> None:
    dom = Dom(stretch_html(opened(texts, f"999001+{label}")))
    assert said in dom.text
    assert {a["href"] for a in dom.all("a") if "data-open" not in a} == {link}
    assert not {"script", "img"} & dom.tags()


def test_what_is_not_there_opens_nothing(texts: Texts) -> None:
    for missing in (
        "999001+부칙#2",
        "999001+부칙#-1",
        "999001+부칙#" + "9" * 30,
        "999001+별표",
        "1+별표 1",
        "+",
        "a+b",
    ):
        assert open_at(texts, missing) is None


def test_a_card_of_an_annex_leads_to_it_too(texts: Texts) -> None:
    (annex,) = [each for each in of_statute(texts, EDITION, ANNEXES) if each.article.label == "별표 2"]
    dom = Dom(card_html(hit(annex.article, article_id=annex.article_id, link=annex.link), 1, TODAY))
    opener, official = dom.all("a")
    assert opener["data-open"] == "999001+별표 2"
    assert opener["href"] == "?open=999001%2B%EB%B3%84%ED%91%9C%202"
    assert official["href"] == FILE
    assert open_at(texts, opener["data-open"])
    assert Dom(card_html(hit(plain("가")), 1, TODAY)).all("a")[0]["data-open"] == "999001:제2조"


# Real statutes


@pytest.mark.parametrize(
    ("file", "addenda", "annexes"),
    [("소득세법/시행령.md", 208, 11), ("도로교통법/시행규칙.md", 82, 264), ("민법/법률.md", 37, 0)],
)
def test_all_of_a_real_statute_is_in_its_outline_and_opens(
    statute_book: Path, tmp_path: Path, file: str, addenda: int, annexes: int
) -> None:
    texts = Texts(tmp_path / "real.db")
    statute = read_markdown(statute_book / file)
    texts.put(statute, [])
    started = time.perf_counter()
    found = opened(texts, statute.edition.title)
    html = outline_html(found)
    took = time.perf_counter() - started
    assert took < 0.5  # some 10 ms on an idle machine
    assert (len(found.addenda), len(found.annexes)) == (addenda, annexes)
    links = [link["data-open"] for link in Dom(html).all("a")]
    assert len(set(links)) == len(links) == len(found.entries) + addenda + annexes
    for kind, group in ((ADDENDA, found.addenda[::-1]), (ANNEXES, found.annexes)):
        stored = of_statute(texts, statute.edition, kind)
        assert [entry.article_id for entry in group] == [each.article_id for each in stored]
        for each in stored:
            one = opened(texts, each.article_id)
            assert (one.here.label, one.here.link, one.articles) == (each.article.label, each.link, (each.article,))
    texts.close()
