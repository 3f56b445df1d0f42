"""Chroma's client, an embedded folder or a server by URL; what it cannot do told as a StoreError."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlparse

import chromadb
import httpx
from chromadb.api.client import Client
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError

from rag.errors import StoreError
from rag.settings import Settings

CHROMA = "chroma"
"""The folder of the vectors in the data folder."""

CLOUD = ".trychroma.com"
"""Where Chroma Cloud is, which takes its key in a header of its own."""

REBUILD = "`python -m ingest rebuild`로 다시 만들 수 있습니다."
NO_ROOM = f"디스크 공간과 권한을 확인하고 다시 해 주십시오. 계속되면 {REBUILD}"

_CHECK_SERVER = "서버가 켜져 있는지, LAW_CHROMA_로 시작하는 설정이 맞는지 확인해 주십시오. 서버가 돌아오면 다시 됩니다."
_FAILURES = (ChromaError, httpx.HTTPError, OSError, ValueError, RuntimeError)

_PROBE = (
    "import sys, chromadb\n"
    "client = chromadb.PersistentClient(path=sys.argv[1])\n"
    "client.get_collection(sys.argv[2], embedding_function=None).get(limit=1, include=['embeddings'])\n"
)


def open_client(settings: Settings) -> Client:
    """Open the configured Chroma. Raises StoreError."""
    options = ChromaSettings(anonymized_telemetry=False)
    if settings.chroma_url:
        with told(f"Chroma 서버({settings.chroma_url})를 쓸 수 없습니다", _CHECK_SERVER):
            return _connect(settings, options)
    folder = str(settings.home / CHROMA)
    try:
        with told(f"벡터 색인({folder})을 열 수 없습니다", REBUILD):
            return cast(Client, chromadb.PersistentClient(path=folder, settings=options))
    except StoreError:
        # Chroma keeps what failed to start under its path, for the next who asks for it in this process.
        SharedSystemClient._identifier_to_system.pop(folder, None)
        raise


def _connect(settings: Settings, options: ChromaSettings) -> Client:
    url = urlparse(settings.chroma_url.rstrip("/"))
    secure = url.scheme == "https"
    port = url.port or (443 if secure else 8000)
    base = url.geturl() if url.port else url._replace(netloc=f"{url.netloc}:{port}").geturl()
    # The client waits for ever, from its first request on: ask with a limit whether anything is there at all.
    alive = httpx.get(f"{base}/api/v2/heartbeat", timeout=settings.chroma_timeout)
    if alive.status_code not in (401, 403):  # a proxy that wants the token for everything
        alive.raise_for_status()
    tenant, database = settings.chroma_tenant, settings.chroma_database
    token = settings.chroma_token.get_secret_value()
    if str(url.hostname).endswith(CLOUD):
        opened = chromadb.CloudClient(
            tenant or None, database or None, token or None, options, cloud_host=str(url.hostname), cloud_port=port
        )
    else:
        if token:
            options.chroma_client_auth_provider = "chromadb.auth.token_authn.TokenAuthClientProvider"
            options.chroma_client_auth_credentials = token
        opened = chromadb.HttpClient(
            base, port, secure, None, options, tenant or DEFAULT_TENANT, database or DEFAULT_DATABASE
        )
    cast(Any, opened)._server._session.timeout = settings.chroma_timeout  # Chroma has no option for it
    return cast(Client, opened)


@contextmanager
def told(what: str, advice: str) -> Iterator[None]:
    """Tell what Chroma cannot do as a StoreError."""
    try:
        yield
    except httpx.TransportError as error:
        raise StoreError(f"{what}: Chroma 서버가 답하지 않습니다({_reason(error)}). {_CHECK_SERVER}") from error
    except Exception as error:
        # Chroma's HTTP client raises a bare Exception for an answer that is not Chroma's own, such as a proxy's.
        if type(error) is not Exception and not isinstance(error, _FAILURES):
            raise
        raise StoreError(f"{what}({_reason(error)}). {advice}") from error


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__


def loads_elsewhere(folder: Path, collection: str) -> bool:
    """Whether another process can load a collection's vectors; garbage in their graph kills the one that tries."""
    command = [sys.executable, "-c", _PROBE, str(folder), collection]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
