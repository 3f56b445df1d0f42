"""The endpoints of a running app, by the clients that programs use: gradio_client, plain HTTP, and MCP."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from rag.settings import ROOT
from rag.statutes import official_url

NAMES = ["/search", "/ask", "/get_article", "/list_statutes"]
TOOLS = ["search_statutes", "ask", "get_article", "list_statutes"]
HIT = ["law", "article", "title", "text", "score", "signals", "highlight", "effective", "coming", "url"]


@pytest.fixture(scope="module")
def url(constitution_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `python app.py` over the bundled corpus."""
    folder = tmp_path_factory.mktemp("api")
    shutil.copytree(constitution_home, folder / "home")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LAW_", "GRADIO_", "SPACE_"))}
    env |= {"LAW_HOME": str(folder / "home"), "LAW_PORT": str(port), "GRADIO_TEMP_DIR": str(folder / "tmp")}
    env["LAW_MIRROR_URL"] = ""  # asks nobody on the internet
    address, log = f"http://127.0.0.1:{port}", folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env, stdout=output, stderr=output)
        try:
            end = time.monotonic() + 120
            while not _serves(address):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, "the app does not serve"
                time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait(30)
    assert "Traceback" not in log.read_text()


def _serves(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    return Client(url, verbose=False, analytics_enabled=False)


def over_http(url: str, name: str, **fields: Any) -> tuple[str, Any]:
    """Call an endpoint as curl would; return the closing event and its data."""
    headers = {"Content-Type": "application/json"}
    call = urllib.request.Request(f"{url}/gradio_api/call/v2/{name}", json.dumps(fields).encode(), headers)
    with urllib.request.urlopen(call, timeout=20) as response:
        event = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{url}/gradio_api/call/{name}/{event}", timeout=60) as response:
        lines = [line for line in response.read().decode().splitlines() if line]
    return lines[-2].removeprefix("event: "), json.loads(lines[-1].removeprefix("data: "))


def by_mcp(url: str, *calls: tuple[str, dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    """Return the tools an MCP client sees, and the results of its calls."""

    async def talk() -> tuple[list[Any], list[Any]]:
        async with (
            streamable_http_client(f"{url}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return (await session.list_tools()).tools, [await session.call_tool(*call) for call in calls]

    return asyncio.run(talk())


def test_the_page_shows_programs_these_endpoints_and_no_others(client: Client) -> None:
    described = client.view_api(return_format="dict")["named_endpoints"]
    assert list(described) == NAMES
    assert [p["parameter_name"] for p in described["/ask"]["parameters"]] == ["question", "history", "k"]


def test_a_search_is_the_json_of_the_design(client: Client) -> None:
    found = client.predict("대통령의 임기는 몇 년인가요?", 3, api_name="/search")
    assert list(found) == ["question", "answer", "abstained", "hits"]
    assert [list(hit) for hit in found["hits"]] == [HIT] * 3
    best = found["hits"][0]
    assert (best["law"], best["article"], best["effective"]) == ("대한민국헌법", "제70조", "1988-02-25")
    start, end = best["highlight"][0]
    assert "5년" in best["text"][start:end]


def test_an_answer_follows_on_from_what_was_asked_before(client: Client) -> None:
    asked = {"question": "그럼 국회의원은요?", "k": 3, "api_name": "/ask"}
    after = client.predict(history=["대통령의 임기는 몇 년인가요?"], **asked)
    assert after["hits"][0]["article"] == "제42조"
    assert "제42조" in after["answer"]
    assert list(after)[:4] == ["question", "answer", "abstained", "hits"]


@pytest.mark.parametrize("number", ["제70조", "70", "70조", "제70조제1항"])
def test_an_article_by_its_number(client: Client, number: str) -> None:
    got = client.predict(law="헌법", article=number, api_name="/get_article")
    assert (got["law"], got["article"]) == ("대한민국헌법", "제70조")
    assert got["text"] == "대통령의 임기는 5년으로 하며, 중임할 수 없다."
    assert got["divisions"][0].startswith("제4장")
    assert (got["effective"], got["in_force"], got["repealed"]) == ("1988-02-25", True, False)
    assert got["url"] == official_url("대한민국헌법", "제70조")
    assert set(got["related"]) == {"delegated", "parents", "penalties", "cites", "cited_by"}


def test_the_statutes_that_are_in(client: Client) -> None:
    listed = client.predict(api_name="/list_statutes")
    assert listed["total"] == 1
    assert listed["statutes"][0]["law"] == "대한민국헌법"
    assert client.predict("없는 이름", api_name="/list_statutes") == {"total": 0, "statutes": []}
    assert client.predict("", 10, 1, api_name="/list_statutes") == {"total": 1, "statutes": []}


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("search", {"question": "  "}, "질문을 입력"),
    ("search", {"question": "가" * 1001}, "너무 깁니다"),
    ("search", {"question": "임기", "k": 51}, "1부터 50까지"),
    ("search", {"question": "임기", "k": "많이"}, "정수"),
    ("search", {"question": "임기", "k": 1.5}, "정수"),
    ("search", {"question": ["임기"]}, "글자"),
    ("ask", {"question": "임기", "history": "임기"}, "목록"),
    ("ask", {"question": "임기", "history": ["임기"] * 21}, "20개까지"),
    ("ask", {"question": "임기", "history": ["가" * 1001]}, "너무 깁니다"),
    ("get_article", {"law": "헌법", "article": "999"}, "제999조는 없습니다"),
    ("get_article", {"law": "세탁기본법", "article": "제1조"}, "들어 있는 법령 가운데 없습니다"),
    ("get_article", {"law": "헌법", "article": "첫째"}, "찾지 못했습니다"),
    ("get_article", {"law": "법" * 101, "article": "1"}, "너무 깁니다"),
    ("list_statutes", {"limit": 501}, "500"),
    ("list_statutes", {"offset": -1}, "0부터"),
]


@pytest.mark.parametrize(("name", "fields", "told"), WRONG)
def test_what_is_refused_is_said_in_korean_without_a_trace(
    url: str, name: str, fields: dict[str, Any], told: str
) -> None:
    event, data = over_http(url, name, **fields)
    assert event == "error"
    assert told in data["error"]
    assert "Traceback" not in json.dumps(data)


def test_plain_http_gets_the_same_as_the_client(url: str, client: Client) -> None:
    event, data = over_http(url, "search", question="국회의원의 임기", k=2)
    assert event == "complete"
    assert data == [client.predict("국회의원의 임기", 2, api_name="/search")]


def test_the_client_raises_what_was_wrong(client: Client) -> None:
    with pytest.raises(AppError, match="1부터 50까지"):
        client.predict("임기", 0, api_name="/search")


@pytest.mark.parametrize("path", ["api", "run"])
def test_nothing_passes_the_queue_by(url: str, path: str) -> None:
    call = urllib.request.Request(
        f"{url}/gradio_api/{path}/search", b'{"data": ["x", 1]}', {"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(call, timeout=20)
    assert refused.value.code == 404


def test_mcp_tools_say_what_they_take(url: str) -> None:
    tools, _ = by_mcp(url)
    assert [tool.name for tool in tools] == TOOLS
    required = {tool.name: tool.inputSchema.get("required", []) for tool in tools}
    assert required == {
        "search_statutes": ["question"],
        "ask": ["question"],
        "get_article": ["law", "article"],
        "list_statutes": [],
    }
    for tool in tools:
        assert tool.description
        assert all(field.get("description") for field in tool.inputSchema["properties"].values()), tool.name
        assert "request" not in tool.inputSchema["properties"]


def test_mcp_tools_answer_with_json(url: str, client: Client) -> None:
    question = "대통령의 임기는 몇 년인가요?"
    _, results = by_mcp(
        url,
        ("search_statutes", {"question": question, "k": 1}),
        ("ask", {"question": question, "k": 1}),
        ("get_article", {"law": "헌법", "article": "70"}),
        ("list_statutes", {}),
    )
    search, ask, article, statutes = (json.loads(result.content[0].text) for result in results)
    assert search == client.predict(question, 1, api_name="/search")
    assert ask["hits"] == search["hits"]
    assert article == client.predict("헌법", "70", api_name="/get_article")
    assert statutes["total"] == 1


def test_mcp_tools_say_in_korean_what_was_wrong(url: str) -> None:
    _, results = by_mcp(url, ("get_article", {"law": "민법", "article": "750"}), ("search_statutes", {"question": " "}))
    assert [result.isError for result in results] == [True, True]
    assert "민법" in results[0].content[0].text
    assert "들어 있는 법령 가운데 없습니다" in results[0].content[0].text
    assert results[1].content[0].text.endswith("질문을 입력해 주십시오.")
