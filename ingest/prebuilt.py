"""A ready-made index: written on one machine, checked and put in place on another that could not make it in time.

An index is the parts of a data folder that questions are answered from, with a manifest of every file's size and
SHA-256 and of the model that made the vectors. It comes from a folder, an archive of one (.tar, .tar.gz), or a
dataset on the Hugging Face hub at a commit. Nothing in the data folder is touched before all of it has been checked
and opened; what was there is kept in `replaced`.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock, Timeout

from rag.appended import KINDS
from rag.chroma import CHROMA
from rag.embedding import StatuteEmbedder
from rag.errors import LawError, StoreBusyError, StoreError
from rag.settings import Settings
from rag.store import StatuteStore, manifest, open_store

MANIFEST = "manifest.json"
PARTS = ("statutes.db", CHROMA, "lexical", *KINDS, "questions.npz")
"""What a data folder answers questions from; all else in it (locks, feedback) stays where it is."""

FORMAT = 1
FORM = "hub:소유자/이름@커밋(40자), 폴더 또는 .tar·.tar.gz 파일"

_HUB = re.compile(r"hub:(?P<name>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40})")
_ARCHIVES = (".tar", ".tar.gz", ".tgz")
_INSTALLED = "index.json"
_READY, _PARTIAL, _REPLACED = "incoming", "incoming.partial", "replaced"

Manifest = dict[str, Any]


def export(store: StatuteStore, embedder: StatuteEmbedder, target: Path) -> Manifest:
    """Write the store's index to a new folder, or to an archive where the name ends like one; return its manifest.

    Raises LawError where the target exists, or chunks still wait for their vectors.
    """
    if target.exists():
        raise LawError(f"{target}이(가) 이미 있습니다. 없는 이름을 주십시오.")
    partial = target.with_name(target.name + ".partial")
    try:
        with store.writer():
            statutes, articles, chunks, pending = store.texts.counts()
            if pending or not chunks:
                raise LawError(f"아직 색인이 끝나지 않았습니다(조각 {chunks:,}개 중 {pending:,}개 남음).")
            shutil.rmtree(partial, ignore_errors=True)
            for path in _files(store.home, with_vectors=store.vectors is not None):
                _copy(store.home / path, partial / path)
        about = {
            "format": FORMAT,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "vectors": manifest(embedder),
            "statutes": statutes,
            "articles": articles,
            "chunks": chunks,
            "files": {str(path): _describe(partial / path) for path in _files(partial)},
        }
        (partial / MANIFEST).write_text(json.dumps(about, ensure_ascii=False, indent=1), "utf-8")
        _pack(partial, target) if target.name.endswith(_ARCHIVES) else partial.rename(target)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"색인을 {target}에 쓸 수 없습니다({error}). 디스크 공간과 권한을 확인해 주십시오.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return about


def install(source: str, settings: Settings, embedder: StatuteEmbedder) -> bool:
    """Put an index in the place of the data folder's own; return whether there was anything to do.

    What is checked: the model, every file's size and SHA-256, and that the whole opens. Raises LawError, and leaves
    the data folder as it was, where any of it is not so. A swap that was interrupted is finished first.
    """
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / "writer.lock").acquire(timeout=0):
            _swap(home)
            return _install(source, settings, embedder)
    except Timeout as error:
        raise StoreBusyError("다른 작업이 자료 폴더를 쓰고 있어 색인을 바꾸지 못했습니다.") from error
    except (OSError, tarfile.TarError, sqlite3.Error) as error:
        raise LawError(f"색인({source})을 가져오지 못했습니다: {error}") from error


def _install(source: str, settings: Settings, embedder: StatuteEmbedder) -> bool:
    home = settings.home
    installed = _installed(home)
    if _HUB.fullmatch(source) and installed.get("source") == source:
        return False  # a commit does not change
    partial = home / _PARTIAL
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        fetch = _fetcher(source, partial)
        fetch([MANIFEST])
        about = _read_manifest(partial)
        wanted = manifest(embedder)
        if about.get("vectors") != wanted:
            raise LawError(f"색인({source})을 만든 임베딩 모델이 지금 것과 다릅니다. LAW_EMBEDDER를 맞춰 주십시오.")
        identity = hashlib.sha256((partial / MANIFEST).read_bytes()).hexdigest()
        if installed.get("manifest") == identity:
            return False
        files = _wanted_files(about["files"], source, on_server=bool(settings.chroma_url))
        fetch(list(files))
        _check_files(partial, files, source)
        _check_vectors(settings.model_copy(update={"home": partial}), embedder, about.get("chunks", 0))
        (partial / _INSTALLED).write_text(json.dumps({"source": source, "manifest": identity}), "utf-8")
        shutil.rmtree(home / _REPLACED, ignore_errors=True)
        partial.rename(home / _READY)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _swap(home)
    return True


def _wanted_files(files: dict[str, Manifest], source: str, *, on_server: bool) -> dict[str, Manifest]:
    """Return the files to fetch: less the vectors, where a server has them."""
    others = {name: about for name, about in files.items() if PurePosixPath(name).parts[0] != CHROMA}
    if len(others) == len(files) and not on_server:
        raise LawError(f"색인({source})에 벡터가 없습니다. 벡터가 있는 Chroma 서버를 LAW_CHROMA_URL로 알려 주십시오.")
    return others if on_server else files


def _check_vectors(settings: Settings, embedder: StatuteEmbedder, chunks: int) -> None:
    """Open a fetched index. Raises LawError where that fails, or where the server has not the vectors of its texts."""
    store = open_store(settings, embedder)
    try:
        count = store.vector_count()
    finally:
        store.close()
    if settings.chroma_url and count < chunks:
        raise LawError(
            f"Chroma 서버의 벡터({count:,}개)가 색인의 조각({chunks:,}개)보다 적습니다. 이 색인의 벡터가 있는 서버인지 "
            "확인하고, 그 뒤 법령을 뺐으면 색인을 다시 내보내 주십시오."
        )


def _swap(home: Path) -> None:
    """Move a checked index into place, part by part; done again after an interruption it goes on where it stopped."""
    ready, replaced = home / _READY, home / _REPLACED
    if not ready.is_dir():
        return
    replaced.mkdir(exist_ok=True)
    for part in PARTS:
        new = ready / part
        if new.exists():
            for log in home.glob(part + "-*"):  # an old file's write-ahead log must never meet the new file
                log.replace(replaced / log.name)
            if (home / part).exists():
                (home / part).rename(replaced / part)
            new.rename(home / part)
    if (ready / _INSTALLED).exists():
        (ready / _INSTALLED).replace(home / _INSTALLED)
    shutil.rmtree(ready)


# Where an index comes from: each fetcher brings files, named by their paths in the index, into a folder.


def _fetcher(source: str, into: Path) -> Callable[[list[str]], None]:
    if hub := _HUB.fullmatch(source):
        return lambda names: _from_hub(hub["name"], hub["commit"], names, into)
    path = Path(source)
    if source.startswith("hub:") or not path.exists():
        raise LawError(f"색인 {source!r}을(를) 찾을 수 없습니다. LAW_INDEX는 {FORM}이어야 합니다.")
    if path.is_dir():
        return lambda names: _from_folder(path, names, into)
    if not path.name.endswith(_ARCHIVES):
        raise LawError(f"{path.name}: 색인 파일은 .tar나 .tar.gz여야 합니다.")
    return lambda names: _from_archive(path, names, into)


def _from_hub(name: str, commit: str, names: list[str], into: Path) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        snapshot_download(name, repo_type="dataset", revision=commit, local_dir=into, allow_patterns=names)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise LawError(
            f"허깅페이스 데이터셋 {name}@{commit[:8]}에서 색인을 받지 못했습니다({type(error).__name__}). "
            "이름과 커밋, 네트워크를 확인해 주십시오. 비공개 데이터셋이면 HF_TOKEN이 있어야 합니다."
        ) from error


def _from_folder(folder: Path, names: list[str], into: Path) -> None:
    for name in names:
        if (folder / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, into / name)


def _from_archive(archive: Path, names: list[str], into: Path) -> None:
    wanted = set(names)
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name in wanted:
                tar.extract(member, into, filter="data")
                wanted.discard(member.name)
            if not wanted:
                break  # the manifest comes first


# Files


def _files(folder: Path, *, with_vectors: bool = True) -> Iterator[Path]:
    """Yield the files of an index, relative to its folder, in order; lock and log files are none of them."""
    for part in (part for part in PARTS if with_vectors or part != CHROMA):
        root = folder / part
        found = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
        for path in found:
            if path.exists() and not path.name.endswith((".lock", "-wal", "-shm", "-journal")):
                yield path.relative_to(folder)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix not in (".db", ".sqlite3"):
        shutil.copyfile(source, target)
        return
    # SQLite's own copy: what is in the write-ahead log comes with it.
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")


def _pack(folder: Path, target: Path) -> None:
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        with tarfile.open(unfinished, "w" if target.suffix == ".tar" else "w:gz") as tar:
            for path in [Path(MANIFEST), *_files(folder)]:
                tar.add(folder / path, str(path))
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _describe(path: Path) -> Manifest:
    with path.open("rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _read_manifest(folder: Path) -> Manifest:
    try:
        about: Manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        fits = about["format"] == FORMAT and all(_is_part(name) for name in about["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LawError(f"색인에 읽을 수 있는 {MANIFEST}이 없습니다({type(error).__name__}).") from error
    if not fits:
        raise LawError(f"색인의 {MANIFEST}이 이 프로그램이 아는 형식이 아닙니다.")
    return about


def _is_part(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return parts[:1] in [(part,) for part in PARTS] and ".." not in parts and "\\" not in name


def _check_files(folder: Path, expected: dict[str, Manifest], source: str) -> None:
    for name, wanted in expected.items():
        path = folder / name
        if not path.is_file() or path.is_symlink():
            raise LawError(f"색인({source})에 {name}이(가) 없습니다.")
        if _describe(path) != wanted:
            raise LawError(f"색인({source})의 {name}이(가) {MANIFEST}에 적힌 것과 다릅니다. 다시 만들어 올려 주십시오.")


def _installed(home: Path) -> Manifest:
    try:
        known: Manifest = json.loads((home / _INSTALLED).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known
