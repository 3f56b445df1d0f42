"""What visitors thought of answers: one JSON line for each opinion, kept on this machine, readable as a question set.

A line is `{"id", "at", "question", "history", "liked", "abstained", "hits": [{"law", "article", "score"}, …]}`. Where
an answer was liked it says what was right, and becomes a row of a question set (`as_question_set`); where it was
disliked the right article is not known, and a person has to say it.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rag.errors import QuestionSetError
from rag.retriever import Search

log = logging.getLogger(__name__)

FILE = "feedback.jsonl"
MOST_BYTES = 50_000_000
"""Of a file that visitors can make grow."""

_writing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Opinion:
    """One visitor's opinion of one answer."""

    id: str
    question: str
    history: tuple[str, ...]
    liked: bool
    abstained: bool
    hits: tuple[tuple[str, str], ...]
    """(law, article), best first."""


def note_opinion(path: Path, search: Search, history: Sequence[str], liked: bool, now: datetime) -> bool:
    """Append an opinion of an answer; return whether there was room for it. Raises OSError."""
    row = {
        "id": uuid.uuid4().hex[:12],
        "at": now.isoformat(timespec="seconds"),
        "question": search.question,
        "history": list(history),
        "liked": liked,
        "abstained": search.abstained,
        "hits": [
            {"law": hit.edition.title, "article": hit.article.label, "score": round(hit.score, 4)}
            for hit in search.hits
        ],
    }
    with _writing:
        if path.exists() and path.stat().st_size > MOST_BYTES:
            log.warning("%s is full; an opinion was not kept", path)
            return False
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return True


def read_opinions(path: Path) -> list[Opinion]:
    """Return the opinions, of several on one question the last. Raises QuestionSetError, naming the line."""
    try:
        lines = path.read_text("utf-8").split("\n")  # a question may have separators that `splitlines` takes for lines
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionSetError(f"{path}: 읽을 수 없습니다({error}).") from error
    opinions: dict[tuple[str, ...], Opinion] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        opinion = _opinion(line, f"{path}:{number}")
        key = (*opinion.history, opinion.question)
        opinions.pop(key, None)
        opinions[key] = opinion
    return list(opinions.values())


def as_question_set(opinions: Sequence[Opinion]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a question set that liked answers make: their best article, or that there is none."""
    for opinion in opinions:
        if not opinion.liked or not (opinion.hits or opinion.abstained):
            continue
        law, article = opinion.hits[0] if opinion.hits else ("", "")
        yield {
            "id": opinion.id,
            "question": opinion.question,
            "history": list(opinion.history),
            "primary": None if opinion.abstained else {"law": law, "article": article},
            "also": [],
            "unanswerable": opinion.abstained,
        }


def _opinion(line: str, place: str) -> Opinion:
    try:
        row = json.loads(line)
        hits = tuple((str(hit["law"]), str(hit["article"])) for hit in row["hits"])
        history = tuple(map(str, row["history"]))
        return Opinion(str(row["id"]), str(row["question"]), history, bool(row["liked"]), bool(row["abstained"]), hits)
    except (ValueError, KeyError, TypeError) as error:
        raise QuestionSetError(f"{place}: 의견의 형식이 아닙니다({error!r}).") from error
