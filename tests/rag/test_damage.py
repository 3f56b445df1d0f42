"""Damaged, full and read-only data folders: a sentence says what to do, the texts stay, a rebuild mends the rest."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import chromadb
import numpy as np
import pytest

from ingest.pipeline import add, rebuild
from ingest.sources.markdown import read_markdown
from rag.embedding import StatuteEmbedder
from rag.errors import StoreBusyError, StoreError
from rag.retriever import make_retriever
from rag.salvage import salvage
from rag.settings import ROOT, Settings
from rag.statutes import Statute
from rag.store import COLLECTION, StatuteStore, open_for_rebuild, open_store
from rag.texts import Texts
from tests.samples import mini

QUESTION = "대통령의 임기는 몇 년인가요?"


def garble(path: Path, start: int = 0, size: int | None = None) -> None:
    data = bytearray(path.read_bytes())
    end = len(data) if size is None else min(len(data), start + size)
    data[start:end] = np.random.default_rng(1).bytes(end - start)
    path.write_bytes(bytes(data))


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def settings(home: Path) -> Settings:
    return Settings(_env_file=None, home=home, questions=None)


@pytest.fixture(scope="module")
def written_out(constitution_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled corpus indexed, its graph written out to files, as it is with more than 20,000 vectors."""
    home = tmp_path_factory.mktemp("written") / "home"
    shutil.copytree(constitution_home, home)
    folder = home / "chroma"
    client = chromadb.PersistentClient(path=str(folder))
    before = client.get_collection(COLLECTION, embedding_function=None)
    metadata, stored = before.metadata, before.get(include=["embeddings"])
    client.close()
    shutil.rmtree(folder)
    client = chromadb.PersistentClient(path=str(folder))
    after = client.create_collection(
        COLLECTION,
        metadata=metadata,
        configuration={"hnsw": {"space": "cosine", "batch_size": 50, "sync_threshold": 50}},
        embedding_function=None,
    )
    for start in range(0, len(stored["ids"]), 50):
        part = slice(start, start + 50)
        after.upsert(ids=stored["ids"][part], embeddings=np.asarray(stored["embeddings"])[part])
    client.close()
    assert list((home / "chroma").glob("*/data_level0.bin"))
    return home


@pytest.fixture
def home(written_out: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    shutil.copytree(written_out, tmp_path / "home")
    return tmp_path / "home"


def segment(home: Path) -> Path:
    (found,) = {path.parent for path in (home / "chroma").glob("*/data_level0.bin")}
    return found


def no_folder(home: Path) -> None:
    shutil.rmtree(home / "chroma")
    (home / "chroma").write_text("no folder")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "database is garbage": lambda home: garble(home / "chroma" / "chroma.sqlite3"),
    "database is cut off": lambda home: halve(home / "chroma" / "chroma.sqlite3"),
    "graph is gone": lambda home: shutil.rmtree(segment(home)),
    "graph's header is garbage": lambda home: garble(segment(home) / "header.bin"),
    "graph's ids are garbage": lambda home: garble(segment(home) / "index_metadata.pickle"),
    "folder is a file": no_folder,
    "words are garbage": lambda home: garble(home / "lexical" / "meta.json"),
    "words are cut off": lambda home: [halve(file) for file in (home / "lexical").glob("*.store")],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_index_is_told_and_dropped_for_a_rebuild(home: Path, embedder: StatuteEmbedder, damage: str) -> None:
    DAMAGE[damage](home)
    with pytest.raises(StoreError, match="ingest rebuild"):
        open_store(settings(home), embedder)
    store, salvaged = open_for_rebuild(settings(home), embedder)
    statutes, articles, chunks, pending = store.texts.counts()
    store.close()
    assert salvaged is None
    assert (statutes, articles) == (1, 131)
    assert chunks == pending > 131


def test_a_rebuild_answers_as_before_whatever_was_damaged(home: Path, embedder: StatuteEmbedder) -> None:
    options = Settings(_env_file=None, home=home)
    before = open_store(options, embedder)
    expected = make_retriever(options, before, embedder).search(QUESTION, 5)
    before.close()
    garble(home / "chroma" / "chroma.sqlite3")
    shutil.rmtree(segment(home))
    garble(home / "lexical" / "meta.json")
    garble(home / "lexical" / "held.json")
    (home / "questions.npz").write_bytes(b"PK\x03\x04 no zip")
    store, _ = open_for_rebuild(options, embedder)
    rebuild(store, embedder, 256, lambda _: None)
    found = make_retriever(options, store, embedder).search(QUESTION, 5)
    store.close()
    assert [(hit.article_id, hit.signals) for hit in found.hits] == [
        (hit.article_id, hit.signals) for hit in expected.hits
    ]
    assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in expected.hits], abs=1e-3)


