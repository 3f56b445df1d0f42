"""The store: article texts (`rag.texts`) and their vectors in Chroma, an embedded folder or a server by URL.

The collection is made in cosine space, so a hit's score is 1 - distance. Its metadata are the manifest of what its
vectors are (model, dimension, prompts, metric); a store built with anything else is refused, never mixed.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import chromadb
import numpy as np
from chromadb.api.client import Client
from chromadb.api.collection_configuration import CreateHNSWConfiguration
from chromadb.errors import NotFoundError
from filelock import FileLock, Timeout

from rag.appended import KINDS
from rag.chroma import CHROMA, NO_ROOM, REBUILD, loads_elsewhere, open_client, told
from rag.embedding import StatuteEmbedder, Vectors
from rag.errors import StoreBusyError, StoreError, StoreMismatchError
from rag.lexical import LexicalIndex
from rag.questions import EMPTY, QuestionIndex, load_questions, version_of
from rag.salvage import Salvaged, salvage
from rag.settings import Settings
from rag.texts import Texts

TEXTS, LOCK = "statutes.db", "writer.lock"
COLLECTION = "statutes"
METRIC: Literal["cosine"] = "cosine"
# Searches wider than Chroma's default (100), so that on a whole statute book the nearest articles are not missed, and
# is written to disk less often than every 1,000 vectors: the write-ahead log holds what is not yet.
_HNSW: CreateHNSWConfiguration = {
    "space": METRIC,
    "max_neighbors": 16,
    "ef_construction": 120,
    "ef_search": 200,
    "batch_size": 1_000,
    "sync_threshold": 20_000,
}

_BUSY = "다른 작업이 법령을 넣거나 빼고 있습니다. 그 작업이 끝난 뒤 다시 해 주십시오."

Manifest = dict[str, str | int]
_Answered = TypeVar("_Answered")


@dataclass(frozen=True, slots=True)
class ChunkHit:
    """A chunk near a question: its article, its span of the article's text, the cosine similarity."""

    article_id: str
    start: int
    end: int
    score: float


def manifest(embedder: StatuteEmbedder) -> Manifest:
    """Return what has to be the same for two sets of vectors to be comparable."""
    return {
        "embedder": embedder.name,
        "fingerprint": embedder.fingerprint,
        "dimension": embedder.dimension,
        "query_prompt": embedder.query_prompt,
        "passage_prompt": embedder.passage_prompt,
        "metric": METRIC,
    }


