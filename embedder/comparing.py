"""Compares run files of `python -m rag eval --run`: figures by style, and paired bootstrap intervals of differences.

The resampling is over questions (Sakai, SIGIR 2006): a difference whose interval leaves out 0 is not a matter of which
questions happened to be asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from embedder.bank import Row
from rag.evaluation import ArticleKey, article_key, ndcg, reciprocal_rank

FIGURES = ("hit@1", "hit@5", "hit@10", "mrr@10", "ndcg@10")
SAMPLES = 2000

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure or a difference with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def read_run(path: Path) -> dict[str, list[ArticleKey]]:
    """Return question id -> ranked articles of a run file."""
    rows = (json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip())
    return {row["id"]: [article_key(hit["law"], hit["article"]) for hit in row["ranked"]] for row in rows}


def figures_of(ranked: Sequence[ArticleKey], gold: Sequence[ArticleKey]) -> tuple[float, ...]:
    """Return the figures of one question, in the order of FIGURES."""
    hits = (float(not set(gold).isdisjoint(ranked[:depth])) for depth in (1, 5, 10))
    return (*hits, reciprocal_rank(ranked, gold), ndcg(ranked, gold))


def table(rows: Sequence[Row], runs: Mapping[str, Mapping[str, Sequence[ArticleKey]]]) -> list[str]:
    """Return lines of Markdown: every run's figures, how far its hit@5 is from that of the first, and hit@5 by style.

    Only answerable questions that every run has are counted.
    """
    asked = [row for row in rows if row.gold and all(row.id in run for run in runs.values())]
    styles = list(dict.fromkeys(row.style for row in asked))
    values = {
        name: np.array([figures_of(run[row.id], row.gold) for row in asked], dtype=np.float64)
        for name, run in runs.items()
    }
    base = next(iter(values.values()))
    lines = [
        f"{len(asked)} questions",
        "| | " + " | ".join(FIGURES) + " | hit@5 against the first |",
        "|---" * (len(FIGURES) + 2) + "|",
    ]
    for name, own in values.items():
        cells = [str(bootstrap(own[:, column])) for column in range(len(FIGURES))]
        difference = "" if own is base else str(bootstrap(own[:, 1] - base[:, 1]))
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {difference} |")
    counts = {style: np.array([row.style == style for row in asked]) for style in styles}
    lines += [
        "",
        "hit@5 by style | " + " | ".join(f"{style} ({mask.sum()})" for style, mask in counts.items()),
        "|".join(["---"] * (len(styles) + 1)),
    ]
    for name, own in values.items():
        lines.append(f"{name} | " + " | ".join(f"{own[mask, 1].mean():.3f}" for mask in counts.values()))
    return lines


def bootstrap(values: Values, seed: int = 0) -> Interval:
    """Return the mean of per-question values with its 95 % interval."""
    chance = np.random.default_rng(seed)
    means = values[chance.integers(0, len(values), (SAMPLES, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))
