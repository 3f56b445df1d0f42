"""Ready-made indexes: exported, checked, put in place; from a folder, an archive and a hub that speaks HTTP."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ingest import prebuilt
from ingest.pipeline import add
from rag.embedding import StatuteEmbedder
from rag.errors import LawError, StoreBusyError
from rag.retriever import make_retriever
from rag.settings import ROOT, Settings
from rag.store import open_store
from tests.samples import mini
from web.service import open_service

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def index(constitution_home: Path, embedder: StatuteEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled corpus as an exported index."""
    home = tmp_path_factory.mktemp("exporting") / "home"
    shutil.copytree(constitution_home, home)
    store = open_store(Settings(_env_file=None, home=home), embedder)
    target = home.parent / "index"
    prebuilt.export(store, embedder, target)
    store.close()
    return target


@pytest.fixture
def options(tmp_path: Path) -> Settings:
    """The settings of a machine that has nothing yet."""
    return Settings(_env_file=None, home=tmp_path / "new-home", corpus=tmp_path / "no-corpus")


def titles(options: Settings, embedder: StatuteEmbedder) -> list[str]:
    store = open_store(options, embedder)
    try:
        return [edition.title for edition in store.texts.editions()]
    finally:
        store.close()


def first(options: Settings, embedder: StatuteEmbedder, question: str) -> tuple[str, float, str]:
    store = open_store(options, embedder)
    try:
        hit = make_retriever(options, store, embedder).search(question, 1).hits[0]
        return hit.article.label, round(hit.score, 5), " ".join(hit.signals)
    finally:
        store.close()


