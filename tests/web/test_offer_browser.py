"""The offer of the whole statute book as its user meets it: a fresh app, a mirror that answers, a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ingest import site
from tests.ingest.site import Answer
from tests.web.browser import DESKTOP, PHONE, Page, needs_browser, serve, until
from tests.web.test_offer import BOOK, TITLE

pytestmark = needs_browser


@pytest.fixture(scope="module")
def page(constitution_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser at an app with one statute in, whose mirror has a book of another."""
    folder = tmp_path_factory.mktemp("fresh")
    shutil.copytree(constitution_home, folder / "home")
    with site.serve() as mirror:
        mirror.say("/tar.gz/main", Answer(BOOK, etag='"1"'))
        options = {"LAW_MIRROR_URL": f"{mirror.address}/tar.gz", "LAW_MIRROR_LEAST": "1"}
        with serve(folder, **options) as url:
            browser = Page(url, tmp_path_factory.mktemp("profile"))
            yield browser
            browser.driver.quit()


def test_it_is_offered_and_fits_a_phone_a_desktop_light_and_dark(page: Page) -> None:
    for size, dark in ((DESKTOP, False), (PHONE, True), (PHONE, False), (DESKTOP, True)):
        page.open(size, dark=dark)
        page.one("#offer-take")
        assert "전체 법령집" in page.text("#offer")
        assert page.fits()
        page.shot(f"offer-{size[0]}-{'dark' if dark else 'light'}")
    page.open(DESKTOP, language="en")
    assert page.one("#offer-take").text == "Fetch the statute book"
    assert "70 MB" in page.text("#offer")


def test_later_puts_it_away(page: Page) -> None:
    page.open()
    page.one("#offer-later").click()
    until(lambda: not page.all("#offer"), "the offer to go")


def test_taking_it_brings_the_book_in(page: Page) -> None:
    page.open()
    page.one("#offer-take").click()
    until(lambda: not page.all("#offer"), "the offer to go")
    until(lambda: "2개 법령" in page.text(".law-state") and "색인 중" not in page.text(".law-state"), "the book")
    assert TITLE in page.text(".law-state")
    page.open()
    assert not page.all("#offer")
