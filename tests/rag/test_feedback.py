from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag import feedback
from rag.__main__ import app
from rag.errors import QuestionSetError
from rag.evaluation import read_questions
from rag.feedback import as_question_set, note_opinion, read_opinions
from rag.retriever import Search
from tests.web.made import hit

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def search(question: str, *, abstained: bool = False) -> Search:
    return Search(question, (hit(score=0.87), hit(score=0.5)), abstained)


def test_liked_answers_become_a_question_set_that_eval_reads(tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    assert note_opinion(file, search("몇 시까지\u2028여나요?"), ["빨래터가 뭔가요?"], liked=True, now=NOW)
    note_opinion(file, search("김치찌개 끓이는 법", abstained=True), [], liked=True, now=NOW)
    note_opinion(file, search("틀린 답"), [], liked=False, now=NOW)
    assert json.loads(file.read_text("utf-8").split("\n")[0])["at"] == "2026-11-25T08:00:00+00:00"

    told = CliRunner().invoke(app, ["feedback", str(file)])
    questions = tmp_path / "questions.jsonl"
    questions.write_text(told.stdout, "utf-8")
    liked, nothing = read_questions(questions)
    assert (liked.question, liked.history) == ("몇 시까지\u2028여나요?", ("빨래터가 뭔가요?",))
    assert liked.gold == (("빨래터의이용에관한법률", "제2조"),)
    assert nothing.gold == ()
    assert "1개" in told.stderr


def test_of_two_opinions_of_one_answer_the_last_counts(tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    for liked in (True, False):
        note_opinion(file, search("같은 질문"), [], liked=liked, now=NOW)
    note_opinion(file, search("같은 질문"), ["다른 앞 질문"], liked=True, now=NOW)
    assert [opinion.liked for opinion in read_opinions(file)] == [False, True]
    assert len(list(as_question_set(read_opinions(file)))) == 1


def test_no_file_is_no_opinion_and_a_broken_line_is_named(tmp_path: Path) -> None:
    assert read_opinions(tmp_path / "none.jsonl") == []
    file = tmp_path / "feedback.jsonl"
    note_opinion(file, search("질문"), [], liked=True, now=NOW)
    with file.open("a", encoding="utf-8") as end:
        end.write('{"id": 1}\n')
    with pytest.raises(QuestionSetError, match=r"feedback\.jsonl:2"):
        read_opinions(file)


def test_a_full_file_does_not_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "MOST_BYTES", 10)
    file = tmp_path / "feedback.jsonl"
    assert note_opinion(file, search("하나"), [], liked=True, now=NOW)
    size = file.stat().st_size
    assert not note_opinion(file, search("둘"), [], liked=True, now=NOW)
    assert file.stat().st_size == size
