"""A conversation as it is kept in the visitor's browser: what was asked, what was answered, which articles were shown.

The browser hands it back as it likes: everything read from there is checked, and articles are read from the store anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from rag.answer import cite
from rag.retriever import Search
from rag.statutes import Hit

MOST_KEPT = 20
"""Conversations kept in a browser, which gives a page about 5 MB."""

MOST_TURNS = 50
Text = Annotated[str, Field(max_length=20_000)]


@dataclass(frozen=True, slots=True)
class Shown:
    """An article that was shown: enough to show it again."""

    article_id: Text
    score: Annotated[float, Field(ge=-1, le=1)]
    signals: Annotated[tuple[Text, ...], Field(max_length=8)]
    highlight: Annotated[tuple[tuple[int, int], ...], Field(max_length=200)]


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and what was answered, as Markdown, with the articles that were shown for it."""

    question: Text
    answer: Text
    abstained: bool = False
    confidence: float = 0.0
    notes: Annotated[tuple[Text, ...], Field(max_length=100)] = ()
    hits: Annotated[tuple[Shown, ...], Field(max_length=50)] = ()
    scope: Text = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns in order, under an id of its own."""

    id: Text
    turns: Annotated[tuple[Turn, ...], Field(max_length=MOST_TURNS)] = ()

    @property
    def questions(self) -> list[str]:
        """What was asked, oldest first."""
        return [turn.question for turn in self.turns]

    def with_turn(self, turn: Turn) -> Conversation:
        """Return the conversation with one turn more; the oldest goes where there are too many."""
        return replace(self, turns=(*self.turns, turn)[-MOST_TURNS:])


_KEPT: TypeAdapter[list[Conversation]] = TypeAdapter(list[Conversation])


def new_conversation() -> Conversation:
    """Return an empty conversation."""
    return Conversation(uuid.uuid4().hex)


def turn_of(search: Search, answer: str, scope: str = "") -> Turn:
    """Return what is kept of a search and its answer."""
    hits = tuple(Shown(hit.article_id, hit.score, hit.signals, hit.highlight) for hit in search.hits)
    return Turn(search.question, answer, search.abstained, search.confidence, search.notes, hits, scope)


def read_kept(value: Any) -> list[Conversation]:
    """Return the conversations that a browser has kept, newest first; none where it hands back something else."""
    try:
        return _KEPT.validate_python(value)[:MOST_KEPT]
    except ValidationError:
        return []


def keep(conversation: Conversation, value: Any) -> list[dict[str, Any]]:
    """Return what a browser is to keep: this conversation before the others."""
    if not conversation.turns:
        return [asdict(other) for other in read_kept(value)]
    others = [other for other in read_kept(value) if other.id != conversation.id]
    return [asdict(kept) for kept in [conversation, *others][:MOST_KEPT]]


def as_markdown(turns: Sequence[tuple[Turn, Sequence[Hit]]], day: str) -> str:
    """Return a conversation as a Markdown document; each turn comes with its articles as they are now."""
    parts = ["# 법령 질의응답 대화", f"내보낸 날: {day}. 법률 자문이 아닙니다. 조문은 수록된 법령의 것입니다."]
    for turn, hits in turns:
        parts += [f"## {_one_line(turn.question)}", turn.answer]
        if turn.scope:
            parts.append(f"검색 범위: {_one_line(turn.scope)}")
        parts.append("\n".join(_row(number, hit) for number, hit in enumerate(hits, 1)))
    return "\n\n".join(part for part in parts if part) + "\n"


def _row(number: int, hit: Hit) -> str:
    effective = f"{hit.edition.effective.isoformat()} 시행" if hit.edition.effective else "시행일 미상"
    return f"{number}. [{_one_line(cite(hit))}]({hit.url}): 유사도 {hit.score:.3f}, {effective}"


def _one_line(text: str) -> str:
    """Return text that stays one line of Markdown and cannot become a heading's, link's or tag's markup."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|~$" else char for char in " ".join(text.split()))
