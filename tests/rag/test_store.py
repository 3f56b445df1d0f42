from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import chromadb
import numpy as np
import pytest

from ingest.chunking import chunk_statute
from ingest.pipeline import add, rebuild, remove
from ingest.sources.files import read_file
from rag.embedding import StatuteEmbedder
from rag.errors import StoreBusyError, StoreError, StoreMismatchError
from rag.settings import ROOT, Settings
from rag.statutes import article_id
from rag.store import COLLECTION, StatuteStore, open_for_rebuild, open_store
from tests.samples import mini


def test_a_score_is_the_cosine_similarity(constitution: StatuteStore, embedder: StatuteEmbedder) -> None:
    question = np.asarray(embedder.embed_query("대통령의 임기는 몇 년인가요?"))
    stored = constitution._collection.get(include=["embeddings"])
    exact = dict(zip(stored["ids"], np.asarray(stored["embeddings"]) @ question, strict=True))
    hits = constitution.nearest(question.tolist(), 20)
    spans = constitution.texts.spans(list(exact))
    by_span = {span: exact[chunk] for chunk, span in spans.items()}
    assert [hit.score for hit in hits] == pytest.approx(
        [by_span[hit.article_id, hit.start, hit.end] for hit in hits], abs=1e-4
    )
    assert [hit.score for hit in hits] == pytest.approx(sorted(exact.values(), reverse=True)[:20], abs=1e-4)


def test_a_new_collection_is_in_cosine_space_with_its_manifest(store: StatuteStore, embedder: StatuteEmbedder) -> None:
    assert store.space() == "cosine"
    metadata = store._collection.metadata
    assert metadata["dimension"] == embedder.dimension == 384
    assert (metadata["query_prompt"], metadata["passage_prompt"]) == ("query: ", "passage: ")


def test_a_collection_of_another_space_is_refused(tmp_path: Path, embedder: StatuteEmbedder) -> None:
    client = chromadb.PersistentClient(path=str(tmp_path / "chroma"))
    client.create_collection(COLLECTION, embedding_function=None)  # Chroma's default space is l2
    client.close()
    with pytest.raises(StoreMismatchError, match="l2"):
        open_store(Settings(_env_file=None, home=tmp_path), embedder)


def other_prompts(embedder: StatuteEmbedder) -> StatuteEmbedder:
    return StatuteEmbedder(embedder._encoder, "other", "물음: ", "본문: ")


def test_vectors_of_another_model_are_refused_until_rebuilt(
    open_at: Callable[..., StatuteStore], embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    store = open_at()
    add([mini(tmp_path)], store, embedder, window=256)
    before = store.nearest(embedder.embed_query("빨래터"), 10)
    store.close()
    other = other_prompts(embedder)
    with pytest.raises(StoreMismatchError, match="rebuild"):
        open_at(other)

    reopened, _ = open_for_rebuild(Settings(_env_file=None, home=tmp_path / "home"), other)
    assert rebuild(reopened, other, 256, lambda _: None) == len(before)
    reopened.close()
    assert open_at(other).vector_count() == len(before)


def test_more_vectors_than_one_batch_takes_go_in(store: StatuteStore, embedder: StatuteEmbedder) -> None:
    count = store._client.get_max_batch_size() + 10
    vectors = np.random.default_rng(0).standard_normal((count, embedder.dimension)).astype(np.float32)
    store.put_vectors([f"x:제{n}조#0" for n in range(count)], vectors.tolist())
    assert store.vector_count() == count


def test_a_removed_statute_is_gone_from_texts_and_vectors(
    constitution: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    before = constitution.vector_count()
    add([mini(tmp_path)], constitution, embedder, window=256)
    assert constitution.vector_count() > before
    remove("빨래터의 이용에 관한 법률", constitution)
    assert constitution.vector_count() == before
    assert constitution.texts.find("빨래터의 이용에 관한 법률") is None


def test_articles_that_wait_for_their_vectors_have_no_similarity(store: StatuteStore, tmp_path: Path) -> None:
    statute = read_file(mini(tmp_path))
    store.texts.put(statute, chunk_statute(statute, len, 256), ())
    waiting = [article_id(statute.edition, article.label) for article in statute.articles]
    assert store.texts.spans_of(waiting)
    assert store.similarities([1.0] + [0.0] * 383, waiting) == {}


def test_a_second_writer_in_the_same_process_is_told_so(
    store: StatuteStore, open_at: Callable[..., StatuteStore]
) -> None:
    with store.writer(), pytest.raises(StoreBusyError, match="다른 작업"), open_at().writer():
        pass


def test_a_second_writing_process_is_told_so(store: StatuteStore) -> None:
    code = (
        "import sys; from filelock import FileLock, Timeout\n"
        "try: FileLock(sys.argv[1]).acquire(timeout=0)\nexcept Timeout: sys.exit(7)"
    )
    with store.writer():
        locked = subprocess.run([sys.executable, "-c", code, str(store.home / "writer.lock")], check=False, cwd=ROOT)
    free = subprocess.run([sys.executable, "-c", code, str(store.home / "writer.lock")], check=False, cwd=ROOT)
    assert (locked.returncode, free.returncode) == (7, 0)


def test_a_home_that_cannot_be_made_is_said_plainly(tmp_path: Path, embedder: StatuteEmbedder) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="LAW_HOME"):
        open_store(Settings(_env_file=None, home=tmp_path / "file" / "home"), embedder)


def test_a_broken_text_file_is_said_plainly(tmp_path: Path, embedder: StatuteEmbedder) -> None:
    (tmp_path / "statutes.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match="조문 자료"):
        open_store(Settings(_env_file=None, home=tmp_path), embedder)


def test_a_lost_vector_folder_is_embedded_again(
    open_at: Callable[..., StatuteStore], embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    first = open_at()
    add([mini(tmp_path)], first, embedder, window=256)
    count = first.vector_count()
    first.close()
    (tmp_path / "home" / "chroma").rename(tmp_path / "lost")
    second = open_at()
    assert second.vector_count() == 0
    add([mini(tmp_path)], second, embedder, window=256)
    assert second.vector_count() == count
