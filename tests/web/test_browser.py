"""The app as its visitors have it: `python app.py` in a process of its own, a real browser, the API client.

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
from pathlib import Path
from typing import Any, TypeVar

import pytest

from rag.settings import ROOT
from tests.samples import mini

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.common.exceptions import WebDriverException  # noqa: E402
from selenium.webdriver.chrome.service import Service as Driver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="chromium or chromedriver is not installed (Debian: chromium-driver)"
)

SHOTS = Path(os.environ.get("SCREENSHOTS") or ROOT / "tests" / "screenshots")
DESKTOP, PHONE = (1366, 900), (360, 780)
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=ko", "--accept-lang=ko",
)  # fmt: skip
HOSTILE = """\
---
제목: 낙타법<img src=x onerror=document.title='pwned'>[눌러](javascript:alert(1))
법령구분: 법률
공포일자: 2020-01-01
시행일자: 2099-01-01
---

##### 제1조 (<script>document.title='pwned'</script>)

누구든지 <script>document.title='pwned'</script> 사막에서 낙타를 빌릴 수 있다.
"""
T = TypeVar("T")


def until(ask: Callable[[], T], what: str, seconds: float = 40) -> T:
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

    def open(self, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> Page:
        """Load the app in a window of that size and wait until it has its state."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.get(self.url)
        until(lambda: "수록" in self.text(".law-state"), "the state in the head")
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


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, started with an empty data folder and the bundled corpus, once it is indexed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("app")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAW_", "GRADIO_", "SPACE_"))}
    env = kept | {
        "LAW_HOME": str(folder / "home"),
        "LAW_PORT": str(port),
        "LAW_MAX_UPLOAD_MB": "1",
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
    }
    log = (folder / "log").open("w+")
    process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _served(url, process, folder / "log"), "the app to serve", 90)
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


