"""Training files: (query, passage, negatives) made from the question bank and from mined pairs, and the dev set beside.

No pair of a training file points at an article that is gold in the bank's dev or test split.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from embedder.bank import Row
from embedder.mining import MinedPair
from ingest.chunking import chunk_article
from rag.evaluation import ArticleKey, article_key
from rag.questions import KnownQuestion
from rag.statutes import Article, Edition, Statute

HELD_OUT = ("dev", "test")


@dataclass(frozen=True, slots=True)
class Pair:
    """A query, the passage that answers it, passages that do not; `gold` is the passage's article."""

    query: str
    positive: str
    negatives: tuple[str, ...]
    gold: ArticleKey
    kind: str


class Plan(BaseModel):
    """Which pairs a recipe trains on: the questions or not, and how many mined pairs of each kind.

    `mined` are of statutes that the bank has questions on, `mined_elsewhere` of the others. `arrange` is the batch
    size to arrange neighbouring articles for (0: shuffled), `run` how many neighbours come together.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    questions: bool = True
    mined: dict[str, int] = {}
    mined_elsewhere: dict[str, int] = {}
    arrange: int = 0
    run: int = 32
    rounds: int = 1
    most: int | None = None
    window: int = 256
    distractors: int = 2500
    seed: int = 0


class Book:
    """The articles of a statute book by key, cut into passages when asked for."""

    def __init__(self, statutes: Iterable[Statute], count_tokens: Callable[[str], int], window: int):
        self._articles: dict[ArticleKey, tuple[Edition, Article]] = {
            article_key(statute.edition.key, article.label): (statute.edition, article)
            for statute in statutes
            if not statute.edition.repealed
            for article in statute.articles
            if not article.deleted
        }
        self._count = count_tokens
        self._window = window
        self._cut: dict[ArticleKey, list[str]] = {}

    def __contains__(self, key: ArticleKey) -> bool:
        return key in self._articles

    def keys(self) -> list[ArticleKey]:
        """Return every article's key, in the order of the statutes."""
        return list(self._articles)

    def passages(self, key: ArticleKey) -> list[str]:
        """Return an article's chunks as they are embedded."""
        if key not in self._cut:
            chunks = chunk_article(*self._articles[key], self._count, self._window)
            self._cut[key] = [chunk.text for chunk in chunks]
        return self._cut[key]

    def best_passage(self, key: ArticleKey, query: str) -> str:
        """Return the chunk that shares most character bigrams with the query."""
        passages = self.passages(key)
        if len(passages) == 1:
            return passages[0]
        asked = bigrams(query)
        return max(passages, key=lambda text: len(asked & bigrams(text)))


def bigrams(text: str) -> set[str]:
    """Return the character bigrams of a text without its white space."""
    dense = "".join(text.split())
    return {dense[i : i + 2] for i in range(len(dense) - 1)}


def held_out(rows: Iterable[Row]) -> set[ArticleKey]:
    """Return the articles that are gold in dev or test."""
    return {key for row in rows if row.split in HELD_OUT for key in row.gold}


def question_pairs(rows: Iterable[Row], book: Book) -> Iterator[Pair]:
    """Yield a pair for every gold article of every train question."""
    for row in rows:
        if row.split == "train":
            for key in row.gold:
                if key in book:
                    yield Pair(row.asked, book.best_passage(key, row.asked), (), key, row.style)


def known_pairs(known: Iterable[KnownQuestion], book: Book) -> Iterator[Pair]:
    """Yield a pair for every known question of the train split."""
    for question in known:
        key = (question.law, question.label)
        if question.split == "train" and key in book:
            yield Pair(question.text, book.best_passage(key, question.text), (), key, "known")


def make(
    plan: Plan, rows: Sequence[Row], known: Iterable[KnownQuestion], mined: Iterable[MinedPair], book: Book
) -> list[Pair]:
    """Return the pairs of a plan in the order they are trained in, `plan.rounds` times over if they are arranged."""
    asked = [*question_pairs(rows, book), *known_pairs(known, book)] if plan.questions else []
    asked = list({(pair.query, pair.gold): pair for pair in asked}.values())
    closed = held_out(rows)
    familiar = {law for row in rows for law, _ in row.gold}
    near: list[MinedPair] = []
    far: list[MinedPair] = []
    for pair in mined:
        (near if pair.gold[0] in familiar else far).append(pair)
    arranged: list[Pair] = []
    for number in range(plan.rounds):
        pairs = [
            *asked,
            *mined_pairs(near, book, closed, plan.mined, plan.seed + number),
            *mined_pairs(far, book, closed, plan.mined_elsewhere, plan.seed + number),
        ]
        if plan.arrange:
            arranged += arrange(pairs, book.keys(), plan.arrange, plan.run, plan.seed + number)
        else:
            random.Random(plan.seed + number).shuffle(pairs)
            arranged += pairs
    return arranged[: plan.most]


