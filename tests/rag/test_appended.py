"""Addenda and annexes: kept, out of the way, and found where they are cited or asked for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.pipeline import add, remove
from ingest.sources.markdown import read_markdown
from rag.appended import ADDENDA, ANNEXES, with_appended
from rag.citation import find_appended, find_citations
from rag.cited import Cited, look_up
from rag.embedding import StatuteEmbedder
from rag.laws import Laws
from rag.retriever import StatuteRetriever
from rag.statutes import Edition, is_appended, normalize_title
from rag.store import StatuteStore
from rag.texts import Texts
from tests.samples import mini

TITLES = ("민법", "도로교통법", "도로교통법 시행령", "도로교통법 시행규칙", "주택임대차보호법", "개인정보 보호법")
LAWS = Laws.of(Edition(title) for title in TITLES)


def read(text: str, previous: str = "") -> list[tuple[str, str]]:
    return [(citation.key, citation.render()) for citation in find_appended(text, LAWS, previous)]


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("민법 부칙", [("민법", "부칙")]),
        ("민법의 부칙은 어디 있나요?", [("민법", "부칙")]),
        ("민법 부칙 제3조", [("민법", "부칙 제3조")]),
        ("민법 부칙 <제8372호,2007.4.11> 제2조", [("민법", "부칙 <제8372호> 제2조")]),
        ("주임법 부칙(법률 제20000호) 제2조의2", [("주택임대차보호법", "부칙 <제20000호> 제2조의2")]),
        ("도로교통법 시행규칙 별표 28", [("도로교통법시행규칙", "별표 28")]),
        ("도로교통법시행규칙별표28의 벌점", [("도로교통법시행규칙", "별표 28")]),
        ("「도로교통법 시행규칙」 [별표 28] 제2호", [("도로교통법시행규칙", "별표 28")]),
        ("도로교통법 시행규칙 제91조제1항 및 별표 28", [("도로교통법시행규칙", "별표 28")]),
        ("도로교통법 제93조와 같은 법 시행규칙 별표 1의2", [("도로교통법시행규칙", "별표 1의2")]),
        (
            "도로교통법 시행령 별표 8과 별표 10",
            [("도로교통법시행령", "별표 8"), ("도로교통법시행령", "별표 10")],
        ),
        ("도로교통법 시행규칙 별지 제3호의2서식", [("도로교통법시행규칙", "별지 제3호의2서식")]),
        ("우주법 별표 2", [("", "별표 2")]),
        ("이 계약서 별표 1", [("", "별표 1")]),
        ("식별표 3을 달아야 하나요", []),
        ("이부칙 선생", []),
        ("민법 제750조", []),
    ],
)
def test_citations_of_addenda_and_annexes(text: str, cited: list[tuple[str, str]]) -> None:
    assert read(text) == cited


def test_the_statute_of_the_question_before_is_meant_by_the_same() -> None:
    assert read("같은 법 시행규칙 별표 28", "도로교통법") == [("도로교통법시행규칙", "별표 28")]


@settings(deadline=None)
@given(
    title=st.sampled_from(TITLES),
    number=st.integers(1, 300),
    branch=st.none() | st.integers(2, 30),
    form=st.booleans(),
    before=st.sampled_from(["", "그럼 ", "「", "민법 제750조와 "]),
    after=st.sampled_from(["", "은 무엇인가요?", "에 따르면", ")", " 제1호"]),
)
def test_an_annex_is_read_as_it_is_written(
    title: str, number: int, branch: int | None, form: bool, before: str, after: str
) -> None:
    of = f"의{branch}" if branch else ""
    label = f"별지 제{number}호{of}서식" if form else f"별표 {number}{of}"
    text = f"{before}{title} {label}{after}"
    (citation,) = find_appended(text, LAWS)
    assert (citation.key, citation.label) == (normalize_title(title), label)
    assert text[citation.start : citation.end].startswith("별")


@settings(deadline=None)
@given(
    title=st.sampled_from(TITLES),
    decree=st.none() | st.integers(1, 99999),
    article=st.none() | st.integers(1, 90),
    branch=st.none() | st.integers(2, 9),
)
def test_an_addendum_is_read_as_it_is_written_and_is_no_article(
    title: str, decree: int | None, article: int | None, branch: int | None
) -> None:
    number = f" <제{decree}호>" if decree else ""
    place = f" 제{article}조{f'의{branch}' if branch else ''}" if article else ""
    text = f"{title} 부칙{number}{place}"
    (citation,) = find_appended(text, LAWS)
    assert (citation.key, citation.render()) == (normalize_title(title), f"부칙{number}{place}")
    assert find_citations(text, LAWS) == []


@settings(deadline=None)
@given(st.text(alphabet="민법도로교통시행규칙령부별표지서식제호조의0123456789 <>[](),.", max_size=80))
def test_any_mixture_of_its_words_is_read_without_failing(text: str) -> None:
    found = find_appended(text, LAWS)
    spans = [(citation.start, citation.end) for citation in found]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    for citation in found:
        assert re.fullmatch(r"부칙|별표( \d+(의\d+)?)?|별지 제\d+호(의\d+)?서식", citation.label)


@pytest.mark.parametrize("text", ["별표 " * 3000, "부칙 <제" + "1" * 5000, "별지 제" * 3000, "민법 부칙 제1조 " * 500])
def test_long_nonsense_is_read_to_its_end(text: str) -> None:
    assert len(find_appended(text, LAWS)) <= 3000


# Real statutes


@pytest.fixture(scope="module")
def book(statute_book: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Texts]:
    texts = Texts(tmp_path_factory.mktemp("appended") / "texts.sqlite3")
    for name in ("민법/법률.md", "도로교통법/시행규칙.md", "도로교통법/법률.md"):
        texts.put(read_markdown(statute_book / name), [])
    yield texts
    texts.close()


def ask(texts: Texts, question: str, *history: str) -> Cited:
    laws = Laws.of(texts.editions())
    return with_appended(look_up(question, history, laws, texts), question, history, laws, texts)


def test_an_annex_that_is_cited(book: Texts) -> None:
    cited = ask(book, "도로교통법 시행규칙 별표 28이 뭐예요?")
    (found,) = cited.articles
    assert (found.edition.title, found.article.label) == ("도로교통법 시행규칙", "별표 28")
    assert "운전면허 취소ㆍ정지처분 기준" in normalize_dots(found.article.title)
    assert found.link.startswith("https://www.law.go.kr/LSW/flDownload.do?flSeq=")
    assert "글로 들어 있지 않아" in cited.notes[0]  # the mirror has no text of it
    assert not cited.missing


def normalize_dots(text: str) -> str:
    return text.replace("·", "ㆍ").replace("  ", " ")


def test_the_addenda_of_the_civil_act(book: Texts) -> None:
    cited = ask(book, "민법 부칙")
    assert len(cited.articles) == 5
    assert cited.articles[0].article.label == "부칙 <제21454호,2026.3.17>"  # the newest first
    assert "공포번호" in cited.notes[0]
    (one,) = ask(book, "민법 부칙 <제471호> 제2조").articles
    assert one.article.label == "부칙 <제471호,1958.2.22>"
    (start, end) = one.spans[0]
    assert one.article.text[start:end].startswith("제2조 (본법의 소급효)")
    assert "제3조" not in one.article.text[start:end]


def test_what_is_not_there_is_said(book: Texts) -> None:
    annex = ask(book, "민법 별표 3")
    assert (annex.articles, annex.missing) == ((), True)
    assert "별표 3" in annex.notes[0]
    assert ask(book, "소득세법 별표 1").missing
    assert ask(book, "도로교통법 시행규칙 별표 999").missing
    assert ask(book, "민법 부칙 <제99999호>").missing
    assert ask(book, "별표가 뭐예요?") == Cited()


def test_articles_and_annexes_of_one_question_both_come(book: Texts) -> None:
    cited = ask(book, "도로교통법 시행규칙 제91조와 별표 28")
    assert [found.article.label for found in cited.articles] == ["제91조", "별표 28"]


WELL = """\
---
제목: 우물 관리법
법령ID: '999002'
법령구분: 법률
시행일자: 2020-01-01
첨부파일:
- 별표번호: '0001'
  별표가지번호: '02'
  별표구분: 별표
  제목: 두레박 사용료(제1조 관련)
  PDF링크: https://www.law.go.kr/LSW/flDownload.do?flSeq=1
