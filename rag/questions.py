"""Questions known to be answered by an article, as further ways to it: what people ask seldom sounds like the statute.

`corpus/questions.tsv` holds them (law, article, split, question). Those whose article is in the store are embedded at
ingest into one file in the data folder; at question time the nearest of them are found by exact search.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from rag.errors import SettingsError, StoreError
from rag.lexical import TextIndex
from rag.statutes import normalize_title

log = logging.getLogger(__name__)

SPLITS = ("train", "dev", "test")
"""Where a question's article stands in the question bank's splits; see embedder/README.md."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """A question and the article that answers it; `split` is that of the article."""

    law: str
    label: str
    split: str
    text: str


def read_known(path: Path, splits: Collection[str] = SPLITS) -> list[KnownQuestion]:
    """Read a file of known questions, those of some splits. Raises SettingsError, naming the line."""
    if not path.is_file():
        raise SettingsError(f"{path}: 질문 파일이 없습니다. LAW_QUESTIONS를 확인하거나 비워 두십시오.")
    known = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        fields = line.split("\t")
        if len(fields) != 4 or fields[2] not in SPLITS:
            raise SettingsError(f"{path}:{number}: '법령, 조, split, 질문'을 탭으로 나눈 줄이 아닙니다.")
        if fields[2] in splits:
            known.append(KnownQuestion(normalize_title(fields[0]), fields[1], fields[2], fields[3]))
    return known


@dataclass(frozen=True, slots=True)
class Asked:
    """What the known questions say of a question: articles by meaning and by words, best first, and the votes.

    `nearest` are (article id, cosine of its nearest question), `words` (article id, BM25 score of its best question);
    `votes` counts by article id how many of the `VOTERS` nearest questions are the article's.
    """

    nearest: Sequence[tuple[str, float]] = ()
    words: Sequence[tuple[str, float]] = ()
    votes: Mapping[str, int] = field(default_factory=dict)


VOTERS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Nearness:
    """Cosines with a question: of every known question, shape (questions,), and of each article's nearest one."""

    questions: Vectors
    articles: Vectors


class QuestionIndex:
    """The vectors and words of known questions, and the ids of their articles, row by row."""

    def __init__(self, articles: Sequence[str], texts: Sequence[str], splits: Sequence[str], vectors: Vectors):
        self.articles = list(articles)
        self.texts = list(texts)
        self.splits = list(splits)
        self.vectors = vectors
        names = list(dict.fromkeys(self.articles))
        rows = {name: row for row, name in enumerate(names)}
        self._names = np.array(names, dtype=object)
        self._row = rows
        row_of = np.array([rows[article] for article in self.articles], dtype=np.int64)
        self._by_article = np.argsort(row_of, kind="stable")
        self._first = np.searchsorted(row_of[self._by_article], np.arange(len(names)))

    def __len__(self) -> int:
        return len(self.articles)

    def compare(self, vector: Vectors, without: Collection[int] = ()) -> Nearness:
        """Return how near the known questions are to a unit vector; -1 in the rows `without`."""
        if not self.articles:
            return Nearness(np.empty(0, np.float32), np.empty(0, np.float32))
        scores: Vectors = self.vectors @ vector
        if without:
            scores[list(without)] = -1.0
        return Nearness(scores, np.maximum.reduceat(scores[self._by_article], self._first))

    def find(self, question: str, near: Nearness, limit: int, without: Collection[int] = ()) -> Asked:
        """Return what the known questions say, at most `limit` articles each way.

        `near` is from `compare`. Those in the rows `without` are passed over.
        """
        if not self.articles:
            return Asked()
        scores, best = near.questions, near.articles
        order = np.argsort(-best, kind="stable")[:limit]
        nearest = [(str(self._names[row]), float(best[row])) for row in order if best[row] > -1.0]
        voters = np.argpartition(-scores, min(VOTERS, len(scores)) - 1)[:VOTERS]
        votes = Counter(self.articles[row] for row in voters if scores[row] > -1.0)
        return Asked(nearest, self._by_words(question, limit, frozenset(without)), votes)

    def closeness(self, near: Nearness, articles: Sequence[str]) -> list[float]:
        """Return for each article the cosine of its nearest question, -1 where it has none."""
        return [float(near.articles[self._row[name]]) if name in self._row else -1.0 for name in articles]

    def _by_words(self, question: str, limit: int, without: Collection[int]) -> list[tuple[str, float]]:
        best: dict[str, float] = {}
        for row, score in self._words.search(question, 2 * limit + len(without)):
            if row not in without:
                best.setdefault(self.articles[row], score)
        return list(best.items())[:limit]

    @cached_property
    def _words(self) -> TextIndex:
        return TextIndex(self.texts)

    def rows_of(self) -> Mapping[str, list[int]]:
        """Return article id -> rows of its questions."""
        rows: dict[str, list[int]] = defaultdict(list)
        for row, article in enumerate(self.articles):
            rows[article].append(row)
        return rows

    def only(self, splits: Collection[str]) -> QuestionIndex:
        """Return the part whose articles are in these splits."""
        rows = [row for row, split in enumerate(self.splits) if split in splits]
        articles, texts, splits = ([column[row] for row in rows] for column in (self.articles, self.texts, self.splits))
        return QuestionIndex(articles, texts, splits, self.vectors[rows])


