"""A web server in a thread that answers as a test tells it to: late, cut, busy, or with something else."""

from __future__ import annotations

import gzip
import io
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class Answer:
    """What is sent: `cut` closes the connection after so many bytes, `pause` waits before each block; without
    `length` nothing says how long the body is; an `etag` makes it conditional, and `ranges` resumable."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    pause: float = 0.0
    length: bool = True
    etag: str = ""
    ranges: bool = True


@dataclass(frozen=True)
class Request:
    path: str
    query: dict[str, str]
    headers: dict[str, str]


Script = list[Answer | Callable[[Request], Answer]]


class Site:
    """Answers by path; of several answers each is given once, the last for ever. `requests` are those that came."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.requests: list[Request] = []
        self.address = ""
        self._lock = threading.Lock()

    def say(self, path: str, *answers: Answer | Callable[[Request], Answer]) -> None:
        self.scripts[path] = list(answers)

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            script = self.scripts.get(request.path)
            if script is None:
                return Answer(b"not here", 404)
            found = script.pop(0) if len(script) > 1 else script[0]
        return found(request) if callable(found) else found


@contextmanager
def serve() -> Iterator[Site]:
    """Run a site on a free port."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            _send(self, site.answer(Request(unquote(parts.path), query, dict(self.headers))))

        def do_HEAD(self) -> None:
            request = Request(unquote(urlsplit(self.path).path), {}, dict(self.headers))
            _send(self, replace(site.answer(request), cut=0))

        def log_message(self, *_: Any) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    status, body, headers = answer.status, answer.body, dict(answer.headers)
    if answer.etag:
        headers["ETag"] = answer.etag
        if handler.headers.get("If-None-Match") == answer.etag:
            status, body = 304, b""
        elif answer.ranges and "Range" in handler.headers and handler.headers.get("If-Range") in (None, answer.etag):
            start = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                status, body = 416, b""
            else:
                headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                status, body = 206, body[start:]
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    if answer.length and status != 304:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    shown = body if answer.cut is None else body[: answer.cut]
    try:
        for start in range(0, len(shown), 1 << 14):
            time.sleep(answer.pause)
            handler.wfile.write(shown[start : start + (1 << 14)])
    except OSError:
        handler.close_connection = True  # the client has gone


def pack_book(files: dict[str, str | bytes], commit: str = "c" * 40, top: str = "legalize-kr-main") -> bytes:
    """Return an archive as GitHub packs a repository; the keys are paths below its top folder (or from / on)."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": commit}) as tar:
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(path if path.startswith(("/", "..")) else f"{top}/{path}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), 1, mtime=0)