def test_a_rebuild_waits_for_nobody_who_is_writing(home: Path, embedder: StatuteEmbedder) -> None:
    store = open_store(settings(home), embedder)
    with store.writer(), pytest.raises(StoreBusyError):
        open_for_rebuild(settings(home), embedder)
    assert store.nearest(embedder.embed_query(QUESTION), 1), "nothing was dropped under the writer's feet"
    store.close()


def run(home: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "LAW_HOME": str(home), "LAW_QUESTIONS": "", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False, **options
    )


def told(result: subprocess.CompletedProcess[str]) -> str:
    """Return what a run that failed said: a sentence, no stack trace."""
    assert result.returncode == 1, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert "오류: " in result.stderr
    return result.stderr


def test_a_graph_that_kills_the_process_is_told_the_next_time(home: Path) -> None:
    """Chroma's graph is C++ that believes its file: one that is cut off is a segmentation fault."""
    halve(segment(home) / "data_level0.bin")
    first = run(home, "rag", "ask", QUESTION)
    assert first.returncode != 0
    assert "ingest rebuild" in told(run(home, "rag", "ask", QUESTION))


def test_a_damaged_text_file_from_the_command_line(constitution_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(constitution_home, home)
    garble(home / "statutes.db")
    for suffix in ("-wal", "-shm"):
        (home / f"statutes.db{suffix}").unlink(missing_ok=True)
    assert "ingest rebuild" in told(run(home, "ingest", "status"))
    rebuilt = run(home, "ingest", "rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "온전한 법령 0개" in rebuilt.stdout
    assert (home / "statutes.db.damaged").exists()
    assert "법령 0," in run(home, "ingest", "status").stdout


def many(folder: Path, count: int) -> list[Statute]:
    statutes = []
    for number in range(count):
        path = mini(
            folder, f"{number}.md", title=f"제{number} 빨래터법", law_id=f"90{number:04}", penalty="벌칙 " * 300
        )
        statutes.append(read_markdown(path))
    return statutes


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.99])
def test_what_is_whole_in_a_damaged_text_file_is_salvaged(tmp_path: Path, place: float) -> None:
    statutes = {statute.edition.title: statute for statute in many(tmp_path, 60)}
    path = tmp_path / "statutes.db"
    texts = Texts(path)
    for statute in statutes.values():
        texts.put(statute, ())
    texts.close()
    data = path.read_bytes()
    pages = [n for n in range(len(data) // 4096) if "벌칙 벌칙".encode() in data[n * 4096 : (n + 1) * 4096]]
    garble(path, pages[int(len(pages) * place)] * 4096, 3 * 4096)

    salvaged = salvage(path)

    assert salvaged is not None
    assert salvaged.damaged.stat().st_size == len(data), "the damaged file is kept"
    texts = Texts(path)
    whole = {stored.edition.title: texts.statute(stored.edition) for stored in texts.statutes()}
    texts.close()
    assert len(whole) == salvaged.whole
    assert all(statute.fingerprint() == statutes[title].fingerprint() for title, statute in whole.items())
    assert not set(whole) & set(salvaged.lost)
    assert 40 <= len(whole) < 60
    assert salvage(path) is None


def test_a_sound_text_file_is_left_alone(tmp_path: Path) -> None:
    assert salvage(tmp_path / "statutes.db") is None
    Texts(tmp_path / "statutes.db").close()
    before = (tmp_path / "statutes.db").read_bytes()
    assert salvage(tmp_path / "statutes.db") is None
    assert (tmp_path / "statutes.db").read_bytes() == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB; only root can make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def complete(home: Path, embedder: StatuteEmbedder) -> bool:
    store: StatuteStore = open_store(settings(home), embedder)
    counts = store.texts.counts()
    indexed = (len(store.lexical), store.vector_count())
    store.close()
    return counts[1:] == (131, indexed[1], 0) and indexed[0] == 131


def test_a_full_disk_is_told_and_the_next_run_goes_on(small_disk: Path, embedder: StatuteEmbedder) -> None:
    home = small_disk / "home"
    home.mkdir()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2_600_000))
    assert "디스크" in told(run(home, "ingest", "add", str(ROOT / "corpus")))
    ballast.unlink()
    mended = run(home, "ingest", "add", str(ROOT / "corpus"))
    assert mended.returncode == 0, mended.stderr
    assert complete(home, embedder)