@pytest.fixture(scope="module")
def browser(app_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser with an empty profile."""
    page = Page(app_url, tmp_path_factory.mktemp("profile"))
    yield page
    page.driver.quit()


@pytest.fixture(scope="module")
def indexed(browser: Page) -> Page:
    """The browser, once the corpus is indexed."""
    browser.open()
    browser.shot("indexing")
    until(lambda: "색인 중" not in browser.text(".law-state"), "the corpus to be indexed", 120)
    return browser


def test_the_page_says_what_it_is_and_loads_nothing_from_elsewhere(indexed: Page) -> None:
    page = indexed.open()
    assert page.text("h1") == "법령 질의응답"
    assert "법률 자문이 아닙니다" in page.text(".law-notice")
    assert "1개 법령" in page.text(".law-state")
    assert "대한민국헌법" in page.text(".law-state")
    assert len(page.all("#examples button.example")) >= 4
    assert page.js("return document.documentElement.lang") == "ko"
    foreign = (
        "return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin))"
    )
    assert [name for name in page.js(foreign) if not name.startswith(("data:", "blob:"))] == []
    page.shot("empty-desktop")


def test_a_question_a_follow_up_and_a_new_conversation(indexed: Page) -> None:
    page = indexed.open()
    page.ask("대통령의 임기는 몇 년인가요?")
    first = page.all("#cards .law-card")[0]
    assert "제70조" in first.text
    assert -1 <= float(first.find_element(By.CSS_SELECTOR, ".law-score b").text) <= 1
    assert "5년" in first.find_element(By.CSS_SELECTOR, "mark").text
    link = first.find_element(By.CSS_SELECTOR, "footer a")
    assert link.get_attribute("href").startswith("https://www.law.go.kr/")
    assert link.get_attribute("target") == "_blank"
    assert "제70조" in page.all("#chat .bot")[-1].text
    columns = [page.one(css).rect for css in ("#conversation", "#cards")]
    assert columns[1]["x"] >= columns[0]["x"] + columns[0]["width"]
    page.shot("answer-desktop")

    page.ask("국회의원은요?")
    assert len(page.all("#chat .bot .message-content")) == 2
    assert "제42조" in page.text("#cards")

    page.one("#fresh").click()
    until(lambda: not page.all("#chat") and not page.all("#cards .law-card"), "an empty conversation")
    page.all("#examples button.example")[1].click()
    until(lambda: page.all("#cards .law-card"), "cards for the example")


def test_a_question_no_article_answers(indexed: Page) -> None:
    page = indexed.open()
    page.ask("김치찌개 맛있게 끓이는 법 알려줘")
    assert "답이 아닐 수 있음" in page.text("#cards h2")
    assert page.all("#cards .law-card.weak")
    page.shot("abstained-desktop")


def test_a_hostile_question_is_only_text(indexed: Page) -> None:
    page = indexed.open()
    question = "<img src=x onerror=document.title='pwned'>**굵게** [눌러](javascript:alert(1)) 없는법 제5조"
    page.ask(question)
    assert question in page.text("#chat")
    assert page.js("return document.querySelectorAll('#chat img, #chat .user a, #cards img').length") == 0
    assert page.driver.title == "법령 질의응답"


def test_a_file_that_is_too_large_is_refused_in_korean(indexed: Page, tmp_path: Path) -> None:
    page = indexed.open()
    (tmp_path / "큰.md").write_bytes(b"0" * 1_200_000)
    page.tab("법령 추가")
    page.one("#files")
    page.driver.find_element(By.CSS_SELECTOR, "#files input[type=file]").send_keys(str(tmp_path / "큰.md"))
    until(lambda: "파일이 너무 큽니다" in page.text(".toast-body"), "being told that the file is too large")
    page.shot("error-desktop")


def test_a_phone_has_one_column(indexed: Page) -> None:
    page = indexed.open(PHONE)
    assert page.fits()
    page.shot("empty-phone")
    page.ask("대통령의 임기는 몇 년인가요?")
    assert page.fits()
    assert (
        page.one("#cards").rect["y"] >= page.one("#conversation").rect["y"] + page.one("#conversation").rect["height"]
    )
    page.shot("answer-phone")
    page.js("document.querySelector('#cards').scrollIntoView()")
    page.shot("cards-phone")
    for name in ("수록 법령", "법령 추가"):
        page.js("window.scrollTo(0, 0)")
        page.tab(name)
        page.one("#inventory table" if name == "수록 법령" else "#files")
        assert page.fits()
        page.shot("inventory-phone" if name == "수록 법령" else "upload-phone")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_dark(indexed: Page, size: tuple[int, int]) -> None:
    page = indexed.open(size, dark=True)
    page.ask("대통령의 임기는 몇 년인가요?")
    for css in ("body", "#cards .law-card"):
        background = page.js(f"return getComputedStyle(document.querySelector('{css}')).backgroundColor")
        assert max(map(int, background.removeprefix("rgb(").removesuffix(")").split(","))) < 80, css
    page.shot(f"dark-{'desktop' if size is DESKTOP else 'phone'}")


def test_the_keyboard_is_enough(indexed: Page) -> None:
    page = indexed.open()
    page.one("#question textarea").send_keys("대통령의 임기는 몇 년인가요?", Keys.TAB)
    focused = page.driver.switch_to.active_element
    outline = page.js("return getComputedStyle(document.activeElement).outlineStyle")
    assert focused.text in ("새 대화", "보내기")
    assert outline == "solid"


def test_upload_ask_and_remove(indexed: Page, tmp_path: Path) -> None:
    page = indexed.open()
    files = [mini(tmp_path), tmp_path / "낙타 <b>(법률).md", tmp_path / "깨진.md", tmp_path / "메모.csv"]
    files[1].write_text(HOSTILE, "utf-8")
    files[2].write_text("---\n제목: 깨진법\n", "utf-8")
    files[3].write_text("법령이 아닌 글", "utf-8")
    page.tab("법령 추가")
    page.one("#add").click()
    until(lambda: "먼저 파일을" in page.text("#upload-result"), "being told to choose files")
    page.driver.find_element(By.CSS_SELECTOR, "#files input[type=file]").send_keys("\n".join(map(str, files)))
    until(lambda: len(page.all("#files .file")) == 4, "the files to arrive")
    page.one("#add").click()
    until(lambda: page.all("#upload-result table"), "the results")
    told = page.text("#upload-result")
    assert "추가 2, 실패 2" in told
    assert "빨래터법.md" in told
    assert "머리말" in told
    assert "읽을 수 없는 형식" in told
    assert "(법률).md" in told
    assert page.driver.title == "법령 질의응답"
    page.js("window.scrollTo(0, 0)")
    page.shot("upload-desktop")
    until(lambda: "3개 법령" in page.text(".law-state"), "the new counts in the head")

    page.tab("수록 법령")
    page.one("#find-law textarea, #find-law input").send_keys("낙타")
    until(lambda: "전체 3개" in page.text("#inventory .law-summary"), "the list to narrow")
    until(lambda: "시행 예정 2099-01-01" in page.text("#inventory tbody tr"), "the warning in the list")
    assert page.js("return document.querySelectorAll('#inventory img, #inventory script').length") == 0
    page.shot("inventory-desktop")

    page.tab("질문")
    page.ask("사막에서 낙타를 빌릴 수 있나요?")
    best = page.all("#cards .law-card")[0].text
    assert "낙타법" in best
    assert "시행 예정 2099-01-01" in best
    assert "<script>" in best
    assert page.driver.title == "법령 질의응답"
    page.one("#fresh").click()
    until(lambda: not page.all("#cards .law-card"), "an empty conversation")
    page.ask("빨래터는 몇 시까지 여나요?")
    assert "빨래터의 이용에 관한 법률" in page.all("#cards .law-card")[0].text

    page.tab("법령 추가")
    page.one("#remove-law input").click()
    option = [o for o in until(lambda: page.all("#remove-law [role=option]"), "choices") if "빨래터" in o.text]
    option[0].click()
    page.one("#remove").click()
    assert "빨래터" in page.one("#confirm").text
    page.shot("remove-desktop")
    page.one("#remove-confirm").click()
    until(lambda: "뺐습니다" in page.text("#remove-result"), "the statute to be removed")
    until(lambda: "2개 법령" in page.text(".law-state"), "the counts in the head")
