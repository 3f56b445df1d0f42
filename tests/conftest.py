"""What the tests share: the statute book where it is at hand, the shipped model, stores in temporary folders."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from rag.embedding import StatuteEmbedder, load_embedder
from rag.settings import ROOT, Settings
from rag.store import StatuteStore, open_store

# How long an example takes says how busy the machine is, nothing of what is tested.
hypothesis.settings.register_profile("law", deadline=None)
hypothesis.settings.load_profile("law")

SHARED = ROOT.parent / "shared"
ARCHIVE = SHARED / "statutes" / "kr-2026-06-08.tar.xz"


@pytest.fixture(scope="session")
def statute_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole statute book, unpacked: kr/<법령>/<종류>.md."""
    if unpacked := os.environ.get("STATUTE_BOOK"):
        return Path(unpacked)
    if not ARCHIVE.exists():
        pytest.skip(f"the statute book is not at hand ({ARCHIVE.name}); set STATUTE_BOOK to an unpacked kr folder")
    folder = tmp_path_factory.mktemp("statutes")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "kr"


@pytest.fixture(scope="session")
def real_pdfs() -> list[Path]:
    """PDFs as law.go.kr gives them."""
    found = sorted((SHARED / "pdf").glob("*.pdf"))
    if not found:
        pytest.skip("the sample PDFs of law.go.kr are not at hand")
    return found


@pytest.fixture(scope="session")
def embedder() -> StatuteEmbedder:
    """The shipped model."""
    return load_embedder(Settings(_env_file=None))


@pytest.fixture
def open_at(tmp_path: Path, embedder: StatuteEmbedder) -> Iterator[Callable[..., StatuteStore]]:
    """Opens the store of this test's data folder, as often as asked; closes all at the end."""
    opened: list[StatuteStore] = []

    def open_it(using: StatuteEmbedder = embedder) -> StatuteStore:
        opened.append(open_store(Settings(_env_file=None, home=tmp_path / "home"), using))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(open_at: Callable[..., StatuteStore]) -> StatuteStore:
    """An empty store."""
    return open_at()


@pytest.fixture(scope="session")
def constitution_home(tmp_path_factory: pytest.TempPathFactory, embedder: StatuteEmbedder) -> Path:
    """A data folder that holds the bundled corpus; copy it before writing to it."""
    from ingest.pipeline import add

    home = tmp_path_factory.mktemp("constitution")
    indexed = open_store(Settings(_env_file=None, home=home), embedder)
    add([ROOT / "corpus"], indexed, embedder, window=256)
    indexed.close()
    return home


@pytest.fixture
def constitution(constitution_home: Path, tmp_path: Path, embedder: StatuteEmbedder) -> Iterator[StatuteStore]:
    """A store of its own that holds the bundled corpus."""
    home = tmp_path / "constitution"
    shutil.copytree(constitution_home, home)
    opened = open_store(Settings(_env_file=None, home=home), embedder)
    yield opened
    opened.close()
