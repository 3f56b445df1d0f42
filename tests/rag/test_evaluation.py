from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from rag.errors import QuestionSetError
from rag.evaluation import Question, Ranking, auroc, metrics, rank_all, read_questions, run_line
from rag.retriever import Search
from rag.statutes import Article, Edition, Hit


def row(**fields: object) -> str:
    base = {"id": "q1", "question": "대통령 임기는?", "primary": {"law": "대한민국헌법", "article": "제70조"}}
    return json.dumps({**base, **fields}, ensure_ascii=False)


def write(folder: Path, *rows: str) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def ranking(gold: list[str], found: list[str], *, confidence: float = 0.9, abstained: bool = False) -> Ranking:
    question = Question("q", "질문", (), tuple(("법", label) for label in gold))
    return Ranking(question, tuple(("법", label) for label in found), (), confidence, abstained, 0.01)


def test_questions_are_compared_without_spaces_and_dots(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        row(primary={"law": "일·가정 양립법", "article": "제 3조의 2"}, also=[{"law": "민법", "article": "제1조"}]),
    )
    assert read_questions(path)[0].gold == (("일ㆍ가정양립법", "제3조의2"), ("민법", "제1조"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", ":1"),
        (row(primary=None), "unanswerable"),
        (row(unanswerable=True), "unanswerable"),
        (row(question=" "), "question"),
        (row(primary={"law": "민법"}), ":1"),
        ("[]", ":1"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(QuestionSetError, match=said):
        read_questions(write(tmp_path, line))


def test_an_id_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError, match="q1"):
        read_questions(write(tmp_path, row(), row(question="다른 질문")))


def test_an_empty_or_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError):
        read_questions(write(tmp_path, ""))
    with pytest.raises(QuestionSetError):
        read_questions(tmp_path / "none.jsonl")


def test_metrics_by_hand() -> None:
    figures = metrics(
        [ranking(["가", "나"], ["다", "가", "라", "마", "바", "사", "나"]), ranking(["가"], ["나", "다"])]
    )
    assert figures["n"] == 2
    assert (figures["hit@1"], figures["hit@5"], figures["hit@10"]) == (0.0, 0.5, 0.5)
    assert figures["recall@6"] == pytest.approx(0.25)
    assert figures["law_recall@6"] == 1.0
    assert figures["mrr@10"] == pytest.approx(0.25)
    ideal = 1 + 1 / math.log2(3)
    assert figures["ndcg@10"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(8)) / ideal / 2)
    assert figures["abstention_auroc"] is None


def test_abstention_is_judged_over_the_unanswerable() -> None:
    figures = metrics(
        [
            ranking(["가"], ["가"], confidence=0.9),
            ranking(["가"], ["가"], confidence=0.7, abstained=True),
            ranking([], ["가"], confidence=0.8),
            ranking([], ["가"], confidence=0.6, abstained=True),
        ]
    )
    assert figures["abstention_auroc"] == pytest.approx(0.75)
    assert figures["wrong_answers"] == 0.5
    assert figures["wrong_refusals"] == 0.5
    assert figures["hit@1"] == 1.0


def test_auroc_counts_ties_half() -> None:
    assert auroc([0.5], [0.5]) == 0.5
    assert auroc([0.9, 0.8], [0.1]) == 1.0
    assert auroc([], [0.1]) is None


def test_history_reaches_the_search_and_runs_are_written(tmp_path: Path) -> None:
    asked: list[tuple[str, int, tuple[str, ...]]] = []

    def search(question: str, k: int, history: tuple[str, ...]) -> Search:
        asked.append((question, k, history))
        hit = Hit("x:제70조", Edition("대한민국헌법"), Article("제70조", "", ()), 0.81234567, ("dense",))
        return Search(question, (hit,), False)

    questions = read_questions(write(tmp_path, row(history=["국회의원 임기는?"])))
    (ranked,) = rank_all(questions, search)  # type: ignore[arg-type]
    assert asked == [("대통령 임기는?", 50, ("국회의원 임기는?",))]
    assert metrics([ranked])["hit@1"] == 1.0
    line = json.loads(run_line(ranked))
    assert line == {"id": "q1", "ranked": [{"law": "대한민국헌법", "article": "제70조", "score": 0.812346}]}
