"""Trains the order of candidates and the score for abstaining (`rag/ranking.py`) over a store of the whole book.

What it learns from: the bank's dev questions and the known questions of dev articles, whose articles the embedder never
saw, and for abstention the unanswerable questions of train and dev. A known question never counts as evidence for
itself, and from a part of the questions all known questions of their own articles are hidden, so that the order does
not lean on an article's being well covered.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from embedder.bank import Row
from rag.evaluation import ArticleKey, article_key, auroc
from rag.ranking import FEATURES, WEIGHTS, Matrix, Network, Ranker, load_ranker, summary
from rag.retriever import StatuteRetriever, in_context

HIDDEN = 48
ENSEMBLE = 4
EPOCHS = 40
RATE = 3e-3
DECAY = 1e-3
RISING = frozenset(FEATURES) - {
    "act", "decree", "rule", "other kind", "below named", "purpose", "definition", "penalty", "procedure", "length",
    "top dense", "top question", "question length", "top asked words",
}  # fmt: skip
"""Features that speak for an article: of two that are alike otherwise the one with more of it never stands behind."""
HIDE = 0.2
"""Share of questions from which all known questions of their articles are hidden: not every article has some."""
NARROW = 0.2
"""Share of questions that are asked over a few statutes as well."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the ids of its articles (none where unanswerable) and the known questions to hide from it.

    `statutes` are the keys of the only ones to search, None for all.
    """

    text: str
    golds: frozenset[str]
    hidden: tuple[int, ...]
    statutes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """The features of a question's candidates and which of them are right."""

    inputs: Matrix
    right: Matrix
    answerable: bool


def examples(retriever: StatuteRetriever, rows: Sequence[Row], seed: int = 0) -> list[Example]:
    """Search for every question and return what ranking learns from; answerable ones only where a gold was found."""
    found: list[Example] = []
    for asked in tqdm(list(_narrowed(retriever, _asked(retriever, rows, seed), seed)), unit="질문"):
        vector = np.asarray(retriever.embedder.embed_query(asked.text), dtype=np.float32)
        candidates = retriever.candidates(asked.text, vector, asked.hidden, asked.statutes)
        right = np.array([name in asked.golds for name in candidates.ids], dtype=np.float32)
        found.append(Example(candidates.inputs, right, bool(asked.golds)))
    return found


def _asked(retriever: StatuteRetriever, rows: Sequence[Row], seed: int) -> Iterator[Asked]:
    known = retriever.store.questions()
    rows_of = known.rows_of()
    ids = retriever.store.texts.article_ids()
    names = {article_key(key, label): identity for (key, label), identity in ids.items()}

    chance = random.Random(seed)

    of_statute: dict[str, list[int]] = defaultdict(list)
    for number, article in enumerate(known.articles):
        of_statute[article.rsplit(":", 1)[0]].append(number)

    def hidden(golds: Iterable[str]) -> tuple[int, ...]:
        """Hide what is known of the articles or, as for a statute a user brings along, of their whole statutes."""
        if chance.random() < 0.8:
            return tuple(number for gold in golds for number in rows_of.get(gold, ()))
        return tuple({number for gold in golds for number in of_statute[gold.rsplit(":", 1)[0]]})

    def golds_of(gold: Sequence[ArticleKey]) -> frozenset[str]:
        return frozenset(names[key] for key in gold if key in names)

    for row in rows:
        text = in_context(row.question, row.history)
        if not row.gold and row.split in ("train", "dev"):
            yield Asked(text, frozenset(), ())
        elif row.gold and row.split == "dev":
            golds = golds_of(row.gold)
            yield Asked(text, golds, ())
            if chance.random() < HIDE:
                yield Asked(text, golds, hidden(golds))
    for number, (article, split) in enumerate(zip(known.articles, known.splits, strict=True)):
        if split == "dev":
            without = hidden([article]) if chance.random() < HIDE else (number,)
            yield Asked(known.texts[number], frozenset([article]), without)


def _narrowed(retriever: StatuteRetriever, every: Iterable[Asked], seed: int) -> Iterator[Asked]:
    """Yield all questions, and some again over a few statutes only: an index may hold one, or a visitor choose one."""
    key_of = {identity: key for (key, _), identity in retriever.store.texts.article_ids().items()}
    keys = sorted(set(key_of.values()))
    chance = random.Random(seed)
    for asked in every:
        yield asked
        if chance.random() < NARROW:
            few = {key_of[gold] for gold in asked.golds} | set(chance.sample(keys, chance.choice((0, 2, 8, 40))))
            yield replace(asked, statutes=frozenset(few or chance.sample(keys, 1)))


def train(found: Sequence[Example], fingerprint: str, path: Path = WEIGHTS, seed: int = 0) -> dict[str, float]:
    """Train both networks, write them, and return figures from a five-fold cross-validation over the questions.

    `fingerprint` is that of the embedder whose scores they were trained on.
    """
    figures = _cross_validate(found, seed)
    ranker = _fit(found, seed)
    path.write_text(json.dumps(_stored(ranker, fingerprint), separators=(",", ":")) + "\n", "utf-8")
    load_ranker.cache_clear()
    return figures