def mined_pairs(
    mined: Iterable[MinedPair], book: Book, closed: set[ArticleKey], quotas: Mapping[str, int], seed: int = 0
) -> Iterator[Pair]:
    """Yield a sample of mined pairs, so many of a kind as `quotas` says, none of which points at a `closed` article."""
    by_kind: dict[str, list[MinedPair]] = defaultdict(list)
    for pair in mined:
        if pair.gold in book and pair.gold not in closed:
            by_kind[pair.kind].append(pair)
    for kind, wanted in quotas.items():
        for pair in random.Random(seed).sample(by_kind[kind], min(wanted, len(by_kind[kind]))):
            yield Pair(pair.query, book.best_passage(pair.gold, pair.query), (), pair.gold, kind)


def arrange(pairs: Sequence[Pair], order: Sequence[ArticleKey], batch: int, run: int, seed: int) -> list[Pair]:
    """Return pairs in an order whose batches are made of runs of neighbouring articles, so that they are hard.

    Within a batch no article and no query comes twice, since the other passages of a batch count as wrong. What fits
    into no whole batch is left out.
    """
    place = {key: position for position, key in enumerate(order)}
    chance = random.Random(seed)
    shuffled = list(pairs)
    chance.shuffle(shuffled)
    layers: dict[int, list[Pair]] = defaultdict(list)
    seen: Counter[ArticleKey] = Counter()
    for pair in shuffled:
        layers[seen[pair.gold]].append(pair)
        seen[pair.gold] += 1
    runs: list[list[Pair]] = []
    for layer in layers.values():
        layer.sort(key=lambda pair: place[pair.gold])
        offset = chance.randrange(run)  # other neighbours come together in another epoch
        runs += [layer[max(0, start) : start + run] for start in range(-offset, len(layer), run)]
    chance.shuffle(runs)
    return _fill(runs, batch)


def _fill(runs: Sequence[Sequence[Pair]], batch: int) -> list[Pair]:
    """Pack runs into batches without an article or query twice; a run that does not fit waits for a later batch."""
    arranged: list[Pair] = []
    waiting = deque(pair_run for pair_run in runs if pair_run)
    while waiting:
        current: list[Pair] = []
        taken: set[object] = set()
        for _ in range(len(waiting)):
            pair_run = waiting.popleft()
            own: list[Pair] = []
            rest: list[Pair] = []
            for pair in pair_run:
                free = pair.gold not in taken and pair.query not in taken and len(current) + len(own) < batch
                (own if free else rest).append(pair)
                if free:
                    taken.update((pair.gold, pair.query))
            current += own
            if rest:
                waiting.append(rest)
            if len(current) == batch:
                break
        if len(current) < batch:
            break
        arranged += current
    return arranged


def write_pairs(path: Path, pairs: Sequence[Pair], seed: int | None = None) -> None:
    """Write pairs as JSONL, shuffled if a seed is given."""
    shuffled = list(pairs)
    if seed is not None:
        random.Random(seed).shuffle(shuffled)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for pair in shuffled:
            fields = {name: getattr(pair, name) for name in Pair.__slots__}
            file.write(json.dumps(fields, ensure_ascii=False) + "\n")


def read_pairs(path: Path) -> list[Pair]:
    """Read a file that `write_pairs` wrote."""
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [
        Pair(row["query"], row["positive"], tuple(row["negatives"]), (row["gold"][0], row["gold"][1]), row["kind"])
        for row in rows
    ]


def write_dev_set(path: Path, rows: Iterable[Row], book: Book, distractors: int, seed: int = 0) -> None:
    """Write beside a training file what training is watched with: dev questions, their articles and random others."""
    asked = [row for row in rows if row.split == "dev" and row.gold and all(key in book for key in row.gold)]
    golds = {key for row in asked for key in row.gold}
    others = random.Random(seed).sample(book.keys(), distractors)
    names = {key: str(number) for number, key in enumerate(sorted(golds | set(others)))}
    passages = {f"{name}#{n}": text for key, name in names.items() for n, text in enumerate(book.passages(key))}
    relevant = {
        row.id: [f"{names[key]}#{n}" for key in row.gold for n in range(len(book.passages(key)))] for row in asked
    }
    content = {"queries": {row.id: row.asked for row in asked}, "passages": passages, "relevant": relevant}
    path.parent.mkdir(parents=True, exist_ok=True)
    _dev_path(path).write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def dev_set(path: Path) -> tuple[dict[str, str], dict[str, str], dict[str, set[str]]]:
    """Return (queries, passages, relevant passages of a query), by id, of the dev set beside a training file."""
    content = json.loads(_dev_path(path).read_text("utf-8"))
    return content["queries"], content["passages"], {name: set(ids) for name, ids in content["relevant"].items()}


def _dev_path(path: Path) -> Path:
    return path.with_suffix(".dev.json")