class StatuteStore:
    """Texts and vectors together. Open it with `open_store`; many threads may read, one process may write."""

    def __init__(
        self,
        home: Path,
        texts: Texts,
        client: Client,
        expected: Manifest,
        known: Path | None = None,
        vectors: Path | None = None,
    ):
        self.home = home
        self.texts = texts
        self.known = known
        self.vectors = vectors
        self.lexical = LexicalIndex(home / "lexical")
        self.appended = {kind: LexicalIndex(home / kind) for kind in KINDS}
        self.questions_file = home / "questions.npz"
        self._questions: tuple[str, QuestionIndex] = ("", EMPTY)
        self._client = client
        self._expected = expected
        self._collection = self._open_collection()
        self._process_lock = FileLock(home / LOCK)
        self._thread_lock = threading.Lock()

    def close(self) -> None:
        """Release the files."""
        self.texts.close()
        self._client.close()

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Hold the store for writing. Raises StoreBusyError at once where another process or thread does."""
        if not self._thread_lock.acquire(blocking=False):  # the file lock lets its own process in again
            raise StoreBusyError(_BUSY)
        try:
            with self._process_lock.acquire(timeout=0):
                yield
        except Timeout as error:
            raise StoreBusyError(_BUSY) from error
        finally:
            self._thread_lock.release()

    # Reading

    def nearest(self, vector: Sequence[float], limit: int, statutes: Collection[str] | None = None) -> list[ChunkHit]:
        """Return the `limit` chunks nearest to a unit vector, best first, scored by cosine similarity.

        `statutes` are the keys of those whose chunks count; None: all.
        """
        among = None if statutes is None else self.texts.embedded_chunks(statutes)
        if among == []:
            return []
        asked = np.asarray([vector], dtype=np.float32)
        found = self._ask(
            lambda vectors: vectors.query(query_embeddings=asked, ids=among, n_results=limit, include=["distances"])
        )
        ids, distances = found["ids"][0], (found["distances"] or [[]])[0]
        spans = self.texts.spans(ids)
        return [
            ChunkHit(*spans[chunk], score=max(-1.0, min(1.0, 1.0 - distance)))
            for chunk, distance in zip(ids, distances, strict=True)
            if chunk in spans  # a vector whose text is gone waits to be deleted
        ]

    def similarities(self, vector: Sequence[float], articles: Sequence[str]) -> dict[str, ChunkHit]:
        """Return article id -> its chunk nearest to a unit vector, of those articles that have vectors."""
        spans = self.texts.spans_of(articles)
        found = self._ask(lambda vectors: vectors.get(ids=list(spans), include=["embeddings"])) if spans else None
        if found is None or found["embeddings"] is None or not found["ids"]:  # not embedded yet
            return {}
        scores = np.asarray(found["embeddings"], dtype=np.float32) @ np.asarray(vector, dtype=np.float32)
        best: dict[str, ChunkHit] = {}
        for chunk, score in zip(found["ids"], scores.tolist(), strict=True):
            hit = ChunkHit(*spans[chunk], score=max(-1.0, min(1.0, score)))
            if hit.article_id not in best or best[hit.article_id].score < hit.score:
                best[hit.article_id] = hit
        return best

    def questions(self) -> QuestionIndex:
        """Return the known questions of the articles at hand; read again when they have changed."""
        version = version_of(self.questions_file)
        if self._questions[0] != version:
            self._questions = (version, load_questions(self.questions_file, str(self._expected["fingerprint"])))
        return self._questions[1]

    def vector_count(self) -> int:
        """Return how many vectors are stored."""
        return self._ask(lambda vectors: vectors.count())

    def _ask(self, question: Callable[[chromadb.Collection], _Answered]) -> _Answered:
        """Ask the collection, opening it again where another process has rebuilt it meanwhile."""
        with told("벡터 색인을 검색할 수 없습니다", REBUILD):
            try:
                return question(self._collection)
            except NotFoundError:
                self._collection = self._client.get_collection(COLLECTION, embedding_function=None)
            self.check()
            return question(self._collection)

    def space(self) -> str:
        """Return the distance the collection really uses; Chroma Cloud's index is SPANN."""
        index = self._collection.configuration.get("hnsw") or self._collection.configuration.get("spann") or {}
        return str(index.get("space"))

    # Writing

    def put_vectors(self, ids: Sequence[str], vectors: Sequence[Sequence[float]] | Vectors) -> None:
        """Store the vectors of chunks, replacing those of the same ids; shape (ids, dimension)."""
        with told("벡터를 저장할 수 없습니다", NO_ROOM):
            size = self._client.get_max_batch_size()
            for start in range(0, len(ids), size):
                part = slice(start, start + size)
                self._collection.upsert(ids=list(ids[part]), embeddings=np.asarray(vectors[part], dtype=np.float32))
        self.texts.mark_embedded(ids)

    def settle(self) -> None:
        """Delete the vectors of chunks that are no longer part of the text, and list for embedding those that are lost.

        A server may have been started anew meanwhile over an empty or an older folder, or be another one.
        """
        self._collection = self._open_collection()
        self.check()
        with told("벡터를 지울 수 없습니다", NO_ROOM):
            size = self._client.get_max_batch_size()
            while ids := self.texts.doomed(size):
                self._collection.delete(ids=ids)
                self.texts.forget_doomed(ids)
        _, _, chunks, pending = self.texts.counts()
        if self.vector_count() < chunks - pending:
            embedded = [row[0] for row in self.texts.query("SELECT id FROM chunks WHERE embedded")]
            for start in range(0, len(embedded), size):
                self._list_lost(embedded[start : start + size])

    def _list_lost(self, ids: list[str]) -> None:
        there = set(self._ask(lambda vectors: vectors.get(ids=ids, include=[]))["ids"])
        self.texts.mark_embedded([chunk for chunk in ids if chunk not in there], False)

    def reset_vectors(self) -> None:
        """Drop every vector, so that all chunks are embedded anew with the model configured now."""
        with told("벡터 색인을 지울 수 없습니다", NO_ROOM), suppress(NotFoundError):
            self._client.delete_collection(COLLECTION)
        self.texts.mark_all_pending()
        self._collection = self._open_collection()

    def _open_collection(self) -> chromadb.Collection:
        with told("벡터 색인을 열 수 없습니다", REBUILD):
            try:
                return self._client.get_collection(COLLECTION, embedding_function=None)
            except NotFoundError:
                # No vectors, whatever the texts remember: a new folder, or one that was deleted.
                self.texts.mark_all_pending()
            return self._client.get_or_create_collection(
                COLLECTION,
                metadata=dict(self._expected),
                configuration={"hnsw": _HNSW},
                embedding_function=None,
            )

    def check(self) -> None:
        """Raise StoreMismatchError unless the collection's vectors are those of the configured embedder."""
        # get_or_create returns an existing collection as it is, whatever space is asked for: look at the real one.
        if self.space() != METRIC:
            raise StoreMismatchError(
                f"벡터 색인이 '{self.space()}' 거리로 만들어져 있어 코사인 유사도를 낼 수 없습니다. "
                "`python -m ingest rebuild`로 다시 만들어 주십시오."
            )
        stored = self._collection.metadata or {}
        wrong = {name: stored.get(name) for name, value in self._expected.items() if stored.get(name) != value}
        if wrong:
            differences = ", ".join(
                f"{name}: 색인 {old!r} ≠ 설정 {self._expected[name]!r}" for name, old in wrong.items()
            )
            raise StoreMismatchError(
                f"색인을 만든 임베딩 모델이 지금 설정한 것과 다릅니다({differences}). LAW_EMBEDDER를 되돌리거나 "
                "`python -m ingest rebuild`로 색인을 다시 만들어 주십시오."
            )

    def probe(self) -> None:
        """Load a vector, so that a damaged index is found before it is searched. Raises StoreError."""
        # Chroma takes the process along (SIGSEGV) where its graph is garbage. Then this file stays behind, and the next
        # to come lets another process look first.
        opening = self.home / "opening"
        damaged = "벡터 색인이 손상되었습니다" if self.vectors else "Chroma 서버의 벡터 색인을 읽을 수 없습니다"
        folder = self.vectors if self.vectors and self.vectors.exists() else None
        if folder and opening.exists() and not loads_elsewhere(folder, COLLECTION):
            raise StoreError(f"{damaged}. {REBUILD}")
        with suppress(OSError):  # a folder that is only read
            opening.touch()
        with told(damaged, REBUILD):
            self._collection.get(limit=1, include=["embeddings"])
        with suppress(OSError):
            opening.unlink(missing_ok=True)