def _cross_validate(found: Sequence[Example], seed: int, folds: int = 5) -> dict[str, float]:
    order = list(range(len(found)))
    random.Random(seed).shuffle(order)
    ranks: list[float] = []
    confident: dict[bool, list[float]] = {True: [], False: []}
    for fold in range(folds):
        held = {order[position] for position in range(fold, len(order), folds)}
        ranker = _fit([example for number, example in enumerate(found) if number not in held], seed, ensemble=1)
        for number in held:
            example = found[number]
            scores = ranker.scores(example.inputs)
            confident[example.answerable].append(ranker.confidence(example.inputs, scores))
            if example.answerable:
                best = np.where(example.right[np.argsort(-scores)] > 0)[0]
                ranks.append(float(best[0]) if len(best) else np.inf)
    values = np.array(ranks)
    figures = {f"hit@{k}": float((values < k).mean()) for k in (1, 5, 10)}
    return {**figures, "auroc": auroc(confident[True], confident[False]) or 0.0}


def _fit(found: Sequence[Example], seed: int, ensemble: int = ENSEMBLE) -> Ranker:
    every = np.concatenate([example.inputs for example in found])
    mean, scale = every.mean(axis=0), every.std(axis=0) + 1e-3
    useful = [example for example in found if example.right.any()]
    order = tuple(_fit_order(useful, mean, scale, seed + number) for number in range(ensemble))
    ranker = Ranker(order)
    return Ranker(order, _fit_answered(ranker, found, seed))


def _fit_order(found: Sequence[Example], mean: Matrix, scale: Matrix, seed: int) -> Network:
    torch.manual_seed(seed)
    chance = random.Random(seed)
    rising = [name in RISING for name in FEATURES]
    model = _rising(rising, HIDDEN)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    ready = [
        (torch.from_numpy(np.clip((example.inputs - mean) / scale, -5, 5)), torch.from_numpy(example.right))
        for example in found
    ]
    steps = EPOCHS * (len(ready) // 16 + 1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(EPOCHS):
        chance.shuffle(ready)
        for start in range(0, len(ready), 16):
            losses = []
            for inputs, right in ready[start : start + 16]:
                likely = torch.log_softmax(model(inputs)[:, 0], dim=0)
                losses.append(-torch.logsumexp(likely[right > 0], dim=0))
            optimizer.zero_grad()
            torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            _turn(model, rising, torch.relu)
    return Network(mean, scale, _layers(model))


def _rising(rising: Sequence[bool], hidden: int) -> torch.nn.Sequential:
    """Return a network of one hidden layer whose score rises with those inputs; `_turn` keeps it so in training."""
    model = torch.nn.Sequential(torch.nn.Linear(len(rising), hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 1))
    _turn(model, rising, torch.abs)
    return model


@torch.no_grad()
def _turn(model: torch.nn.Sequential, rising: Sequence[bool], positive: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Make what a network gives rise with some of its inputs (Archer and Wang, Decision Sciences 1993).

    One half of the hidden units rises with them and counts for an article, the other falls and counts against it.
    """
    inner, outer = (layer.weight for layer in _linear(model))
    half = len(inner) // 2
    inner[:half, rising], inner[half:, rising] = positive(inner[:half, rising]), -positive(-inner[half:, rising])
    outer[:, :half], outer[:, half:] = positive(outer[:, :half]), -positive(-outer[:, half:])


def _fit_answered(ranker: Ranker, found: Sequence[Example], seed: int) -> Network:
    """Logistic regression on what the ranked list as a whole looks like; the answerable ones are those found first."""
    torch.manual_seed(seed)
    rows = [summary(example.inputs, ranker.scores(example.inputs)) for example in found if len(example.inputs)]
    wanted = [float(example.answerable) for example in found if len(example.inputs)]
    inputs, labels = np.stack(rows), torch.tensor(wanted)
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    ready = torch.from_numpy(np.clip((inputs - mean) / scale, -5, 5).astype(np.float32))
    # Of the list as a whole: its best score, how far that leads, and how near anything is.
    rising = [True] * (ready.shape[1] - len(FEATURES)) + [name in RISING or name.startswith("top") for name in FEATURES]
    model = _rising(rising, 8)
    weight = (1 - labels.mean()) / labels.mean()  # as many answerable as unanswerable ones, in effect
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=3e-2)
    for _ in range(400):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(ready)[:, 0], labels, pos_weight=weight)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        _turn(model, rising, torch.relu)
    return Network(mean.astype(np.float32), scale.astype(np.float32), _layers(model))


def _layers(model: torch.nn.Sequential) -> tuple[tuple[Matrix, Matrix], ...]:
    return tuple((layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy()) for layer in _linear(model))


def _linear(model: torch.nn.Sequential) -> list[torch.nn.Linear]:
    return [part for part in model if isinstance(part, torch.nn.Linear)]


def _stored(ranker: Ranker, fingerprint: str) -> dict[str, Any]:
    def network(part: Network | None) -> dict[str, Any] | None:
        if part is None:
            return None
        layers = [[_rounded(weights), _rounded(bias)] for weights, bias in part.layers]
        return {"mean": _rounded(part.mean), "scale": _rounded(part.scale), "layers": layers}

    return {
        "embedder": fingerprint,
        "features": list(FEATURES),
        "order": [network(part) for part in ranker.order],
        "answered": network(ranker.answered),
    }


def _rounded(values: Matrix) -> Any:
    return np.round(values.astype(float), 5).tolist()
