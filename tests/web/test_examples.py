"""Example questions fit what is indexed."""

from __future__ import annotations

import pytest

from rag.embedding import StatuteEmbedder
from rag.retriever import make_retriever
from rag.settings import Settings
from rag.store import StatuteStore
from web.examples import QUESTIONS, examples


def test_with_the_constitution_alone_all_are_about_it() -> None:
    offered = examples(["대한민국헌법"])
    assert 4 <= len(offered) <= 6
    assert set(offered) <= set(QUESTIONS["대한민국헌법"])


def test_each_statute_has_its_turn_before_any_has_two() -> None:
    offered = examples(["민법", "형법"], 3)
    assert offered == [QUESTIONS["민법"][0], QUESTIONS["형법"][0], QUESTIONS["민법"][1]]


def test_nothing_is_offered_that_is_not_indexed() -> None:
    assert examples(["빨래터의 이용에 관한 법률"]) == []
    assert examples([]) == []


def test_titles_are_compared_as_everywhere() -> None:
    assert examples(["남녀고용평등과 일·가정 양립 지원에 관한 법률"])


def test_with_everything_indexed_six_statutes_are_offered() -> None:
    offered = examples(list(QUESTIONS))
    assert len(set(offered)) == 6


@pytest.mark.parametrize("question", QUESTIONS["대한민국헌법"])
def test_the_constitution_answers_its_examples(
    question: str, constitution: StatuteStore, embedder: StatuteEmbedder
) -> None:
    answers = {
        "대통령의 임기": "제70조",
        "국회의원은 몇 명": "제41조",
        "변호인": "제12조",
        "헌법 개정": "제128조",
        "탄핵": "제65조",
        "교육": "제31조",
    }
    label = next(article for words, article in answers.items() if words in question)
    found = make_retriever(Settings(_env_file=None), constitution, embedder).search(question, highlight=False)
    assert not found.abstained
    assert label in {hit.article.label for hit in found.hits}
