from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from embedder.bank import Row
from embedder.mining import MinedPair
from embedder.pairs import (
    Book,
    Pair,
    Plan,
    arrange,
    dev_set,
    held_out,
    make,
    mined_pairs,
    read_pairs,
    write_dev_set,
    write_pairs,
)
from ingest.sources.files import read_file
from rag.questions import KnownQuestion
from rag.statutes import Statute
from tests.samples import mini

LAW = "빨래터의이용에관한법률"
USE, PENALTY = (LAW, "제2조"), (LAW, "제3조의2")


@pytest.fixture
def statute(tmp_path: Path) -> Statute:
    return read_file(mini(tmp_path))


@pytest.fixture
def book(statute: Statute) -> Book:
    return Book([statute], lambda text: len(text), 90)


def row(question: str, split: str, *gold: tuple[str, str], history: tuple[str, ...] = ()) -> Row:
    return Row(question, question, gold, "생활", "plain", split, "made", history)


def test_deleted_articles_are_not_in_the_book(book: Book) -> None:
    assert USE in book
    assert (LAW, "제3조") not in book


def test_the_passage_is_the_chunk_that_answers(book: Book) -> None:
    assert len(book.passages(USE)) > 1
    assert "오전 6시" in book.best_passage(USE, "몇 시부터 열어요? 6시?")
    assert "신생아" in book.best_passage(USE, "신생아가 있는 집은요?")


def test_nothing_held_out_is_trained_on(book: Book) -> None:
    rows = [row("언제 여나요", "train", USE), row("벌금 있나요", "test", PENALTY), row("과태료 얼마", "dev", PENALTY)]
    known = [KnownQuestion(LAW, "제2조", "train", "몇 시에 닫아요"), KnownQuestion(LAW, "제3조의2", "test", "어기면요")]
    mined = [MinedPair("title", "빨래터 벌칙", PENALTY), MinedPair("title", "이용 시간", USE)]
    pairs = make(Plan(mined={"title": 9}), rows, known, mined, book)
    assert held_out(rows) == {PENALTY}
    assert {pair.query for pair in pairs} == {"언제 여나요", "몇 시에 닫아요", "이용 시간"}
    assert {pair.gold for pair in pairs} == {USE}


def test_a_follow_up_is_trained_with_the_question_before(book: Book) -> None:
    rows = [row("그럼 세탁업자는요?", "train", USE, history=("빨래터는 언제 여나요?",))]
    (pair,) = make(Plan(), rows, [], [], book)
    assert pair.query == "빨래터는 언제 여나요? 그럼 세탁업자는요?"


def test_quotas_bound_every_kind(book: Book) -> None:
    mined = [MinedPair("title", f"제목 {n}", USE) for n in range(9)] + [MinedPair("penalty", "어긴 자", USE)]
    kinds = [pair.kind for pair in mined_pairs(mined, book, set(), {"title": 3})]
    assert kinds == ["title"] * 3


def test_arranged_batches_hold_neighbours_and_nothing_twice() -> None:
    order = [("법", f"제{n}조") for n in range(1, 65)]
    pairs = [Pair(f"{key[1]} 질문 {n}", key[1], (), key, "known") for key in order for n in range(3)]
    arranged = arrange(pairs, order, batch=16, run=8, seed=1)
    assert len(arranged) >= 0.8 * len(pairs)
    assert len({pair.query for pair in arranged}) == len(arranged)
    near = 0
    for start in range(0, len(arranged), 16):
        batch = arranged[start : start + 16]
        places = sorted(order.index(pair.gold) for pair in batch)
        assert len(set(places)) == 16
        near += sum(b - a == 1 for a, b in pairwise(places))
    assert near / len(arranged) > 0.5, "most have a neighbour in their batch"
    assert arranged == arrange(pairs, order, batch=16, run=8, seed=1)
    assert arranged != arrange(pairs, order, batch=16, run=8, seed=2)


def test_files_give_back_what_was_written(tmp_path: Path, book: Book) -> None:
    pairs = [Pair("질문", "지문", ("아닌 것",), USE, "known"), Pair("둘", "지문", (), PENALTY, "title")]
    file = tmp_path / "pairs.jsonl"
    write_pairs(file, pairs)
    assert read_pairs(file) == pairs
    write_dev_set(file, [row("언제 여나요", "dev", USE), row("안 나와요", "train", USE)], book, distractors=1)
    queries, passages, relevant = dev_set(file)
    assert queries == {"언제 여나요": "언제 여나요"}
    assert len(relevant["언제 여나요"]) == len(book.passages(USE))
    assert relevant["언제 여나요"] <= set(passages)
    assert json.loads(file.with_suffix(".dev.json").read_text("utf-8"))
