from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import StoreError
from rag.lexical import LexicalIndex, bigrams

LEASE = (
    "주택임대차보호법",
    "주택임대차보호법:제3조의3",
    "임차권등기명령 임대차가 끝난 후 보증금이 반환되지 아니한 경우",
)
CRIME = ("형법", "형법:제250조", "살인 사람을 살해한 자는 사형, 무기 또는 5년 이상의 징역에 처한다")


@pytest.fixture
def index(tmp_path: Path) -> LexicalIndex:
    made = LexicalIndex(tmp_path / "lexical")
    made.replace([], [LEASE, CRIME])
    return made


def test_words_are_found_whatever_their_particles_and_spaces(index: LexicalIndex) -> None:
    for question in ("보증금을 돌려받고 싶어요", "보 증 금", "임대차보증금이"):
        assert index.search(question, 5)[0][0] == LEASE[1], question


def test_scores_come_best_first_and_only_of_what_shares_something(index: LexicalIndex) -> None:
    found = index.search("사람을 살해한 자의 보증금", 5)
    assert [name for name, _ in found] == [CRIME[1], LEASE[1]]
    assert found[0][1] > found[1][1] > 0
    assert index.search("xyz", 5) == []
    assert index.search("", 5) == []


def test_a_replaced_statute_leaves_nothing_behind(index: LexicalIndex) -> None:
    index.replace(["형법"], [("형법", "형법:제250조", "이제는 다른 내용")])
    assert len(index) == 2
    assert [name for name, _ in index.search("다른 내용", 5)] == ["형법:제250조"]
    assert index.search("살해한", 5) == []


def test_it_is_there_again_when_opened_again(index: LexicalIndex, tmp_path: Path) -> None:
    index.record({"형법": "abc"})
    again = LexicalIndex(tmp_path / "lexical")
    assert len(again) == 2
    assert again.held() == {"형법": "abc"}


def test_a_broken_folder_is_said_to_be_and_can_be_made_anew(index: LexicalIndex, tmp_path: Path) -> None:
    (tmp_path / "lexical" / "meta.json").write_text("{")
    with pytest.raises(StoreError, match="rebuild"):
        LexicalIndex(tmp_path / "lexical")
    index.clear()
    assert len(index) == 0
    assert index.held() == {}


@given(st.text(max_size=60))
def test_bigrams_cover_the_text_and_repeat_nothing(text: str) -> None:
    grams = bigrams(text)
    dense = "".join(text.split()).lower()
    assert len(set(grams)) == len(grams)
    assert all(gram in dense for gram in grams)
    assert {dense[i : i + 2] for i in range(len(dense) - 1)} == set(grams)


@given(question=st.text(max_size=80))
def test_no_question_can_break_the_search(question: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    index = LexicalIndex(tmp_path_factory.mktemp("lexical"))
    index.search(question, 3)
