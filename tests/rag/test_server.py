"""Vectors on a real Chroma server: shared, away, restarted, emptied, of another model."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from pydantic import ValidationError

from ingest import pipeline, prebuilt
from ingest.pipeline import add, rebuild, remove
from rag.embedding import StatuteEmbedder
from rag.errors import LawError, StoreError, StoreMismatchError
from rag.retriever import make_retriever
from rag.settings import ROOT, Settings
from rag.store import StatuteStore, open_for_rebuild, open_store
from tests.rag.chroma_server import ChromaServer
from tests.samples import mini

QUESTION = "대통령의 임기는 몇 년인가요?"
AWAY = "Chroma 서버가 답하지 않습니다.*서버가 켜져 있는지"

# A process that answers as the app does, for as long as it is asked.
WORKER = """
import json, sys
from rag.errors import LawError
from rag.retriever import open_retriever
from rag.settings import settings
with open_retriever(settings()) as retriever:
    for line in sys.stdin:
        try:
            hits = retriever.search(line.strip(), 3, highlight=False).hits
            answer = [[hit.article_id, hit.signals, round(hit.score, 3)] for hit in hits]
        except LawError as error:
            answer = str(error)
        print(json.dumps(answer), flush=True)
"""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="module")
def served(constitution_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled corpus as it was indexed in one folder: a server takes its vectors over as they are."""
    folder = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(constitution_home, folder)
    return folder


@pytest.fixture
def server(served: Path, tmp_path: Path) -> Iterator[ChromaServer]:
    """A server that holds the vectors of the bundled corpus."""
    shutil.copytree(served / "chroma", tmp_path / "server")
    running = ChromaServer(tmp_path / "server")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[ChromaServer]:
    """A server that holds nothing."""
    running = ChromaServer(tmp_path / "empty")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def options(served: Path, server: ChromaServer, tmp_path: Path) -> Settings:
    """The rest of the data folder, and where the vectors are."""
    shutil.copytree(served, tmp_path / "home", ignore=shutil.ignore_patterns("chroma"))
    return Settings(_env_file=None, home=tmp_path / "home", questions=None, chroma_url=server.url)


@pytest.fixture
def open_at(options: Settings, embedder: StatuteEmbedder) -> Iterator[Callable[..., StatuteStore]]:
    """Opens the store on the server, as another app process would; closes all at the end."""
    opened: list[StatuteStore] = []

    def open_it(using: StatuteEmbedder = embedder, settings: Settings = options) -> StatuteStore:
        opened.append(open_store(settings, using))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


def run(options: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(options), capture_output=True, text=True, check=False, timeout=120
    )


def environment(options: Settings) -> dict[str, str]:
    mine = {"LAW_HOME": str(options.home), "LAW_CHROMA_URL": options.chroma_url, "LAW_QUESTIONS": ""}
    return {**os.environ, **mine, "PYTHONIOENCODING": "utf-8"}


class Worker:
    def __init__(self, options: Settings):
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            cwd=ROOT,
            env=environment(options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def send(self, question: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, question: str) -> Any:
        self.send(question)
        return self.answer()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


def test_statutes_go_to_a_server_and_are_found_as_in_a_folder(
    empty: ChromaServer, constitution: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    settings = Settings(_env_file=None, home=tmp_path / "home", questions=None, chroma_url=empty.url)
    store = open_store(settings, embedder)
    add([ROOT / "corpus"], store, embedder, 256)
    add([mini(tmp_path)], store, embedder, 256)
    remove("빨래터의 이용에 관한 법률", store)
    # By vectors alone: what was removed still counts in the statistics of the words, here and not there.
    there, here = (make_retriever(settings, each, embedder) for each in (store, constitution))
    there.stages = here.stages = frozenset({"dense"})
    found, expected = there.search(QUESTION, 5), here.search(QUESTION, 5)
    assert store.vector_count() == constitution.vector_count()
    assert store.space() == "cosine"
    assert [hit.article_id for hit in found.hits] == [hit.article_id for hit in expected.hits]
    assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in expected.hits], abs=1e-3)
    assert not (tmp_path / "home" / "chroma").exists()
    store.close()


