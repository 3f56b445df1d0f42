"""Chroma's client, an embedded folder or a server by URL; what it cannot do told as a StoreError."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import urlparse

import chromadb
import httpx
from chromadb.api.client import Client
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError

from rag.errors import StoreError
from rag.settings import Settings

CHROMA = "chroma"
"""The folder of the vectors in the data folder."""

REBUILD = "`python -m ingest rebuild`로 다시 만들 수 있습니다."
NO_ROOM = f"디스크 공간과 권한을 확인하고 다시 해 주십시오. 계속되면 {REBUILD}"

_PROBE = (
    "import sys, chromadb\n"
    "client = chromadb.PersistentClient(path=sys.argv[1])\n"
    "client.get_collection(sys.argv[2], embedding_function=None).get(limit=1, include=['embeddings'])\n"
)


def open_client(settings: Settings) -> Client:
    """Open the configured Chroma. Raises StoreError."""
    options = ChromaSettings(anonymized_telemetry=False)
    if settings.chroma_url:
        url = urlparse(settings.chroma_url)
        with told(f"Chroma({settings.chroma_url})를 열 수 없습니다", "LAW_CHROMA_URL과 서버를 확인해 주십시오."):
            server = chromadb.HttpClient(
                host=url.hostname or "localhost",
                port=url.port or (443 if url.scheme == "https" else 8000),
                ssl=url.scheme == "https",
                settings=options,
            )
            return cast(Client, server)
    folder = str(settings.home / CHROMA)
    try:
        with told(f"벡터 색인({folder})을 열 수 없습니다", REBUILD):
            return cast(Client, chromadb.PersistentClient(path=folder, settings=options))
    except StoreError:
        # Chroma keeps what failed to start under its path, for the next who asks for it in this process.
        SharedSystemClient._identifier_to_system.pop(folder, None)
        raise


@contextmanager
def told(what: str, advice: str) -> Iterator[None]:
    """Tell what Chroma cannot do as a StoreError."""
    try:
        yield
    except (ChromaError, httpx.HTTPError, OSError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise StoreError(f"{what}({reason}). {advice}") from error


def loads_elsewhere(folder: Path, collection: str) -> bool:
    """Whether another process can load a collection's vectors; garbage in their graph kills the one that tries."""
    command = [sys.executable, "-c", _PROBE, str(folder), collection]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
