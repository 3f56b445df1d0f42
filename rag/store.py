"""The store: article texts (`rag.texts`) and their vectors in Chroma, an embedded folder or a server by URL.

The collection is made in cosine space, so a hit's score is 1 - distance. Its metadata are the manifest of what its
vectors are (model, dimension, prompts, metric); a store built with anything else is refused, never mixed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlparse

import chromadb
import numpy as np
from chromadb.api.client import Client
from chromadb.api.collection_configuration import CreateHNSWConfiguration
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError, NotFoundError
from filelock import FileLock, Timeout

from rag.appended import KINDS
from rag.embedding import StatuteEmbedder, Vectors
from rag.errors import StoreBusyError, StoreError, StoreMismatchError
from rag.lexical import LexicalIndex
from rag.questions import EMPTY, QuestionIndex, load_questions, version_of
from rag.settings import Settings
from rag.texts import Texts

log = logging.getLogger(__name__)

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

Manifest = dict[str, str | int]


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

    def __init__(self, home: Path, texts: Texts, client: Client, expected: Manifest, known: Path | None = None):
        self.home = home
        self.texts = texts
        self.known = known
        self.lexical = LexicalIndex(home / "lexical")
        self.appended = {kind: LexicalIndex(home / kind) for kind in KINDS}
        self.questions_file = home / "questions.npz"
        self._questions: tuple[str, QuestionIndex] = ("", EMPTY)
        self._client = client
        self._expected = expected
        self._collection = self._open_collection()
        self._process_lock = FileLock(home / "writer.lock")
        self._thread_lock = threading.Lock()

    def close(self) -> None:
        """Release the files."""
        self.texts.close()
        self._client.close()

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Hold the store for writing. Raises StoreBusyError at once where another process or thread does."""
        busy = "다른 작업이 법령을 넣거나 빼고 있습니다. 그 작업이 끝난 뒤 다시 해 주십시오."
        if not self._thread_lock.acquire(blocking=False):  # the file lock lets its own process in again
            raise StoreBusyError(busy)
        try:
            with self._process_lock.acquire(timeout=0):
                yield
        except Timeout as error:
            raise StoreBusyError(busy) from error
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
        try:
            found = self._collection.query(
                query_embeddings=np.asarray([vector], dtype=np.float32),
                ids=among,
                n_results=limit,
                include=["distances"],
            )
        except ChromaError as error:
            raise StoreError(
                f"벡터 색인을 검색할 수 없습니다({error}). `python -m ingest rebuild`로 다시 만들 수 있습니다."
            ) from error
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
        found = self._collection.get(ids=list(spans), include=["embeddings"]) if spans else None
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
        return int(self._collection.count())

    def space(self) -> str:
        """Return the distance the collection really uses."""
        hnsw = self._collection.configuration.get("hnsw") or {}
        return str(hnsw.get("space"))

    # Writing

    def put_vectors(self, ids: Sequence[str], vectors: Sequence[Sequence[float]] | Vectors) -> None:
        """Store the vectors of chunks, replacing those of the same ids; shape (ids, dimension)."""
        size = self._client.get_max_batch_size()
        try:
            for start in range(0, len(ids), size):
                part = slice(start, start + size)
                self._collection.upsert(ids=list(ids[part]), embeddings=np.asarray(vectors[part], dtype=np.float32))
        except (ChromaError, OSError) as error:
            raise StoreError(f"벡터를 저장할 수 없습니다({error}). 디스크 공간과 권한을 확인해 주십시오.") from error
        self.texts.mark_embedded(ids)

    def delete_doomed(self) -> int:
        """Delete the vectors whose chunks are no longer part of the text; return how many."""
        size, total = self._client.get_max_batch_size(), 0
        while ids := self.texts.doomed(size):
            self._collection.delete(ids=ids)
            self.texts.forget_doomed(ids)
            total += len(ids)
        return total

    def reset_vectors(self) -> None:
        """Drop every vector, so that all chunks are embedded anew with the model configured now."""
        try:
            self._client.delete_collection(COLLECTION)
        except NotFoundError:
            log.info("no collection to drop")
        self.texts.mark_all_pending()
        self._collection = self._open_collection()

    def _open_collection(self) -> chromadb.Collection:
        try:
            return self._client.get_collection(COLLECTION, embedding_function=None)
        except NotFoundError:
            # No vectors, whatever the texts remember: a new folder, or one that was deleted.
            self.texts.mark_all_pending()
        except (ChromaError, ValueError) as error:
            raise StoreError(f"벡터 색인을 열 수 없습니다({error}).") from error
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


def open_store(settings: Settings, embedder: StatuteEmbedder, *, allow_mismatch: bool = False) -> StatuteStore:
    """Open the store in the data folder, making it where there is none.

    Raises StoreError where the folder cannot be used, and StoreMismatchError (unless `allow_mismatch`, for a rebuild)
    where its vectors are not those of `embedder`.
    """
    texts = open_texts(settings)
    store = StatuteStore(settings.home, texts, _client(settings), manifest(embedder), settings.questions)
    if not allow_mismatch:
        try:
            store.check()
        except StoreMismatchError:
            store.close()
            raise
    return store


def open_texts(settings: Settings) -> Texts:
    """Open only the texts, which needs no model. Raises StoreError where the data folder cannot be used."""
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"자료 폴더 {home}을(를) 만들 수 없습니다({error.strerror}). LAW_HOME을 확인해 주십시오."
        ) from error
    return Texts(home / "statutes.db")


def _client(settings: Settings) -> Client:
    options = ChromaSettings(anonymized_telemetry=False)
    try:
        if settings.chroma_url:
            url = urlparse(settings.chroma_url)
            server = chromadb.HttpClient(
                host=url.hostname or "localhost",
                port=url.port or (443 if url.scheme == "https" else 8000),
                ssl=url.scheme == "https",
                settings=options,
            )
            return cast(Client, server)
        return cast(Client, chromadb.PersistentClient(path=str(settings.home / "chroma"), settings=options))
    except (ChromaError, ValueError, RuntimeError) as error:
        where = settings.chroma_url or settings.home / "chroma"
        raise StoreError(f"Chroma({where})를 열 수 없습니다({error}).") from error
