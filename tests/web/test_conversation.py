from __future__ import annotations

import json
from typing import Any

import pytest

from tests.web.made import HOSTILE, hit, search
from web.conversation import MOST_KEPT, MOST_TURNS, Conversation, Turn, as_markdown, keep, read_kept, turn_of


def conversation(name: str, turns: int = 1) -> Conversation:
    return Conversation(name, tuple(turn_of(search(hit(highlight=((0, 3),))), f"답 {n}") for n in range(turns)))


def test_what_a_browser_keeps_comes_back_the_same() -> None:
    kept = json.loads(json.dumps(keep(conversation("a", 2), [])))
    assert read_kept(kept) == [conversation("a", 2)]


def test_the_newest_conversation_stands_first_and_once() -> None:
    kept: Any = []
    for name in ("a", "b", "a"):
        kept = keep(conversation(name), kept)
    assert [one.id for one in read_kept(kept)] == ["a", "b"]
    for number in range(MOST_KEPT + 5):
        kept = keep(conversation(str(number)), kept)
    assert len(kept) == MOST_KEPT
    assert keep(Conversation("empty"), kept) == kept, "nothing said, nothing kept"


def test_a_conversation_does_not_grow_without_end() -> None:
    talked = conversation("a", MOST_TURNS).with_turn(Turn("마지막", "답"))
    assert len(talked.turns) == MOST_TURNS
    assert talked.questions[-1] == "마지막"
    assert read_kept(keep(talked, []))


@pytest.mark.parametrize(
    "value",
    [None, "x", 3, {"a": 1}, [1], [{"id": "a", "turns": "x"}], [{"id": "a", "turns": [{"question": 1, "answer": "x"}]}],
     [{"id": "a", "turns": [{"question": "q", "answer": "x" * 30_000}]}],
     [{"id": "a", "turns": [{"question": "q", "answer": "a", "hits": [{"article_id": "1", "score": 7, "signals": [],
                                                                      "highlight": []}]}]}]],
)  # fmt: skip
def test_what_a_browser_made_up_is_nothing(value: Any) -> None:
    assert read_kept(value) == []


def test_an_export_has_every_turn_with_its_articles_and_no_foreign_markup() -> None:
    found = hit(score=0.8712)
    turn = Turn("첫째 줄\n# 제목 <b>", "답입니다.", scope="법률")
    text = as_markdown([(turn, [found]), (Turn("둘째", "다음 답"), [])], "2026-11-25")
    assert "## 첫째 줄 \\# 제목 \\<b\\>\n\n답입니다.\n\n검색 범위: 법률\n\n1. [" in text
    assert f"({found.url}): 유사도 0.871, 2020-01-01 시행" in text
    assert text.index("둘째") > text.index("0.871")
    assert "<img" not in as_markdown([(Turn(HOSTILE, ""), [])], "2026-11-25").replace("\\<img", "")
