"""Who may add and remove statutes: from this computer, by the password, or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.settings import Settings
from web.access import IN_ALL, PER_ADDRESS, SESSION, WINDOW, Access, AccessError, FileGate

WORD = "빨래터 2026!"


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Visitor:
    """What an event brings with it."""

    session_hash: str | None = "one"
    address: str = "127.0.0.1"
    headers: dict[str, str] = field(default_factory=lambda: {"host": "127.0.0.1:7860"})

    @property
    def client(self) -> Any:
        return SimpleNamespace(host=self.address)


def access(clock: Clock | None = None, **options: Any) -> Access:
    return Access(Settings(_env_file=None, **options), clock or Clock())


@pytest.fixture(autouse=True)
def _own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SPACE_ID", "GRADIO_SERVER_NAME", "LAW_HOST", "LAW_ADMIN_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.0.1"])
def test_on_a_laptop_the_visitor_is_the_operator(host: str) -> None:
    assert access(host=host).may(Visitor())
    assert access(host=host).may(Visitor(None, "::1", {"host": "localhost:7860"}))
    assert access(host=host).may(Visitor(None, "::1", {"host": "[::1]:7860"}))


@pytest.mark.parametrize(
    "visitor",
    [
        Visitor(address="192.168.0.7"),
        Visitor(headers={"host": "127.0.0.1", "x-forwarded-for": "127.0.0.1"}),
        Visitor(headers={"host": "127.0.0.1", "forwarded": "for=1.2.3.4"}),
        Visitor(headers={"host": "evil.example"}),  # a name that somebody has made to mean this computer
        Visitor(headers={}),
        Visitor(address=""),
    ],
)
def test_without_a_password_nobody_else_is(visitor: Visitor) -> None:
    gate = access()
    assert not gate.may(visitor)
    assert not gate.takes_files(visitor.address, visitor.headers)
    with pytest.raises(AccessError, match="LAW_ADMIN_PASSWORD"):
        gate.require(visitor)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "law.example.com", ""])
def test_an_address_others_can_open_without_a_password_closes_it(host: str) -> None:
    gate = access(host=host)
    assert "LAW_ADMIN_PASSWORD" in gate.closed
    assert not gate.hidden
    assert not gate.may(Visitor())
    assert not gate.takes_files("127.0.0.1", Visitor().headers)
    with pytest.raises(AccessError):
        gate.enter("", Visitor())


def test_gradios_own_address_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    assert access().closed


def test_a_space_needs_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/law")
    assert access().closed
    assert access().hidden
    assert access(upload=True).closed
    gate = access(admin_password=WORD)
    assert not gate.closed
    assert not gate.may(Visitor())


def test_the_password_lets_in_this_session_and_no_other() -> None:
    clock = Clock()
    gate = access(clock, admin_password=WORD, host="0.0.0.0")
    one, two = Visitor("one"), Visitor("two")
    assert not gate.may(one)
    with pytest.raises(AccessError, match="운영자 암호가 필요"):
        gate.require(one)
    assert not gate.takes_files("127.0.0.1", one.headers)
    gate.enter(WORD, one)
    assert gate.may(one)
    assert gate.takes_files("10.0.0.9", {})
    assert not gate.may(two)
    assert not gate.may(Visitor(None))
    assert not gate.may(Visitor(""))
    gate.leave(one)
    assert not gate.may(one)
    assert not gate.takes_files("10.0.0.9", {})


def test_a_session_ends_some_time_after_its_last_use() -> None:
    clock = Clock()
    gate = access(clock, admin_password=WORD)
    gate.enter(WORD, Visitor())
    clock.now += SESSION - 1
    assert gate.may(Visitor())
    clock.now += SESSION - 1
    assert gate.may(Visitor())
    clock.now += SESSION + 1
    assert not gate.may(Visitor())
    assert not gate.takes_files("127.0.0.1", {})


@pytest.mark.parametrize("wrong", ["", WORD[:-1], WORD + " ", WORD.upper() + "x", "\ud800"])
def test_a_wrong_password(wrong: str) -> None:
    gate = access(admin_password=WORD)
    with pytest.raises(AccessError, match="맞지 않습니다"):
        gate.enter(wrong, Visitor())
    assert not gate.may(Visitor())


def test_after_some_wrong_ones_even_the_right_one_has_to_wait() -> None:
    clock = Clock()
    gate = access(clock, admin_password=WORD)
    for _ in range(PER_ADDRESS):
        with pytest.raises(AccessError, match="맞지 않습니다"):
            gate.enter("틀림", Visitor())
    with pytest.raises(AccessError, match="약 10분 뒤"):
        gate.enter(WORD, Visitor("another session"))
    gate.enter(WORD, Visitor("elsewhere", "10.0.0.2"))
    clock.now += WINDOW + 1
    gate.enter(WORD, Visitor())
    assert gate.may(Visitor())


def test_many_addresses_together_have_to_wait_too() -> None:
    gate = access(admin_password=WORD)
    for n in range(IN_ALL):
        with pytest.raises(AccessError, match="맞지 않습니다"):
            gate.enter("틀림", Visitor(address=f"10.0.{n}.1"))
    with pytest.raises(AccessError, match="여러 번 틀렸"):
        gate.enter(WORD, Visitor(address="10.9.9.9"))


def test_the_password_is_in_no_repr() -> None:
    assert WORD not in repr(Settings(_env_file=None, admin_password=WORD))


@settings(deadline=None)
@given(st.text(max_size=30))
def test_only_the_password_is_the_password(text: str) -> None:
    gate = access(admin_password=WORD)
    if text != WORD:
        with pytest.raises(AccessError):
            gate.enter(text, Visitor())
    assert not gate.may(Visitor())


def asked(gate: Access, method: str, path: str) -> int:
    """Return the status of a request through the gate; what is behind it answers 200."""
    statuses: list[int] = []

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def receive() -> Any:
        raise AssertionError("nothing of the body is read")

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"host", b"a")], "client": ("10.0.0.1", 9)}
    asyncio.run(FileGate(behind, gate)(scope, receive, send))
    return statuses[0]


def test_files_are_refused_before_they_are_read() -> None:
    gate = access(admin_password=WORD)
    assert asked(gate, "POST", "/gradio_api/upload") == 403
    assert asked(gate, "POST", "/behind/proxy/gradio_api/upload/") == 403
    assert asked(gate, "POST", "/gradio_api/queue/join") == 200
    assert asked(gate, "GET", "/gradio_api/upload_progress") == 200
    gate.enter(WORD, Visitor())
    assert asked(gate, "POST", "/gradio_api/upload") == 200