def test_two_processes_answer_while_a_third_puts_statutes_in_and_over_a_restart(
    open_at: Callable[..., StatuteStore],
    options: Settings,
    server: ChromaServer,
    embedder: StatuteEmbedder,
    tmp_path: Path,
) -> None:
    elsewhere = options.model_copy(update={"home": tmp_path / "elsewhere"})  # another machine, with a copy of the texts
    shutil.copytree(options.home, elsewhere.home)
    workers = [Worker(options), Worker(elsewhere)]
    first, second = (worker.ask(QUESTION) for worker in workers)
    assert first == second
    assert first[0][0].endswith("제70조")
    assert "dense" in first[0][1]

    store = open_at()
    for worker in workers:
        worker.send(QUESTION)
    add([mini(tmp_path)], store, embedder, 256)
    assert [worker.answer() for worker in workers] == [first, first]
    new = "빨래터는 몇 시까지 여나요?"
    end = time.monotonic() + 20  # another process looks for new words twice a second
    while (mine := workers[0].ask(new))[0][0] != "999001:제2조" and time.monotonic() < end:
        time.sleep(0.2)
    assert mine[0][0] == "999001:제2조"
    assert "dense" in mine[0][1]
    assert not any(hit[0].startswith("999001") for hit in workers[1].ask(new)), "its texts are a copy made before"

    server.stop()
    for worker in workers:
        assert "Chroma 서버가 답하지 않습니다" in worker.ask(QUESTION)
    server.start()
    assert [worker.ask(QUESTION) for worker in workers] == [first, first]

    rebuilt, _ = open_for_rebuild(options, embedder)
    rebuild(rebuilt, embedder, 256, lambda _: None)
    rebuilt.close()
    assert [worker.ask(QUESTION)[0][0] for worker in workers] == [first[0][0]] * 2, "the collection is a new one"
    for worker in workers:
        worker.close()


def test_an_ingest_that_the_server_cuts_goes_on_where_it_was(
    empty: ChromaServer,
    embedder: StatuteEmbedder,
    tmp_path: Path,
    constitution: StatuteStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 32)
    settings = Settings(_env_file=None, home=tmp_path / "home", questions=None, chroma_url=empty.url)
    store = open_store(settings, embedder)
    done: list[int] = []

    def cut(progress: pipeline.Progress) -> None:
        if progress.stage == "임베딩" and progress.done == 64:
            empty.stop()

    with pytest.raises(StoreError, match=AWAY):
        add([ROOT / "corpus"], store, embedder, 256, cut)
    total, pending = store.texts.counts()[2:]
    assert pending == total - 64
    empty.start()
    add([ROOT / "corpus"], store, embedder, 256, lambda p: done.append(p.total) if p.stage == "임베딩" else None)
    assert done[0] == pending, "what was stored is not embedded again"
    assert store.vector_count() == total == constitution.vector_count()
    stored, expected = (each._collection.get(include=["embeddings"]) for each in (store, constitution))
    assert sorted(stored["ids"]) == sorted(expected["ids"])
    store.close()


def test_a_server_that_is_not_there_is_told(options: Settings, server: ChromaServer, embedder: StatuteEmbedder) -> None:
    server.stop()
    with pytest.raises(StoreError, match=AWAY) as told:
        open_store(options, embedder)
    assert server.url in str(told.value)
    added = run(options, "ingest", "add", str(ROOT / "corpus"))
    assert (added.returncode, "Traceback" in added.stderr) == (1, False)
    assert "Chroma 서버가 답하지 않습니다" in added.stderr


def test_a_server_that_hangs_is_not_waited_for_longer_than_said(
    open_at: Callable[..., StatuteStore], options: Settings, server: ChromaServer, embedder: StatuteEmbedder
) -> None:
    store = open_at(settings=options.model_copy(update={"chroma_timeout": 1.0}))
    vector = embedder.embed_query(QUESTION)
    expected = store.nearest(vector, 3)
    server.signal(signal.SIGSTOP)
    with pytest.raises(StoreError, match="timed out"):
        store.nearest(vector, 3)
    with pytest.raises(StoreError, match="timed out"):
        open_store(options.model_copy(update={"chroma_timeout": 1.0}), embedder)
    server.signal(signal.SIGCONT)
    assert store.nearest(vector, 3) == expected


def test_vectors_of_another_model_are_refused_at_opening_and_while_asking(
    open_at: Callable[..., StatuteStore], options: Settings, embedder: StatuteEmbedder
) -> None:
    other = StatuteEmbedder(embedder._encoder, "other", "물음: ", "본문: ")
    running = open_at()
    with pytest.raises(StoreMismatchError, match="rebuild"):
        open_at(other)
    rebuilt, _ = open_for_rebuild(options, other)
    rebuilt.reset_vectors()
    rebuilt.close()
    with pytest.raises(StoreMismatchError, match="LAW_EMBEDDER"):
        running.nearest(embedder.embed_query(QUESTION), 3)


def test_a_server_that_lost_everything_is_told_and_filled_again(
    open_at: Callable[..., StatuteStore], server: ChromaServer, embedder: StatuteEmbedder
) -> None:
    store = open_at()
    count = store.vector_count()
    server.stop()
    shutil.rmtree(server.folder)
    server.start()
    with pytest.raises(StoreError, match="벡터 색인을 검색할 수 없습니다"):
        store.nearest(embedder.embed_query(QUESTION), 3)
    add([ROOT / "corpus"], store, embedder, 256)
    assert store.vector_count() == count


