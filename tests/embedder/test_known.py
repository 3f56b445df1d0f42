from __future__ import annotations

from pathlib import Path

import pytest

from embedder.bank import Row, read_bank
from embedder.bank import statute_book as read_book
from embedder.known import counts, problems, split_of_articles
from rag.questions import KnownQuestion, read_known
from rag.settings import ROOT

KNOWN = ROOT / "corpus" / "questions.tsv"
BOOK = {("민법", "제1조"): "민사에 관하여 법률에 규정이 없으면 관습법에 의한다.", ("민법", "제2조"): ""}
ROWS = [Row("q1", "옆집 개한테 물렸는데 치료비를 받을 수 있나요", (("민법", "제759조"),), "", "", "test", "")]


@pytest.fixture(scope="module")
def known() -> list[KnownQuestion]:
    return read_known(KNOWN)


def test_no_known_question_that_is_trained_on_has_a_held_out_article(known: list[KnownQuestion]) -> None:
    splits = split_of_articles(read_bank())
    assert [q for q in known if splits.get((q.law, q.label), "train") != q.split] == []


def test_the_known_questions_have_no_fault_in_the_statute_book(known: list[KnownQuestion], statute_book: Path) -> None:
    assert list(problems(known, read_bank(), read_book(statute_book))) == []


def test_they_are_as_many_as_the_documents_say(known: list[KnownQuestion]) -> None:
    sizes = counts(known)
    assert len(known) >= 30_000
    assert int(str(sizes["articles"])) >= 12_000


@pytest.mark.parametrize(
    ("question", "problem"),
    [
        (KnownQuestion("민법", "제9조", "train", "없는 조문에 대한 질문"), "not in the statute book"),
        (KnownQuestion("민법", "제2조", "train", "지워진 조문에 대한 질문"), "deleted"),
        (KnownQuestion("민법", "제1조", "dev", "관습법이 뭔가요 대체"), "in train"),
        (KnownQuestion("민법", "제1조", "train", "왜요"), "characters long"),
        (KnownQuestion("민법", "제1조", "train", "법률에 규정이 없으면?"), "stands in its article"),
        (KnownQuestion("민법", "제1조", "train", "옆집 개한테 물렸는데 치료비를 받을 수 있을까요"), "dev or test"),
    ],
)
def test_faults_are_found(question: KnownQuestion, problem: str) -> None:
    ((found, said),) = problems([question], ROWS, BOOK)
    assert found is question
    assert problem in said


def test_what_is_given_twice_is_found() -> None:
    twice = [KnownQuestion("민법", "제1조", "train", text) for text in ("법에 없으면 어쩌죠?", "법에 없으면  어쩌죠")]
    ((found, said),) = problems(twice, ROWS, BOOK)
    assert found is twice[1]
    assert said == "given twice"
