"""The app in a process of its own and a real browser to look at it.

Screenshots go to the folder named by SCREENSHOTS, else to tests/screenshots.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from rag.settings import ROOT

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.common.exceptions import WebDriverException  # noqa: E402
from selenium.webdriver.chrome.service import Service as Driver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="chromium or chromedriver is not installed (Debian: chromium-driver)"
)

SHOTS = Path(os.environ.get("SCREENSHOTS") or ROOT / "tests" / "screenshots")
DESKTOP, PHONE = (1366, 900), (360, 780)
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=ko", "--accept-lang=ko",
)  # fmt: skip
T = TypeVar("T")


def until(ask: Callable[[], T], what: str, seconds: float = 120) -> T:
    """Ask until the answer is true, and return it."""
    end = time.monotonic() + seconds
    while True:
        try:
            if answer := ask():
                return answer
        except WebDriverException:
            pass  # replaced while it was looked at
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)


class Page:
    """The app in one browser tab."""

    def __init__(self, url: str, profile: Path):
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Driver(CHROMEDRIVER))
        self.url = url

    def open(self, size: tuple[int, int] = DESKTOP, *, dark: bool = False, language: str = "ko") -> Page:
        """Load the app in a window of that size, nothing kept from before, and wait until it has its state."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.get(f"{self.url}/robots.txt")
        self.js(f"localStorage.clear(); localStorage.setItem('law-language', '{language}')")
        self.driver.get(self.url)
        until(lambda: self.all(".law-state p"), "the state in the head")
        until(lambda: self.all("#examples button.example"), "example questions")
        return self

    def all(self, css: str) -> list[WebElement]:
        """Return the visible elements of a selector."""
        return [element for element in self.driver.find_elements(By.CSS_SELECTOR, css) if element.is_displayed()]

    def one(self, css: str) -> WebElement:
        """Return the first visible element of a selector, waiting for it."""
        return until(lambda: self.all(css), css)[0]

    def text(self, css: str) -> str:
        """Return the text of the first element of a selector, '' where there is none."""
        found = self.all(css)
        return found[0].text if found else ""

    def tab(self, name: str) -> None:
        """Go to a tab."""
        until(lambda: [tab for tab in self.all("button[role=tab]") if tab.text == name], name)[0].click()

    def ask(self, question: str) -> None:
        """Ask, and wait for the cards."""
        self.one("#question textarea").send_keys(question, Keys.ENTER)
        self.answered(question)

    def answered(self, question: str) -> None:
        """Wait for the cards of a question."""
        until(lambda: question in self.text("#cards .law-asked"), f"cards for {question}")
        until(lambda: self.all("#chat .bot"), "the answer in the conversation")

    def export(self, folder: Path) -> str:
        """Download the conversation into an empty folder, and return its text."""
        behaviour = {"behavior": "allow", "downloadPath": str(folder)}
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
        self.one("#past button").click()
        self.one("#export").click()
        until(lambda: list(folder.glob("*.md")), "the export")
        return until(lambda: next(folder.glob("*.md")).read_text("utf-8"), "its text")

    def shot(self, name: str) -> None:
        """Keep a picture of the window."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(SHOTS / f"{name}.png"))

    def js(self, script: str) -> Any:
        """Run a script and return what it returns."""
        return self.driver.execute_script(script)

    def fits(self) -> bool:
        """Whether nothing sticks out at the right."""
        return bool(self.js("return document.documentElement.scrollWidth <= window.innerWidth"))


@contextmanager
def serve(folder: Path, **options: str) -> Iterator[str]:
    """Start the app with a data folder in `folder` and give its address; nothing may go wrong unsaid meanwhile."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAW_", "GRADIO_", "SPACE_"))}
    env = {"LAW_HOME": str(folder / "home"), "LAW_PORT": str(port), "GRADIO_TEMP_DIR": str(folder / "uploads")}
    env["LAW_MIRROR_URL"] = ""  # asks nobody on the internet
    log = (folder / "log").open("w+")
    process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=kept | env | options, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _served(url, process, folder / "log"), "the app to serve", 240)
        yield url
    finally:
        process.terminate()
        process.wait(20)
        log.close()
    assert "Traceback" not in (folder / "log").read_text()


def _served(url: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