def test_a_server_put_back_to_an_older_state_gets_what_it_lacks(
    open_at: Callable[..., StatuteStore], server: ChromaServer, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    server.stop()
    shutil.copytree(server.folder, tmp_path / "backup")
    server.start()
    store = open_at()
    add([mini(tmp_path)], store, embedder, 256)
    count = store.vector_count()
    server.stop()
    shutil.rmtree(server.folder)
    (tmp_path / "backup").rename(server.folder)
    server.start()
    assert store.vector_count() < count
    embedded: list[int] = []
    add([mini(tmp_path)], store, embedder, 256, lambda p: embedded.append(p.total) if p.stage == "임베딩" else None)
    assert store.vector_count() == count
    assert set(embedded) == {3}, "only the articles that are not there"


def test_more_vectors_than_the_server_takes_at_once_go_in(
    open_at: Callable[..., StatuteStore], embedder: StatuteEmbedder
) -> None:
    store = open_at()
    before = store.vector_count()
    count = store._client.get_max_batch_size() + 10
    vectors = np.random.default_rng(0).standard_normal((count, embedder.dimension)).astype(np.float32)
    store.put_vectors([f"x:제{n}조#0" for n in range(count)], vectors)
    assert store.vector_count() == before + count


def test_other_machines_get_all_but_the_vectors_from_an_exported_index(
    open_at: Callable[..., StatuteStore], options: Settings, served: Path, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    here = open_at()
    prebuilt.export(here, embedder, tmp_path / "index")
    assert not (tmp_path / "index" / "chroma").exists()
    there = options.model_copy(update={"home": tmp_path / "there"})
    assert prebuilt.install(str(tmp_path / "index"), there, embedder)
    found = [make_retriever(there, store, embedder).search(QUESTION, 3) for store in (here, open_at(settings=there))]
    assert found[0].hits == found[1].hits
    with pytest.raises(LawError, match="LAW_CHROMA_URL"):
        prebuilt.install(str(tmp_path / "index"), Settings(_env_file=None, home=tmp_path / "alone"), embedder)

    # An index with vectors of its own does as well, less those; not so where the server's are fewer.
    shutil.copytree(served, tmp_path / "folder")
    in_folder = open_at(settings=Settings(_env_file=None, home=tmp_path / "folder", questions=None))
    prebuilt.export(in_folder, embedder, tmp_path / "whole.tar")
    third = options.model_copy(update={"home": tmp_path / "third"})
    assert prebuilt.install(str(tmp_path / "whole.tar"), third, embedder)
    assert not (third.home / "chroma").exists()
    here._collection.delete(ids=here._collection.get(limit=1, include=[])["ids"])
    with pytest.raises(LawError, match="적습니다"):
        prebuilt.install(
            str(tmp_path / "whole.tar"), options.model_copy(update={"home": tmp_path / "fourth"}), embedder
        )


class Gate(BaseHTTPRequestHandler):
    """A proxy under /chroma that lets through who has the token."""

    protocol_version = "HTTP/1.1"
    behind = ""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = 401, b"who are you?"
        if self.headers.get("Authorization") == "Bearer s3cret":
            url = self.behind + self.path.removeprefix("/chroma")
            answered = httpx.request(self.command, url, content=body, headers={"Content-Type": "application/json"})
            status, answer = answered.status_code, answered.content
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet."""


def test_a_token_opens_the_proxy_before_a_server(
    open_at: Callable[..., StatuteStore],
    options: Settings,
    server: ChromaServer,
    embedder: StatuteEmbedder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Gate, "behind", server.url)
    gate = ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    threading.Thread(target=gate.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{gate.server_port}/chroma/"
    behind = {**options.model_dump(), "chroma_url": url}
    store = open_at(settings=Settings(_env_file=None, **{**behind, "chroma_token": "s3cret"}))
    assert store.nearest(embedder.embed_query(QUESTION), 1)
    with pytest.raises(StoreError, match=r"who are you\?.*LAW_CHROMA_") as told:
        open_at(settings=Settings(_env_file=None, **{**behind, "chroma_token": "wr0ng"}))
    assert "wr0ng" not in str(told.value)
    gate.shutdown()
    gate.server_close()


def test_a_database_that_is_not_there_is_told(
    options: Settings, server: ChromaServer, embedder: StatuteEmbedder
) -> None:
    with pytest.raises(StoreError, match="LAW_CHROMA_"):
        open_store(options.model_copy(update={"chroma_database": "other"}), embedder)


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "http://user:word@host:8000", "ftp://host"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="chroma_url"):
        Settings(_env_file=None, chroma_url=url)