EMPTY = QuestionIndex([], [], [], np.empty((0, 0), dtype=np.float32))


def load_questions(path: Path, fingerprint: str) -> QuestionIndex:
    """Return the index that `write_questions` wrote with the same embedder, or an empty one."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["fingerprint"]) != fingerprint:
                log.warning("%s은(는) 다른 임베딩 모델로 만든 것이라 알려진 질문 없이 찾습니다.", path)
                return EMPTY
            articles, texts, splits = (stored[name].tolist() for name in ("articles", "texts", "splits"))
            return QuestionIndex(articles, texts, splits, stored["vectors"].astype(np.float32))
    except FileNotFoundError:
        return EMPTY
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        log.warning("%s을(를) 읽을 수 없어 알려진 질문 없이 찾습니다(%s). 다음 색인 때 다시 만듭니다.", path, error)
        return EMPTY


def write_questions(
    path: Path,
    fingerprint: str,
    known: Iterable[KnownQuestion],
    article_ids: Mapping[tuple[str, str], str],
    embed: Callable[[Sequence[str]], Vectors],
) -> int:
    """Embed the known questions of the articles at hand and write them; return how many were embedded anew.

    `article_ids` maps (statute key, label) to the ids of the articles in the store. Vectors already in the file are
    kept. The file is replaced at once, so a run that is killed leaves the old one.
    """
    wanted = [(article_ids[q.law, q.label], q.text, q.split) for q in known if (q.law, q.label) in article_ids]
    before = load_questions(path, fingerprint)
    if wanted == list(zip(before.articles, before.texts, before.splits, strict=True)):
        return 0
    vector_of = dict(zip(before.texts, before.vectors, strict=True))
    fresh = list(dict.fromkeys(text for _, text, _ in wanted if text not in vector_of))
    if fresh:
        vector_of.update(zip(fresh, embed(fresh), strict=True))
    vectors = np.array([vector_of[text] for _, text, _ in wanted], dtype=np.float16)
    for left in path.parent.glob(f"{path.stem}.*.partial.npz"):  # of a run that was killed; there is one writer
        left.unlink(missing_ok=True)
    partial = path.with_name(f"{path.stem}.{os.getpid()}.partial.npz")
    try:
        _save(partial, fingerprint, wanted, vectors)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StoreError(
            f"알려진 질문을 {path}에 쓸 수 없습니다({error.strerror}). 디스크 공간과 권한을 확인해 주십시오."
        ) from error
    return len(fresh)


def _save(
    path: Path, fingerprint: str, wanted: Sequence[tuple[str, str, str]], vectors: npt.NDArray[np.float16]
) -> None:
    np.savez(
        path,
        fingerprint=np.array(fingerprint),
        articles=np.array([article for article, _, _ in wanted], dtype=str),
        texts=np.array([text for _, text, _ in wanted], dtype=str),
        splits=np.array([split for _, _, split in wanted], dtype=str),
        vectors=vectors,
    )


def version_of(path: Path) -> str:
    """Return what changes whenever the file does; '' where there is none."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return ""
    return hashlib.sha256(f"{stat.st_mtime_ns} {stat.st_size}".encode()).hexdigest()
