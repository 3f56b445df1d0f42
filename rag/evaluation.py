"""Question sets -> metrics: does the retriever find the articles that answer, and abstain where none does?"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import QuestionSetError
from rag.retriever import Search
from rag.statutes import normalize_title

DEPTH = 50
"""How many articles are ranked for a question."""

ArticleKey = tuple[str, str]
"""(statute, article) in comparable form: ('주택임대차보호법', '제3조의2')."""

SearchFunction = Callable[[str, int, Sequence[str]], Search]


@dataclass(frozen=True, slots=True)
class Question:
    """One row of a question set; `gold` is empty where no article answers, else the primary article first."""

    id: str
    question: str
    history: tuple[str, ...]
    gold: tuple[ArticleKey, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """What was found for a question, best first, with its scores, and how long it took."""

    question: Question
    articles: tuple[ArticleKey, ...]
    shown: tuple[tuple[str, str, float], ...]
    confidence: float
    abstained: bool
    seconds: float


def article_key(law: str, article: str) -> ArticleKey:
    """Return an article's name for comparison: white space removed, · as ㆍ."""
    return normalize_title(law), "".join(article.split())


def read_questions(path: Path) -> list[Question]:
    """Read a JSONL question set. Raises QuestionSetError with the number of the broken line."""
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionSetError(f"{path}: 읽을 수 없습니다({error}).") from error
    questions = [_question(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not questions:
        raise QuestionSetError(f"{path}: 질문이 없습니다.")
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise QuestionSetError(f"{path}: id '{question.id}'가 두 번 나옵니다.")
        seen.add(question.id)
    return questions


def _question(line: str, place: str) -> Question:
    try:
        row = json.loads(line)
        golds = ([row["primary"]] if row.get("primary") else []) + list(row.get("also") or [])
        keys = dict.fromkeys(article_key(gold["law"], gold["article"]) for gold in golds)
        question = Question(str(row["id"]), row["question"], tuple(row.get("history") or ()), tuple(keys))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise QuestionSetError(f"{place}: 질문 형식이 아닙니다({error!r}).") from error
    if bool(row.get("unanswerable")) == bool(question.gold):
        raise QuestionSetError(f"{place}: 답이 되는 조문(primary) 또는 unanswerable 가운데 꼭 하나가 있어야 합니다.")
    if not isinstance(question.question, str) or not question.question.strip():
        raise QuestionSetError(f"{place}: question이 비어 있습니다.")
    return question


def rank_all(questions: Sequence[Question], search: SearchFunction) -> Iterator[Ranking]:
    """Yield the ranking of each question, in order."""
    for question in questions:
        started = time.perf_counter()
        found = search(question.question, DEPTH, question.history)
        seconds = time.perf_counter() - started
        shown = tuple((hit.edition.title, hit.article.label, hit.score) for hit in found.hits)
        keys = tuple(article_key(law, label) for law, label, _ in shown)
        yield Ranking(question, keys, shown, found.confidence, found.abstained, seconds)


def metrics(rankings: Sequence[Ranking]) -> dict[str, Any]:
    """Return the figures of a run. Rates are in [0, 1], latencies in milliseconds; None where no row bears on one.

    hit@k: a gold article is among the first k. recall@6: share of the gold articles among the first 6; law_recall@6:
    share of the gold statutes. mrr@10 and ndcg@10: as in TREC, every gold article of gain 1. auroc: how well the
    abstention score tells answerable from unanswerable questions. wrong_answers: unanswerable ones that were answered;
    wrong_refusals: answerable ones that were refused.
    """
    answerable = [r for r in rankings if r.question.gold]
    unanswerable = [r for r in rankings if not r.question.gold]
    figures: dict[str, Any] = {"n": len(rankings), "n_unanswerable": len(unanswerable)}
    for k in (1, 5, 10):
        figures[f"hit@{k}"] = _mean([float(bool(set(r.question.gold) & set(r.articles[:k]))) for r in answerable])
    figures["recall@6"] = _mean([_recall(r.question.gold, r.articles[:6]) for r in answerable])
    figures["law_recall@6"] = _mean([_recall(_laws(r.question.gold), _laws(r.articles[:6])) for r in answerable])
    figures["mrr@10"] = _mean([reciprocal_rank(r.articles, r.question.gold) for r in answerable])
    figures["ndcg@10"] = _mean([ndcg(r.articles, r.question.gold) for r in answerable])
    latencies = sorted(r.seconds * 1000 for r in rankings)
    figures["latency_p50_ms"] = _percentile(latencies, 0.50)
    figures["latency_p95_ms"] = _percentile(latencies, 0.95)
    figures["abstention_auroc"] = auroc([r.confidence for r in answerable], [r.confidence for r in unanswerable])
    figures["wrong_answers"] = _mean([float(not r.abstained) for r in unanswerable])
    figures["wrong_refusals"] = _mean([float(r.abstained) for r in answerable])
    return figures


def auroc(positives: Sequence[float], negatives: Sequence[float]) -> float | None:
    """Return the probability that a positive scores above a negative, ties counting half (Mann-Whitney)."""
    if not positives or not negatives:
        return None
    wins = sum((p > n) + 0.5 * (p == n) for p in positives for n in negatives)
    return wins / (len(positives) * len(negatives))


def run_line(ranking: Ranking) -> str:
    """Return a ranking as a line of a run file: id and the ranked law, article, score."""
    ranked = [{"law": law, "article": label, "score": round(score, 6)} for law, label, score in ranking.shown]
    return json.dumps({"id": ranking.question.id, "ranked": ranked}, ensure_ascii=False)


def _laws(keys: Sequence[ArticleKey]) -> list[str]:
    return list(dict.fromkeys(law for law, _ in keys))


def _recall(gold: Sequence[object], found: Sequence[object]) -> float:
    return len(set(gold) & set(found)) / len(set(gold))


def reciprocal_rank(ranked: Sequence[ArticleKey], gold: Sequence[ArticleKey]) -> float:
    """Return 1 / rank of the first gold article among the first ten; 0 where none is."""
    ranks = (rank for rank, key in enumerate(ranked[:10], 1) if key in gold)
    return 1 / next(ranks, math.inf)


def ndcg(ranked: Sequence[ArticleKey], gold: Sequence[ArticleKey]) -> float:
    """Return the nDCG of the first ten, every gold article of gain 1."""
    gain = sum(1 / math.log2(rank + 1) for rank, key in enumerate(ranked[:10], 1) if key in gold)
    return gain / sum(1 / math.log2(rank + 1) for rank in range(1, min(len(gold), 10) + 1))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least `share` of the values do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None