def test_an_index_answers_elsewhere_as_it_did_where_it_was_made(
    index: Path, options: Settings, constitution_home: Path, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    assert prebuilt.install(str(index), options, embedder)
    made = tmp_path / "where-it-was-made"
    shutil.copytree(constitution_home, made)
    question = "대통령의 임기는 몇 년인가요?"
    there = first(options.model_copy(update={"home": made}), embedder, question)
    assert there[0] == "제70조"
    assert first(options, embedder, question) == there
    assert sorted(path.name for path in options.home.iterdir() if path.name in (*prebuilt.PARTS, "incoming")) == sorted(
        prebuilt.PARTS
    )


def test_the_same_index_again_is_nothing_to_do(index: Path, options: Settings, embedder: StatuteEmbedder) -> None:
    assert prebuilt.install(str(index), options, embedder)
    assert not prebuilt.install(str(index), options, embedder)


@pytest.mark.parametrize("name", ["index.tar", "index.tar.gz"])
def test_an_archive_serves_as_a_folder_does(
    name: str, constitution_home: Path, options: Settings, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    shutil.copytree(constitution_home, tmp_path / "home")
    store = open_store(options.model_copy(update={"home": tmp_path / "home"}), embedder)
    prebuilt.export(store, embedder, tmp_path / name)
    store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["home", name])
    assert prebuilt.install(str(tmp_path / name), options, embedder)
    assert titles(options, embedder) == ["대한민국헌법"]


def test_what_was_there_before_is_kept_aside(
    index: Path, options: Settings, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    store = open_store(options, embedder)
    add([mini(tmp_path / "own")], store, embedder, window=256)
    store.close()
    (options.home / "feedback.jsonl").write_text("{}\n")
    prebuilt.install(str(index), options, embedder)
    assert titles(options, embedder) == ["대한민국헌법"]
    assert (options.home / "feedback.jsonl").exists()
    before = options.model_copy(update={"home": options.home / "replaced"})
    assert titles(before, embedder) == ["빨래터의 이용에 관한 법률"]


def spoil_bytes(index: Path) -> None:
    database = index / "statutes.db"
    content = bytearray(database.read_bytes())
    content[5000] ^= 1
    database.write_bytes(content)


def leave_out(index: Path) -> None:
    (index / "questions.npz").unlink()


def other_model(index: Path) -> None:
    edit(index, lambda about: about["vectors"].update(fingerprint="of another"))


def other_format(index: Path) -> None:
    edit(index, lambda about: about.update(format=99))


def climb_out(index: Path) -> None:
    edit(index, lambda about: about["files"].update({"chroma/../../evil": {"size": 0, "sha256": ""}}))


def no_manifest(index: Path) -> None:
    (index / prebuilt.MANIFEST).write_text("[]")


def not_a_database(index: Path) -> None:
    (index / "statutes.db").write_bytes(b"nothing of the kind" * 500)
    edit(index, lambda about: about["files"].update({"statutes.db": prebuilt._describe(index / "statutes.db")}))


def edit(index: Path, change: Callable[[dict], object]) -> None:  # type: ignore[type-arg]
    about = json.loads((index / prebuilt.MANIFEST).read_text("utf-8"))
    change(about)
    (index / prebuilt.MANIFEST).write_text(json.dumps(about), "utf-8")


@pytest.mark.parametrize(
    "spoil", [spoil_bytes, leave_out, other_model, other_format, climb_out, no_manifest, not_a_database]
)
def test_an_index_that_is_not_what_it_says_changes_nothing(
    spoil: Callable[[Path], None], index: Path, options: Settings, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    store = open_store(options, embedder)
    add([mini(tmp_path / "own")], store, embedder, window=256)
    store.close()
    copied = tmp_path / "index"
    shutil.copytree(index, copied)
    spoil(copied)
    with pytest.raises(LawError) as told:
        prebuilt.install(str(copied), options, embedder)
    assert "Traceback" not in str(told.value)
    assert titles(options, embedder) == ["빨래터의 이용에 관한 법률"]
    assert not [path for path in options.home.iterdir() if path.name.startswith("incoming")]


@pytest.mark.parametrize("source", ["hub:owner/name", "hub:owner/name@main", "/does/not/exist", "README.md"])
def test_a_source_that_is_none_is_told(source: str, options: Settings, embedder: StatuteEmbedder) -> None:
    with pytest.raises(LawError, match=r"색인"):
        prebuilt.install(source, options, embedder)


def test_an_interrupted_swap_is_finished_at_the_next_start(
    index: Path, options: Settings, embedder: StatuteEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(options, embedder)
    add([mini(tmp_path / "own")], store, embedder, window=256)
    store.close()
    rename, moved = Path.rename, []

    def die_midway(self: Path, target: Path) -> Path:
        if len(moved) == 4:  # the checked index is ready, the texts are swapped, the vectors are half so
            raise KeyboardInterrupt
        moved.append(target)
        return rename(self, target)

    with monkeypatch.context() as dying:
        dying.setattr(Path, "rename", die_midway)
        with pytest.raises(KeyboardInterrupt):
            prebuilt.install(str(index), options, embedder)
    assert not (options.home / "chroma").exists()
    assert not prebuilt.install(str(index), options, embedder), "finishing it is all there is to do"
    assert titles(options, embedder) == ["대한민국헌법"]
    assert first(options, embedder, "대통령의 임기는 몇 년인가요?")[0] == "제70조"


def test_while_another_process_writes_nothing_is_swapped(
    index: Path, options: Settings, embedder: StatuteEmbedder
) -> None:
    store = open_store(options, embedder)
    with store.writer(), pytest.raises(StoreBusyError):
        prebuilt.install(str(index), options, embedder)
    store.close()


def test_the_app_goes_on_without_an_index_it_cannot_have(options: Settings, tmp_path: Path) -> None:
    mini(tmp_path / "corpus")
    service = open_service(options.model_copy(update={"index": "/no/such/index", "corpus": tmp_path / "corpus"}))
    service.start().join()
    assert [stored.edition.title for stored in service.inventory()] == ["빨래터의 이용에 관한 법률"]
    assert "/no/such/index" in service.job.problems[0]
    assert "계속합니다" in service.job.problems[0]
    service.close()


def test_an_unfinished_index_is_not_exported(options: Settings, embedder: StatuteEmbedder, tmp_path: Path) -> None:
    store = open_store(options, embedder)
    with pytest.raises(LawError, match="아직"):
        prebuilt.export(store, embedder, tmp_path / "index")
    assert not (tmp_path / "index").exists()
    store.close()


class Hub(BaseHTTPRequestHandler):
    """Enough of the hub for its own client: a dataset's list of files at a commit, and the files."""

    root: Path
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        names = {str(path.relative_to(self.root)): path for path in self.root.rglob("*") if path.is_file()}
        prefix = f"/datasets/owner/laws/resolve/{COMMIT}/"
        if self.path.startswith(f"/api/datasets/owner/laws/revision/{COMMIT}"):
            siblings = [{"rfilename": name} for name in names]
            self.send(json.dumps({"id": "owner/laws", "sha": COMMIT, "siblings": siblings}).encode())
        elif self.path.startswith(f"/api/datasets/owner/laws/tree/{COMMIT}"):
            tree = [{"type": "file", "path": name, "size": p.stat().st_size, "oid": "0"} for name, p in names.items()]
            self.send(json.dumps(tree).encode())
        elif self.path.startswith(prefix) and self.path.removeprefix(prefix) in names:
            content = names[self.path.removeprefix(prefix)].read_bytes()
            self.send(content, {"X-Repo-Commit": COMMIT, "ETag": f'"{hash(content)}"'})
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_HEAD = do_GET

    def send(self, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(200)
        for name, value in ((headers or {}) | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(index: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of a hub that has the index as owner/laws, and what it was asked."""
    handler = type("OneDataset", (Hub,), {"root": index, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler.asked
    server.shutdown()
    server.server_close()


def import_index(source: str, home: Path, endpoint: str) -> subprocess.CompletedProcess[str]:
    """Run the command, which is how the hub's client gets to read HF_ENDPOINT."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LAW_", "HF_"))}
    env |= {"HF_ENDPOINT": endpoint, "LAW_HOME": str(home), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    command = [sys.executable, "-m", "ingest", "import-index", source]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_an_index_comes_from_a_dataset_at_a_commit(
    hub: tuple[str, list[str]], options: Settings, embedder: StatuteEmbedder
) -> None:
    endpoint, asked = hub
    source = f"hub:owner/laws@{COMMIT}"
    done = import_index(source, options.home, endpoint)
    assert done.returncode == 0, done.stderr
    assert titles(options, embedder) == ["대한민국헌법"]
    asked.clear()
    assert "이미" in import_index(source, options.home, endpoint).stdout
    assert asked == [], "a commit does not change, so the hub need not be asked again"


def test_a_dataset_that_is_not_there_is_told_in_korean(hub: tuple[str, list[str]], options: Settings) -> None:
    done = import_index(f"hub:owner/other@{COMMIT}", options.home, hub[0])
    assert done.returncode == 1
    assert "owner/other" in done.stderr
    assert "HF_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr
