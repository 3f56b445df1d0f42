"""The app and a browser, one of each for a module of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.web.browser import Page


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, started with an empty data folder and the bundled corpus."""
    from tests.web.browser import serve

    with serve(tmp_path_factory.mktemp("app"), LAW_MAX_UPLOAD_MB="1") as url:
        yield url


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty browser profile."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="module")
def browser(app_url: str, profile: Path) -> Iterator[Page]:
    """A browser on the app."""
    from tests.web.browser import Page

    page = Page(app_url, profile)
    yield page
    page.driver.quit()


@pytest.fixture(scope="module")
def indexed(browser: Page) -> Page:
    """The browser, once the corpus is indexed."""
    from tests.web.browser import until

    browser.open()
    browser.shot("indexing")
    until(lambda: "색인 중" not in browser.text(".law-state"), "the corpus to be indexed", 300)
    return browser
