from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answer import NOT_FOUND, NOTHING_INDEXED, cite_place, extractive_answer, quoted
from rag.lexical import bigrams
from rag.settings import ROOT
from rag.statutes import Hit
from tests.rag.book import Book
from tests.samples import mini


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    folder = tmp_path_factory.mktemp("book")
    with Book.of(folder, ROOT / "corpus" / "대한민국헌법.md", mini(folder)) as made:
        yield made


def marking(hit: Hit, passage: str) -> Hit:
    start = hit.article.text.index(passage)
    return replace(hit, highlight=((start, start + len(passage)),))


def test_the_best_article_is_quoted_and_the_next_two_pointed_to(book: Book) -> None:
    answer = extractive_answer(book.search("대통령의 임기는?", "제70조", "제68조", "제42조", "제67조"))
    assert "**[대한민국헌법 제70조](https://www.law.go.kr/법령/대한민국헌법/제70조)**" in answer
    assert "> 대통령의 임기는 5년으로 하며, 중임할 수 없다." in answer
    assert "- [대한민국헌법 제68조](" in answer
    assert (
        "- [대한민국헌법 제42조](https://www.law.go.kr/법령/대한민국헌법/제42조): 국회의원의 임기는 4년으로 한다."
        in answer
    )
    assert "제67조" not in answer
    assert answer == extractive_answer(book.search("대통령의 임기는?", "제70조", "제68조", "제42조", "제67조"))


def test_what_was_cited_is_quoted_and_nothing_else(book: Book) -> None:
    search = book.search("헌법 제70조", "제70조", "제68조")
    asked = replace(search, hits=(replace(search.hits[0], signals=("citation",)), search.hits[1]))
    answer = extractive_answer(asked)
    assert "물어보신 조문입니다." in answer
    assert "제68조" not in answer


def test_the_paragraph_that_is_quoted_is_cited(book: Book) -> None:
    hit = marking(book.hit("제12조"), "⑦ 피고인의 자백이")
    assert cite_place(hit) == "대한민국헌법 제12조제7항"
    assert cite_place(book.hit("제12조")) == "대한민국헌법 제12조"


def test_a_subparagraph_comes_with_the_sentence_it_completes(book: Book) -> None:
    hit = book.hit("제2조", "빨래터의 이용에 관한 법률")
    line = next(line for line in hit.article.text.splitlines() if "신생아" in line)
    said = quoted(marking(hit, line), set(), 400)
    assert said.splitlines() == [
        "② 다음 각 호의 어느 하나에 해당하는 사람은 시간의 제한을 받지 아니한다.",
        "1. 신생아가 있는 가구의 구성원",
    ]


def test_of_a_long_article_the_sentences_like_the_question_are_quoted(book: Book) -> None:
    hit = book.hit("제12조")
    said = quoted(hit, set(bigrams("자백이 유일한 증거라도 처벌할 수 있나요?")), 200)
    assert "\n… ⑦ 피고인의 자백이" in said
    assert len(said) < 260
    assert "<" not in quoted(book.hit("제2조", "빨래터의 이용에 관한 법률"), set(), 400), (
        "amendment marks are no part of it"
    )


def test_every_article_is_quoted_within_its_limit_and_word_for_word(book: Book) -> None:
    words = set(bigrams("국회는 무엇을 심의하고 의결하나요?"))
    for label, _, _ in book.texts.outline(book.edition):
        hit = book.hit(label)
        said = quoted(hit, words, 160)
        assert said
        assert len(said) <= 160 + 40
        text = "".join(hit.article.text.split())
        for piece in said.replace("…", "\n").splitlines():
            assert "".join(piece.split()) in text


def test_where_nothing_answers_it_says_so(book: Book) -> None:
    search = book.search("라면 끓이는 법", "제70조")
    assert extractive_answer(replace(search, abstained=True)) == NOT_FOUND
    assert extractive_answer(replace(search, hits=())) == NOTHING_INDEXED


def test_citations_can_lead_elsewhere(book: Book) -> None:
    answer = extractive_answer(book.search("임기는?", "제70조", "제68조"), lambda article_id, _: f"#at-{article_id}")
    assert "](#at-" in answer
    assert "law.go.kr" not in answer


def test_a_hostile_statute_stays_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> [누르세요](javascript:alert(1)) ![그림](https://x.example/a.png) **굵게** 벌칙"
    with Book.of(tmp_path, mini(tmp_path, penalty=hostile)) as book:
        answer = extractive_answer(book.search("벌칙", "제3조의2"))
    assert "<script" not in answer
    assert "[누르세요](" not in answer
    assert "![" not in answer
    assert "https://x" not in answer
