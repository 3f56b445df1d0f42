from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.claims import check
from rag.settings import ROOT
from tests.rag.book import Book
from tests.samples import mini

CONSTITUTION = ROOT / "corpus" / "대한민국헌법.md"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    folder = tmp_path_factory.mktemp("book")
    with Book.of(folder, CONSTITUTION, mini(folder)) as made:
        yield made


def sentences(book: Book, text: str, *labels: str) -> list[str]:
    checked = book.check(text, *labels)
    return [checked.text[claim.start : claim.end] for claim in checked.claims]


def test_a_sentence_keeps_the_source_after_its_full_stop(book: Book) -> None:
    text = "임기는 5년입니다. [헌법 제70조] 중임할 수 없습니다(헌법 제70조). 끝."
    assert sentences(book, text, "제70조") == [
        "임기는 5년입니다. [헌법 제70조]",
        "중임할 수 없습니다(헌법 제70조).",
        "끝.",
    ]


def test_a_source_in_a_sentence_of_its_own_belongs_to_the_one_before(book: Book) -> None:
    checked = book.check("임기는 5년입니다.\n근거: 대한민국헌법 제70조", "제70조")
    assert (len(checked.claims), checked.citations, checked.unverified, checked.uncited) == (1, 1, 0, 0)


def test_bullets_are_sentences_and_headings_are_none(book: Book) -> None:
    text = "다음과 같습니다:\n- 임기는 5년입니다 [헌법 제70조]\n1. 중임할 수 없습니다 [헌법 제70조]"
    checked = book.check(text, "제70조")
    assert [claim.unverified for claim in checked.claims] == [0, 0]
    assert checked.uncited == 0
    assert book.check("벌금은 5천만원이다:", "제70조").uncited == 1, "a heading must not carry a number past the check"


def test_the_statutes_of_an_answer_are_read_as_those_of_a_question(book: Book) -> None:
    checked = book.check(
        "「대한민국헌법」 제70조에 있습니다. 같은 법 제68조도 봅니다. 헌법 68조 1항입니다.", "제70조", "제68조"
    )
    assert [r.label + r.place for claim in checked.claims for r in claim.references] == [
        "제70조",
        "제68조",
        "제68조제1항",
    ]
    assert checked.unverified == 0


def test_an_article_without_its_statute_is_the_only_hit_of_that_number(book: Book) -> None:
    assert book.check("임기는 5년입니다 [제70조].", "제70조").unverified == 0
    (claim,) = book.check("임기는 5년입니다 [제71조].", "제70조").claims
    assert claim.references[0].flaw == "어느 법령의 조문인지 알 수 없음"


def test_what_a_hit_itself_cites_may_be_repeated(book: Book) -> None:
    hit = book.hit("제3조의2", "빨래터의 이용에 관한 법률")
    text = "빨래터의 이용에 관한 법률 제2조를 어기면 같은 법 제3조의2에 따라 10만원 이하의 과태료를 냅니다."
    (claim,) = check(text, [hit], book.laws, book.texts).claims
    assert [(r.label, r.among_hits, r.flaw) for r in claim.references] == [("제2조", False, ""), ("제3조의2", True, "")]
    assert claim.flaws == ()


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("임기는 5년입니다 [대한민국헌법 제700조].", "없는 조문"),
        ("임기는 5년입니다 [대한민국헌법 제70조제2항].", "없는 곳"),
        ("임기는 5년입니다 [상법 제1조].", "수록되지 않은"),
        ("임기는 5년입니다 [대한민국헌법 제1조].", "찾은 조문이 아님"),
        ("빨래터는 없습니다 [빨래터의 이용에 관한 법률 제3조].", "삭제된 조문"),
    ],
)
def test_a_citation_that_does_not_hold_says_why(book: Book, text: str, flaw: str) -> None:
    checked = book.check(text, "제70조")
    assert flaw in checked.claims[0].references[0].flaw
    assert checked.unverified == 1


@pytest.mark.parametrize(
    ("text", "flaws"),
    [
        ("“대통령의 임기는 5년으로 하며”라고 합니다 [헌법 제70조].", 0),
        ("“대통령의 임기는 … 중임할 수 없다”라고 합니다 [헌법 제70조].", 0),
        ('"대통령의  임기는 5년으로 하며, 중임할 수 있다"라고 합니다 [헌법 제70조].', 1),
        ("‘중임’이란 거듭 맡는 것입니다 [헌법 제70조].", 0),
        ("임기는 4년입니다 [헌법 제70조].", 1),
        ("임기는 60개월입니다 [헌법 제70조].", 0),
        ("임기는 4년이 아니라 5년입니다 [헌법 제70조].", 1),
    ],
)
def test_quotations_and_numbers_must_stand_in_the_article(book: Book, text: str, flaws: int) -> None:
    (claim,) = book.check(text, "제70조").claims
    assert len(claim.flaws) == claim.unverified == flaws


def test_a_number_in_a_statutes_name_or_a_citation_is_no_claim(book: Book) -> None:
    assert book.check("헌법 제68조제2항은 60일 이내라고 합니다.", "제68조").unverified == 0


ARTICLES = [f"제{number}조" for number in range(1, 131)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(label=st.sampled_from(ARTICLES))
def test_whatever_an_article_says_holds_of_it(book: Book, label: str) -> None:
    said = book.hit(label).article.text.replace("\n", " ")
    checked = book.check(f"{said} [대한민국헌법 {label}]", label)
    assert all(not claim.flaws for claim in checked.claims)
    assert any(r.label == label and not r.flaw for claim in checked.claims for r in claim.references)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from("헌법제70조5년 .\n[]()“”\"'-:*같은은「」、①"), max_size=60) | st.text(max_size=80))
def test_any_answer_can_be_checked(book: Book, text: str) -> None:
    checked = book.check(text, "제70조")
    assert [claim.start for claim in checked.claims] == sorted(claim.start for claim in checked.claims)
    for claim in checked.claims:
        assert 0 <= claim.start < claim.end <= len(checked.text)
        assert all(claim.start <= r.start <= r.end for r in claim.references)
