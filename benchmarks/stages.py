"""Where the time of a question goes: `LAW_HOME=… python -m benchmarks.stages questions.jsonl`.

Asks a question set (see `rag eval`) twice. The first round is timed as a whole, the second under the profiler, whose
own cost falls on Python rather than on the libraries: read its shares, and the milliseconds of the first round.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rag.appended import with_appended
from rag.cited import look_up
from rag.embedding import StatuteEmbedder
from rag.evaluation import Question, read_questions
from rag.lexical import LexicalIndex
from rag.questions import QuestionIndex
from rag.ranking import Ranker, features
from rag.retriever import StatuteRetriever, open_retriever
from rag.settings import settings
from rag.store import StatuteStore
from rag.texts import Texts

STAGES: dict[str, tuple[Callable[..., Any], ...]] = {
    "the question's vector": (StatuteEmbedder.embed_query,),
    "cited articles": (look_up, with_appended),
    "nearest chunks (Chroma)": (StatuteStore.nearest, StatuteStore.similarities),
    "words (tantivy)": (LexicalIndex.search,),
    "known questions, by meaning and words": (QuestionIndex.compare, QuestionIndex.find),
    "features of the candidates": (Texts.abouts, features),
    "order and confidence": (Ranker.scores, Ranker.confidence),
    "texts of the hits": (Texts.articles, Texts.coming),
    "marking the paragraph": (StatuteRetriever._mark,),
}
"""Stage -> what does its work. None of these calls another."""


def ask(retriever: StatuteRetriever, questions: Sequence[Question]) -> list[float]:
    """Ask every question as the app does; return the seconds each took."""
    taken = []
    for question in questions:
        started = time.perf_counter()
        retriever.search(question.question, history=question.history)
        taken.append(time.perf_counter() - started)
    return taken


def shares(profile: cProfile.Profile) -> dict[str, float]:
    """Return stage -> its share of the time that `search` took."""
    spent = pstats.Stats(profile).stats  # type: ignore[attr-defined]

    def seconds(function: Callable[..., Any]) -> float:
        code = function.__code__  # type: ignore[attr-defined]
        return float(spent.get((code.co_filename, code.co_firstlineno, code.co_name), (0, 0, 0, 0.0))[3])

    whole = seconds(StatuteRetriever.search)
    found = {stage: sum(map(seconds, functions)) / whole for stage, functions in STAGES.items()}
    return {**found, "all else": 1 - sum(found.values())}


def main() -> None:
    """Read the command line, ask, print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", type=Path)
    questions = read_questions(parser.parse_args().questions)
    with open_retriever(settings()) as retriever:
        ask(retriever, questions[:50])  # what is loaded at first use is no part of it
        taken = ask(retriever, questions)
        with cProfile.Profile() as profile:
            ask(retriever, questions)
    cuts = statistics.quantiles(taken, n=100, method="inclusive")
    print(f"{len(taken)} questions: p50 {1000 * cuts[49]:.0f} ms, p95 {1000 * cuts[94]:.0f} ms\n")
    print("| stage | share | ms at p50 |\n|---|---|---|")
    for stage, share in shares(profile).items():
        print(f"| {stage} | {100 * share:.0f} % | {1000 * share * cuts[49]:.1f} |")


if __name__ == "__main__":
    main()
