"""Who may change what is in: whoever sits at this computer, whoever knows the operator's password, or nobody.

The rules are in docs/upload.md. Every event that writes asks `Access.require`, whatever its page shows, because an
event can be called without its page.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol

from rag.errors import LawError
from rag.settings import Settings

SESSION = 2 * 3600.0
"""Seconds after its last use that a session has to give the password again."""

WINDOW = 600.0
"""Seconds for which a wrong password counts."""

PER_ADDRESS, IN_ALL = 5, 50
"""Wrong passwords within the window after which an address, and everybody, has to wait."""

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class AccessError(LawError):
    """Who asks may not do this."""


class Address(Protocol):
    """Where a request comes from."""

    @property
    def host(self) -> str:
        """The address, as text."""


class Asker(Protocol):
    """What is known of who sends an event (`gr.Request`)."""

    session_hash: str | None
    client: Any
    headers: Any


class Access:
    """Who may write. Safe to use from several threads; `clock` counts seconds."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic):
        self._password = settings.admin_password.get_secret_value()
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong: deque[tuple[float, str]] = deque()
        self._operators: dict[str, float] = {}
        self.closed = "" if self._password else _why_closed(settings)
        self.hidden = bool(self.closed and settings.space)

    @property
    def by_password(self) -> bool:
        """Whether the password opens it."""
        return bool(self._password)

    def may(self, asker: Asker) -> bool:
        """Whether who asks may write."""
        if self.closed:
            return False
        if not self.by_password:
            return _is_here(_host(asker.client), asker.headers)
        now = self._clock()
        with self._lock:
            used = self._operators.get(asker.session_hash or "")
            if used is None or now - used > SESSION:
                return False
            self._operators[asker.session_hash or ""] = now
            return True

    def require(self, asker: Asker) -> None:
        """Raise AccessError unless who asks may write."""
        if self.may(asker):
            return
        if self.closed:
            raise AccessError(self.closed)
        if self.by_password:
            raise AccessError("운영자 암호가 필요합니다. 시간이 지나 나가진 것이면 암호를 다시 넣어 주십시오.")
        raise AccessError(
            "이 앱이 도는 컴퓨터에서 연 화면에서만 법령을 넣고 뺄 수 있습니다. 다른 곳에서 하려면 운영자가 "
            "LAW_ADMIN_PASSWORD를 정해야 합니다."
        )

    def enter(self, password: str, asker: Asker) -> None:
        """Let a session in by the password. Raises AccessError where it is wrong or there were too many wrong ones."""
        if not self.by_password or not asker.session_hash:
            self.require(asker)
            return
        now, address = self._clock(), _host(asker.client)
        with self._lock:
            while self._wrong and now - self._wrong[0][0] > WINDOW:
                self._wrong.popleft()
            mine = [when for when, whose in self._wrong if whose == address]
            if len(mine) >= PER_ADDRESS or len(self._wrong) >= IN_ALL:
                oldest = mine[0] if len(mine) >= PER_ADDRESS else self._wrong[0][0]
                minutes = max(1, round((WINDOW - (now - oldest)) / 60))
                raise AccessError(f"암호가 여러 번 틀렸습니다. 약 {minutes}분 뒤에 다시 해 주십시오.")
            if not hmac.compare_digest(_digest(password), _digest(self._password)):
                self._wrong.append((now, address))
                raise AccessError("암호가 맞지 않습니다. 다시 확인해 주십시오.")
            self._operators = {who: used for who, used in self._operators.items() if now - used <= SESSION}
            self._operators[asker.session_hash] = now

    def leave(self, asker: Asker) -> None:
        """Forget that a session gave the password."""
        with self._lock:
            self._operators.pop(asker.session_hash or "", None)

    def takes_files(self, host: str, headers: Mapping[str, str]) -> bool:
        """Whether files may be sent to the app: from here, or while somebody is in by the password.

        The request that brings a file does not say whose session it is of; what is done with it asks `require`.
        """
        if self.closed or not self.by_password:
            return not self.closed and _is_here(host, headers)
        now = self._clock()
        with self._lock:
            return any(now - used <= SESSION for used in self._operators.values())


class FileGate:
    """ASGI middleware that refuses files before their first byte is read where nobody may send any."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], access: Access):
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403 and the reason as JSON."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].rstrip("/").endswith("/upload"):
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            if not self._access.takes_files((scope.get("client") or ("",))[0], headers):
                body = json.dumps({"detail": "지금은 파일을 올릴 수 없습니다."}, ensure_ascii=False).encode()
                kind = [(b"content-type", b"application/json; charset=utf-8"), (b"connection", b"close")]
                await send({"type": "http.response.start", "status": 403, "headers": kind})
                await send({"type": "http.response.body", "body": body})
                return
        await self._app(scope, receive, send)


def _why_closed(settings: Settings) -> str:
    if settings.space:
        return "공개 Space에서는 운영자가 LAW_ADMIN_PASSWORD를 정해야 법령을 넣고 뺄 수 있습니다."
    if not _is_loopback(settings.host):
        return (
            f"다른 컴퓨터에서도 열 수 있는 주소({settings.host})에서 암호 없이 돌고 있어, 법령을 넣고 뺄 수 없습니다. "
            "운영자는 LAW_ADMIN_PASSWORD를 정하거나 LAW_HOST를 127.0.0.1로 두고 다시 시작해 주십시오."
        )
    return ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_here(host: str, headers: Mapping[str, str]) -> bool:
    """Whether a request comes from this computer: not through a proxy, nor from a page that only has its name."""
    asked = headers.get("host", "").rsplit(":", 1)[0]  # of [::1]:7860 the brackets are left
    return _is_loopback(host) and _is_loopback(asked) and not any(name in headers for name in _FORWARDED)


def _host(client: Address | None) -> str:
    return client.host if client else ""


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()
