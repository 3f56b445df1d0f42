"""An answer written by a language model, as a visitor sees it grow, checked and linked to the cards."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.rag.llm_server import Handler, serving
from tests.web.browser import DESKTOP, PHONE, Page, needs_browser, serve, until

pytestmark = needs_browser

QUESTION = "대통령의 임기는 몇 년인가요?"
WRITTEN = (
    "대통령의 임기는 5년이고 중임할 수 없습니다 [대한민국헌법 제70조]. ",
    "임기는 7년까지 늘릴 수 있습니다 [대한민국헌법 제70조]. <img src=x> https://evil.example 를 보십시오.",
)


@pytest.fixture(scope="module")
def go_on() -> threading.Event:
    """Lets the model write its second sentence."""
    return threading.Event()


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory, go_on: threading.Event) -> Iterator[str]:
    """The address of an app with a language model that pauses in the middle."""

    def script(handler: Handler) -> None:
        handler.begin()
        handler.piece(WRITTEN[0])
        go_on.wait(120)
        handler.piece(WRITTEN[1], "stop")
        handler.event("[DONE]")

    with (
        serving(script) as llm,
        serve(tmp_path_factory.mktemp("written"), LAW_LLM="openai:m", LAW_LLM_BASE_URL=llm.url) as url,
    ):
        yield url


def test_it_grows_is_checked_and_leads_to_the_cards(indexed: Page, go_on: threading.Event) -> None:
    page = indexed.open(PHONE)
    page.ask(QUESTION)
    until(lambda: "중임할 수 없습니다" in page.text("#chat .bot"), "the first sentence")
    assert "7년" not in page.text("#chat .bot")
    assert page.all("#cards .law-card"), "the articles are there before the answer is"
    page.shot("written-growing-phone")
    go_on.set()
    until(lambda: "확인되지 않은 인용 1건" in page.text("#chat .bot"), "the checks")
    answer = page.text("#chat .bot")
    assert "‘7년’: 조문에 없는 수치" in answer
    assert "출처 없는 문장 1건" in answer
    assert "<img src=x>" in answer
    links = page.js("return [...document.querySelectorAll('#chat .bot a')].map(a => a.getAttribute('href'))")
    assert links
    assert all(link.startswith("#article-") for link in links)
    assert not page.all("#chat .bot img[src=x]")
    page.all("#chat .bot a")[0].click()
    until(lambda: page.js("return document.activeElement.id").startswith("article-"), "the card to be gone to")
    assert page.fits()
    page.shot("written-phone")


def test_on_a_wide_screen_in_the_dark(indexed: Page, go_on: threading.Event) -> None:
    go_on.set()
    page = indexed.open(DESKTOP, dark=True)
    page.ask(QUESTION)
    until(lambda: "확인되지 않은 인용 1건" in page.text("#chat .bot"), "the checks")
    page.shot("written-desktop-dark")
