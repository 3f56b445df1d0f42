"""The learned order of candidates: what every signal says of an article -> one score (`embedder/ranking.py` trains it).

A candidate is an article that at least one of the first-stage searches found. Its features say how near it is to the
question by meaning, by words and by known questions, how the others of its statute stand, and what kind of article it
is. A small network, trained listwise on questions whose articles the embedder never saw, orders them. The score is an
order, not a likelihood, and is never shown.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.lexical import bigrams
from rag.questions import Asked
from rag.statutes import Edition

log = logging.getLogger(__name__)

WEIGHTS = Path(__file__).with_name("ranking.json")

Matrix = npt.NDArray[np.float32]

FEATURES = (
    "dense", "dense lead", "dense rank", "question", "question lead", "question rank", "lexical",
    "lexical rank", "statute share", "statute best dense", "statute best question", "statute best lexical",
    "act", "decree", "rule", "other kind", "named", "below named", "title overlap",
    "statute overlap", "purpose", "definition", "penalty", "procedure", "length", "top dense", "top question",
    "question length", "found by all", "asked words", "asked words rank", "votes", "statute votes",
    "statute best asked words", "top asked words",
)  # fmt: skip

_PURPOSE = re.compile(r"^(목적|시행일|다른 법률과의 관계|적용 범위|적용범위|기본이념|책무)")
_DEFINITION = re.compile(r"정의$|^정의|용어의")
_PENALTY = re.compile(r"벌칙|과태료|양벌|가산세|과징금")
_PROCEDURE = re.compile(r"절차|신청|신고|방법|서류|서식")
_KINDS = {"법률": "act", "헌법": "act", "대통령령": "decree"}


@dataclass(frozen=True, slots=True)
class About:
    """What ranking has to know of an article beside the searches: its statute's key, its title, its length."""

    statute: str
    title: str
    length: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the first-stage searches found, each best first: (article id, score). `named` are keys of statutes."""

    question: str
    dense: Sequence[tuple[str, float]]
    lexical: Sequence[tuple[str, float]]
    asked: Asked = field(default_factory=Asked)
    named: frozenset[str] = frozenset()

    def candidates(self) -> list[str]:
        """Return the ids of all articles found, each once."""
        return list(dict.fromkeys(name for found in self.searches() for name, _ in found))

    def searches(self) -> tuple[Sequence[tuple[str, float]], ...]:
        """Return what each search found."""
        return self.dense, self.asked.nearest, self.lexical, self.asked.words


@dataclass(frozen=True, slots=True)
class _Signal:
    """One search as features take it: scores and ranks by article, and what an article not found counts as."""

    scores: Mapping[str, float]
    ranks: Mapping[str, int]
    top: float
    second: float
    floor: float

    @classmethod
    def of(cls, found: Sequence[tuple[str, float]]) -> _Signal:
        ranks = {name: rank for rank, (name, _) in enumerate(found)}
        values = sorted((score for _, score in found), reverse=True) or [0.0]
        return cls(dict(found), ranks, values[0], values[min(1, len(values) - 1)], values[-1])

    def score(self, name: str) -> float:
        return self.scores.get(name, self.floor)

    def lead(self, score: float) -> float:
        """Return how far a score lies above the best of the others; below 0 for all but the first."""
        return score - (self.top if score < self.top else self.second)

    def rank(self, name: str) -> float:
        return 1 / (1 + self.ranks[name] / 4) if name in self.ranks else 0.0

    def best_of(self, groups: Mapping[str, str]) -> dict[str, float]:
        """Return the best score of every group (statute) that the search found an article of."""
        best: dict[str, float] = {}
        for name, score in self.scores.items():
            group = groups.get(name, "")
            best[group] = max(best.get(group, score), score)
        return best


def features(
    evidence: Evidence,
    candidates: Sequence[str],
    about: Mapping[str, About],
    editions: Mapping[str, Edition],
    closeness: Mapping[str, float],
) -> Matrix:
    """Return the features of candidates, shape (candidates, len(FEATURES)).

    `about` is by article id, `editions` by statute key; `closeness` is the cosine of an article's nearest known
    question, by article id, the lowest found where it has none as near. How many questions are known of an article is
    no feature: those that nobody has written any for would be pushed back.
    """
    statute = {name: about[name].statute for name in candidates}
    dense, words = _Signal.of(evidence.dense), _Signal.of(evidence.lexical)
    asked, asked_words = _Signal.of(evidence.asked.nearest), _Signal.of(evidence.asked.words)
    votes, of_statute = evidence.asked.votes, Counter[str]()
    for name, count in votes.items():
        of_statute[statute.get(name, "")] += count
    voters = max(1, sum(votes.values()))
    best_asked_words = asked_words.best_of(statute)
    best_dense, best_words, best_asked = dense.best_of(statute), words.best_of(statute), asked.best_of(statute)
    share = Counter(statute[name] for name, _ in evidence.dense[:30] if name in statute)
    question = frozenset(bigrams(evidence.question))
    in_statute_title = {key: _overlap(editions[key].title, question) for key in set(statute.values())}
    rows = []
    for name in candidates:
        key, title = statute[name], about[name].title
        kind = _KINDS.get(
            editions[key].kind, "rule" if editions[key].kind.endswith(("부령", "총리령")) else "other kind"
        )
        rows.append(
            (
                dense.score(name),
                dense.lead(dense.score(name)),
                dense.rank(name),
                closeness[name],
                asked.lead(closeness[name]),
                asked.rank(name),
                _part(words.score(name), words.top),
                words.rank(name),
                share[key] / max(1, min(30, len(evidence.dense))),
                best_dense.get(key, dense.floor) - dense.top,
                best_asked.get(key, asked.floor) - asked.top,
                _part(best_words.get(key, words.floor), words.top),
                float(kind == "act"),
                float(kind == "decree"),
                float(kind == "rule"),
                float(kind == "other kind"),
                float(key in evidence.named),
                float(any(key.startswith(base) and key != base for base in evidence.named)),
                _overlap(title, question),
                in_statute_title[key],
                float(bool(_PURPOSE.search(title))),
                float(bool(_DEFINITION.search(title))),
                float(bool(_PENALTY.search(title))),
                float(bool(_PROCEDURE.search(title))),
                math.log1p(about[name].length),
                dense.top,
                asked.top,
                math.log1p(len(evidence.question)),
                float(name in dense.ranks and name in words.ranks and name in asked.ranks),
                _part(asked_words.score(name), asked_words.top),
                asked_words.rank(name),
                votes.get(name, 0) / voters,
                of_statute[key] / voters,
                _part(best_asked_words.get(key, asked_words.floor), asked_words.top),
                math.log1p(asked_words.top),
            )
        )
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(FEATURES))


def _part(score: float, top: float) -> float:
    return score / top if top > 0 else 0.0


def _overlap(title: str, question: frozenset[str]) -> float:
    grams = bigrams(title)
    return sum(gram in question for gram in grams) / len(grams) if grams else 0.0


@dataclass(frozen=True, slots=True)
class Network:
    """Layers of (weights, bias) with ReLU between them, after the inputs are centred and scaled."""

    mean: Matrix
    scale: Matrix
    layers: tuple[tuple[Matrix, Matrix], ...]

    def __call__(self, inputs: Matrix) -> Matrix:
        """Return one score a row."""
        values = np.clip((inputs - self.mean) / self.scale, -5, 5)
        for number, (weights, bias) in enumerate(self.layers):
            values = values @ weights.T + bias
            if number < len(self.layers) - 1:
                values = np.maximum(values, 0)
        scores: Matrix = values[:, 0]
        return scores


@dataclass(frozen=True, slots=True)
class Ranker:
    """The trained networks: one orders candidates, one says whether any of them answers."""

    order: tuple[Network, ...]
    answered: Network | None = None

    def scores(self, inputs: Matrix) -> Matrix:
        """Return one score a candidate, the mean of the ensemble."""
        total: Matrix = np.mean([network(inputs) for network in self.order], axis=0)
        return total

    def confidence(self, inputs: Matrix, scores: Matrix) -> float:
        """Return how likely it is, in [0, 1], that the best candidate answers the question."""
        if self.answered is None or len(scores) == 0:
            return 0.0
        logit = float(self.answered(summary(inputs, scores)[None, :])[0])
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def summary(inputs: Matrix, scores: Matrix) -> Matrix:
    """Return what a whole list of candidates says about whether any answers, shape (n,)."""
    best = np.sort(scores)[::-1]
    padded = np.pad(best[:10], (0, max(0, 10 - len(best))), constant_values=best[-1])
    first = inputs[int(np.argmax(scores))]
    share = np.exp(best - best[0])
    return np.concatenate([[best[0], best[0] - padded[1], best[0] - padded[9], 1 / share.sum()], first]).astype(
        np.float32
    )


def fuse(evidence: Evidence, k: float = 60.0) -> dict[str, float]:
    """Return reciprocal rank fusion of the searches, for want of a trained order (Cormack et al., SIGIR 2009)."""
    scores: dict[str, float] = defaultdict(float)
    for found in evidence.searches():
        for rank, (name, _) in enumerate(found):
            scores[name] += 1 / (k + rank + 1)
    return dict(scores)


@cache
def load_ranker(fingerprint: str, path: Path = WEIGHTS) -> Ranker | None:
    """Read the networks trained on the scores of the embedder of that fingerprint; None where there are none."""
    if not path.is_file():
        return None
    stored = json.loads(path.read_text("utf-8"))
    if stored["embedder"] != fingerprint or tuple(stored["features"]) != FEATURES:
        log.warning("the ranking was trained with another embedder; the searches are fused by reciprocal ranks")
        return None
    answered = stored.get("answered")
    return Ranker(tuple(_network(part) for part in stored["order"]), _network(answered) if answered else None)


def _network(stored: Mapping[str, Any]) -> Network:
    def array(values: Any) -> Matrix:
        return np.array(values, dtype=np.float32)

    layers = tuple((array(weights), array(bias)) for weights, bias in stored["layers"])
    return Network(array(stored["mean"]), array(stored["scale"]), layers)
