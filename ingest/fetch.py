"""HTTP as a considerate guest: patient with busy servers, and downloads go on where they were cut.

A server that is busy (408, 429, 5xx), silent or gone in the middle is asked again, later each time, or when its
`Retry-After` says. Everything else it says is final.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from rag.errors import NetworkError, StoreError

# law.go.kr turns away what does not call itself a browser.
USER_AGENT = "Mozilla/5.0 (compatible; law-rag/0.1)"

MAX_BODY = 50 * 2**20
"""Bytes of one answer that is read into memory."""

_BUSY = (408, 425, 429, 500, 502, 503, 504, 520, 522, 524)

T = TypeVar("T")
OnBytes = Callable[[int, int], None]
"""Told how many bytes there are, and of how many (0: the server does not say)."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a server is asked, and the seconds waited: before asking again, at most, before every request of many,
    and for the next byte."""

    attempts: int = 5
    wait: float = 1.0
    longest: float = 90.0
    pause: float = 0.4
    silence: float = 60.0


class TryAgainError(Exception):
    """The server may do better next time; `after` seconds, where it says."""

    def __init__(self, reason: str, after: float | None = None):
        super().__init__(reason)
        self.after = after


def open_client(patience: Patience, referer: str = "") -> httpx.Client:
    """Return a client that follows redirects and says where it comes from."""
    headers = {"User-Agent": USER_AGENT} | ({"Referer": referer} if referer else {})
    timeout = httpx.Timeout(patience.silence, connect=min(patience.silence, 15.0))
    return httpx.Client(headers=headers, timeout=timeout, follow_redirects=True, max_redirects=5)


def fetch(
    client: httpx.Client, url: str, params: dict[str, str], patience: Patience, read: Callable[[bytes], T], name: str
) -> T:
    """Return what `read` makes of the answer; where it raises TryAgainError, the server is asked again.

    `name` is the server in messages. Raises NetworkError, saying what the server did and what to do.
    """

    def attempt() -> T:
        with client.stream("GET", url, params=params) as response:
            _check(response, patience)
            body = bytearray()
            for block in response.iter_bytes():
                body += block
                if len(body) > MAX_BODY:
                    raise NetworkError(f"{name}: 응답이 {MAX_BODY // 2**20} MB를 넘어 읽지 않습니다.")
        return read(bytes(body))

    return _patiently(attempt, patience, name)


def download(
    client: httpx.Client, url: str, target: Path, patience: Patience, limit: int, on_bytes: OnBytes, name: str
) -> bool:
    """Bring a file to `target`; return whether it is a new one, False where the server says that nothing changed.

    What a cut left behind (`target`.part) is kept and continued, also by a later call, where the server names the file
    by a strong ETag and gives ranges; else it is fetched anew. Raises NetworkError, and StoreError where the disk
    cannot take it.
    """
    part = target.with_name(target.name + ".part")

    def attempt() -> bool:
        have = part.stat().st_size if part.exists() else 0
        with client.stream("GET", url, headers=_conditions(url, target, part, have)) as response:
            if response.status_code == httpx.codes.NOT_MODIFIED:
                return False
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink(missing_ok=True)
                raise TryAgainError("받다 만 파일이 서버의 것과 맞지 않습니다", 0)
            _check(response, patience)
            start = _start(response)
            if start not in (0, have):
                part.unlink(missing_ok=True)
                raise TryAgainError("서버가 청하지 않은 부분을 보냈습니다", 0)
            if start == 0:
                part.unlink(missing_ok=True)
                _write_state(part, url, response.headers.get("ETag", ""))
            _receive(response, part, start, limit, on_bytes, name)
        part.replace(target)
        _state_file(part).replace(_state_file(target))
        return True

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return _patiently(attempt, patience, name)
    except OSError as error:
        raise StoreError(
            f"내려받은 자료를 {target.parent}에 저장할 수 없습니다({error.strerror}). "
            "디스크 공간과 권한을 확인해 주십시오."
        ) from error


def forget(target: Path) -> None:
    """Remove a download and what is known of it."""
    for file in (target, _state_file(target)):
        file.unlink(missing_ok=True)


def _patiently(attempt: Callable[[], T], patience: Patience, name: str) -> T:
    def try_once() -> T:
        try:
            return attempt()
        except httpx.TransportError as error:
            raise TryAgainError(_reason(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NetworkError(
                f"{name}: 주소에 문제가 있습니다({type(error).__name__}). 설정을 확인해 주십시오."
            ) from error

    backoff = wait_exponential_jitter(multiplier=patience.wait, max=patience.longest, jitter=patience.wait)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        after = error.after if isinstance(error, TryAgainError) else None
        return backoff(state) if after is None else after

    retrying = Retrying(
        retry=retry_if_exception_type(TryAgainError),
        stop=stop_after_attempt(patience.attempts),
        wait=wait,
        reraise=True,
    )
    try:
        return retrying(try_once)
    except TryAgainError as error:
        raise NetworkError(
            f"{name}: {error}. {patience.attempts}번 시도했습니다. 잠시 뒤 다시 해 주십시오. "
            "받던 것이 있으면 이어서 받습니다."
        ) from error


def _reason(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError | httpx.UnsupportedProtocol):
        return "서버에 연결할 수 없습니다. 네트워크와 주소를 확인해 주십시오"
    if isinstance(error, httpx.TimeoutException):
        return "서버가 응답하지 않습니다"
    return "전송이 중간에 끊겼습니다"


def _check(response: httpx.Response, patience: Patience) -> None:
    status = response.status_code
    if status in _BUSY:
        after = _retry_after(response)
        if after is not None and after > patience.longest:
            raise NetworkError(
                f"서버가 {after / 60:,.0f}분 뒤에 다시 오라고 합니다({status}). 그 뒤에 다시 해 주십시오."
            )
        raise TryAgainError(f"서버가 바쁘거나 고장 났습니다({status})", after)
    if status == httpx.codes.NOT_FOUND:
        raise NetworkError(f"{_place(response)}: 그런 주소가 없습니다(404). 설정한 주소와 이름을 확인해 주십시오.")
    if not response.is_success:
        raise NetworkError(f"{_place(response)}: 서버가 거절했습니다({status}). 주소와 권한을 확인해 주십시오.")


def _place(response: httpx.Response) -> str:
    return str(response.url.copy_with(query=None))  # a query can hold the user's key


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _conditions(url: str, target: Path, part: Path, have: int) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}  # the bytes of the file itself, or a range of them means nothing
    begun, held = _read_state(part, url), _read_state(target, url)
    if have and begun and not begun.startswith("W/"):
        return headers | {"Range": f"bytes={have}-", "If-Range": begun}
    return headers | ({"If-None-Match": held} if held and target.exists() else {})


def _start(response: httpx.Response) -> int:
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0
    value = response.headers.get("Content-Range", "").removeprefix("bytes ").split("-")[0]
    return int(value) if value.isdigit() else -1


def _receive(response: httpx.Response, part: Path, start: int, limit: int, on_bytes: OnBytes, name: str) -> None:
    length = response.headers.get("Content-Length", "")
    total = start + int(length) if length.isdigit() else 0
    done = start
    with part.open("ab") as file:
        for block in response.iter_raw():
            done += len(block)
            if max(done, total) > limit:
                raise NetworkError(f"{name}: {limit // 2**20:,} MB가 넘는 파일이라 받지 않습니다.")
            file.write(block)
            on_bytes(done, total)


def _state_file(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _write_state(path: Path, url: str, etag: str) -> None:
    _state_file(path).write_text(json.dumps({"url": url, "etag": etag}), "utf-8")


def _read_state(path: Path, url: str) -> str:
    """Return the ETag of a file from this address, '' where none is known."""
    try:
        state = json.loads(_state_file(path).read_text("utf-8"))
        return str(state["etag"]) if state["url"] == url else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""
