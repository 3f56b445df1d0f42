"""A server that speaks OpenAI's chat protocol over real HTTP and answers by a script."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Hands every request to the server's script and keeps what was asked."""

    protocol_version = "HTTP/1.1"
    server: ScriptedServer

    def do_POST(self) -> None:
        """Answer a chat completion."""
        self.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(self.asked)
        self.server.keys.append(self.headers.get("Authorization", ""))
        try:
            self.server.script(self)
        except (BrokenPipeError, ConnectionResetError):
            self.server.hung_up.set()
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Keep the tests' output clean."""

    def begin(self) -> None:
        """Send the head of a stream; its end is the connection's."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()

    def event(self, data: str) -> None:
        """Send one event."""
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()

    def piece(self, text: str | None, finish: str | None = None, **delta: Any) -> None:
        """Send one piece of the answer."""
        choice = {"index": 0, "delta": {"role": "assistant", "content": text, **delta}, "finish_reason": finish}
        self.event(
            json.dumps({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})
        )


class ScriptedServer(ThreadingHTTPServer):
    """The server, on a free port of this machine."""

    daemon_threads = True

    def __init__(self, script: Script):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.hung_up = threading.Event()

    @property
    def url(self) -> str:
        """What LAW_LLM_BASE_URL is to be."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


@contextmanager
def serving(script: Script) -> Iterator[ScriptedServer]:
    """Run a server with a script."""
    server = ScriptedServer(script)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def saying(*pieces: str, finish: str | None = "stop", done: bool = True) -> Script:
    """Return a script that streams pieces and ends as told."""

    def script(handler: Handler) -> None:
        handler.begin()
        for text in pieces:
            handler.piece(text)
        if finish:
            handler.piece(None, finish)
        if done:
            handler.event("[DONE]")

    return script


def dripping(pieces: Sequence[str], pause: float) -> Script:
    """Return a script that sends a word now and then for as long as somebody listens."""

    def script(handler: Handler) -> None:
        handler.begin()
        for _ in range(200):
            for text in pieces:
                handler.piece(text)
                time.sleep(pause)

    return script


def failing(status: int, body: str = '{"error": {"message": "sk-secret is not a key", "type": "x"}}') -> Script:
    """Return a script that answers with an error."""

    def script(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body.encode())))
        handler.send_header("Retry-After", "0")
        handler.end_headers()
        handler.wfile.write(body.encode())

    return script