def open_store(settings: Settings, embedder: StatuteEmbedder) -> StatuteStore:
    """Open the store in the data folder, making it where there is none.

    Raises StoreError where the folder cannot be used, and StoreMismatchError where its vectors are not those of
    `embedder`.
    """
    store = _open(settings, open_texts(settings), embedder)
    try:
        store.check()
        store.probe()
    except StoreError:
        store.close()
        raise
    return store


def open_for_rebuild(settings: Settings, embedder: StatuteEmbedder) -> tuple[StatuteStore, Salvaged | None]:
    """Open the store without its vectors and words, whatever state they are in, and with what can be read of its texts.

    Return it, and what was salvaged where the texts were damaged. Raises StoreError where the folder cannot be used.
    """
    home = _made(settings.home)
    try:
        with FileLock(home / LOCK).acquire(timeout=0):
            salvaged = salvage(home / TEXTS)
            if not settings.chroma_url:
                _drop(home / CHROMA)
            for words in ("lexical", *KINDS):
                _drop(home / words)
            (home / "opening").unlink(missing_ok=True)
    except Timeout as error:
        raise StoreBusyError(_BUSY) from error
    except OSError as error:
        raise StoreError(f"{home}에 쓸 수 없습니다({error.strerror}). {NO_ROOM}") from error
    return _open(settings, open_texts(settings), embedder), salvaged


def _drop(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _open(settings: Settings, texts: Texts, embedder: StatuteEmbedder) -> StatuteStore:
    try:
        client = open_client(settings)
        try:
            vectors = None if settings.chroma_url else settings.home / CHROMA
            return StatuteStore(settings.home, texts, client, manifest(embedder), settings.questions, vectors)
        except StoreError:
            client.close()
            raise
    except StoreError:
        texts.close()
        raise


def open_texts(settings: Settings) -> Texts:
    """Open only the texts, which needs no model. Raises StoreError where the data folder cannot be used."""
    return Texts(_made(settings.home) / TEXTS)


def _made(home: Path) -> Path:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"자료 폴더 {home}을(를) 만들 수 없습니다({error.strerror}). LAW_HOME을 확인해 주십시오."
        ) from error
    return home