- 별표번호: '0003'
  별표가지번호: '00'
  별표구분: 서식
  제목: 우물 허가 신청서
---

##### 제1조 (목적)

이 법은 우물의 이용을 정한다.

## 부칙

부칙 <제1호,2020.1.1>


제1조 (시행일) 이 법은 공포한 날부터 시행한다.


제2조 (두레박에 관한 경과조치) 이 법 시행 당시의 나무 두레박은 3년간 쓸 수 있다.
"""


@pytest.fixture
def asked(store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path) -> StatuteRetriever:
    (tmp_path / "우물.md").write_text(WELL, "utf-8")
    add([tmp_path / "우물.md", mini(tmp_path)], store, embedder, 256)
    return StatuteRetriever(store=store, embedder=embedder)


def test_they_are_found_on_request_and_never_otherwise(asked: StatuteRetriever) -> None:
    plain = asked.search("나무 두레박은 언제까지 쓸 수 있나요?", k=10)
    assert plain.hits
    assert not [hit for hit in plain.hits if is_appended(hit.article_id)]
    (first, *_) = asked.search_appended("나무 두레박은 언제까지 쓸 수 있나요?", [ADDENDA]).hits
    assert (first.edition.title, first.article.label) == ("우물 관리법", "부칙 <제1호,2020.1.1>")
    (start, end) = first.highlight[0]
    assert "나무 두레박" in first.article.text[start:end]
    assert -1 <= first.score <= 1
    (annex, *_) = asked.search_appended("두레박 사용료", [ANNEXES]).hits
    assert (annex.article.label, annex.url) == ("별표 1의2", "https://www.law.go.kr/LSW/flDownload.do?flSeq=1")
    both = asked.search_appended("두레박", [ADDENDA, ANNEXES]).hits
    assert {hit.article.label for hit in both} >= {"별표 1의2", "부칙 <제1호,2020.1.1>"}
    assert asked.search_appended("zzqq", [ADDENDA]).abstained


def test_a_cited_annex_comes_first_in_the_ordinary_search(asked: StatuteRetriever) -> None:
    search = asked.search("우물 관리법 별지 제3호서식")
    assert search.hits[0].article.heading == "별지 제3호서식(우물 허가 신청서)"
    assert search.hits[0].signals == ("citation",)
    assert not search.abstained


def test_they_go_with_their_statute(asked: StatuteRetriever) -> None:
    remove("우물 관리법", asked.store)
    assert asked.search_appended("두레박 사용료", [ADDENDA, ANNEXES]).hits == ()
    assert len(asked.store.appended[ANNEXES]) == 0