def test_a_file_that_must_not_grow_is_told_and_the_next_run_goes_on(tmp_path: Path, embedder: StatuteEmbedder) -> None:
    """What a quota does, without a file system of its own."""
    home = tmp_path / "home"
    limit = 300_000
    stopped = run(
        home,
        "ingest",
        "add",
        str(ROOT / "corpus"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    told(stopped)
    assert run(home, "ingest", "add", str(ROOT / "corpus")).returncode == 0
    assert complete(home, embedder)


def test_a_folder_that_is_only_read_is_told(constitution_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(constitution_home, home)
    if os.geteuid() != 0:
        for path in (*home.rglob("*"), home):
            path.chmod(path.stat().st_mode & ~0o222)
        assert "권한" in told(run(home, "ingest", "add", str(ROOT / "corpus")))
        return
    if (
        not shutil.which("mount")
        or subprocess.run(
            ["mount", "--bind", "-o", "ro", str(home), str(home)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("root writes everywhere, and nothing can be mounted here")
    try:
        assert "권한" in told(run(home, "ingest", "add", str(ROOT / "corpus")))
    finally:
        subprocess.run(["umount", str(home)], check=True)


def test_questions_that_cannot_be_read_are_embedded_again(
    open_at: Callable[..., StatuteStore], embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    known = tmp_path / "known.tsv"
    known.write_text("빨래터의 이용에 관한 법률\t제2조\ttrain\t빨래터 몇 시까지 해요?\n", "utf-8")
    store = open_at()
    store.known = known
    add([mini(tmp_path)], store, embedder, 256)
    assert len(store.questions()) == 1
    garble(store.questions_file)
    assert len(store.questions()) == 0
    add([mini(tmp_path)], store, embedder, 256)
    assert len(store.questions()) == 1


def test_words_whose_list_is_gone_are_brought_in_again(constitution: StatuteStore, embedder: StatuteEmbedder) -> None:
    (constitution.home / "lexical" / "meta.json").unlink()
    home = constitution.home
    constitution.close()
    store = open_store(settings(home), embedder)
    assert len(store.lexical) == 0
    add([ROOT / "corpus"], store, embedder, 256)
    assert len(store.lexical) == 131
    store.close()


def test_sqlite_s_own_words_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "statutes.db"
    Texts(path).close()
    sqlite3.connect(path).execute("DROP TABLE chunks").connection.close()
    garble(path, 0, 16)
    with pytest.raises(StoreError, match=r"not a database.*rebuild"):
        Texts(path)
