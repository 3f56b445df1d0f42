"""What a visitor does with the articles found, in a real browser: browse, narrow, copy, rate, keep, export."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.settings import ROOT
from tests.samples import mini
from tests.web.browser import PHONE, By, Keys, Page, needs_browser, serve, until

pytestmark = needs_browser

QUESTION = "대통령의 임기는 몇 년인가요?"
CARD_TEXTS = (
    ".law-card h3", ".law-line", ".law-path", ".law-legend", ".law-plot-name", ".law-dot", ".law-tools button",
)  # fmt: skip
HANGUL_OUTSIDE = """
const kept = '[lang="ko"]:not(html), .example, #chat .message-content, script, style, .law-language';
// An article's own name stays as it is, wherever it stands: "「대한민국헌법」 제70조(임기), copy text".
const said = (words) => words.replace(/「.*?」 (전문)?/, '').replace(/제[0-9]+조(의[0-9]+)*(\\(.*?\\))?/g, '');
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = [];
while (walker.nextNode()) {
  const node = walker.currentNode, parent = node.parentElement;
  if (/[가-힣]/.test(said(node.data)) && !parent.closest(kept) && parent.checkVisibility()) found.push(node.data);
}
for (const named of document.querySelectorAll('[aria-label], [placeholder]')) {
  if (named.closest(kept) || named.matches('#chat .message *, #chat .message') || !named.checkVisibility()) continue;
  for (const name of ['aria-label', 'placeholder']) {
    const words = named.getAttribute(name) ?? '';
    if (/[가-힣]/.test(said(words))) found.push(words);
  }
}
return found;
"""


@pytest.fixture(scope="module")
def app_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the app of these tests keeps its data, with a corpus of two statutes."""
    folder = tmp_path_factory.mktemp("reading")
    shutil.copytree(ROOT / "corpus", folder / "corpus")
    mini(folder / "corpus", "빨래터의 이용에 관한 법률.md")
    return folder


@pytest.fixture(scope="module")
def app_url(app_folder: Path) -> Iterator[str]:
    """The address of an app with two statutes."""
    with serve(app_folder, LAW_CORPUS=str(app_folder / "corpus")) as url:
        yield url


@pytest.fixture
def answered(indexed: Page) -> Page:
    """A page with the answer to a question."""
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": indexed.url}
    indexed.driver.execute_cdp_cmd("Browser.grantPermissions", permissions)
    indexed.open()
    indexed.ask(QUESTION)
    return indexed


def clipboard(page: Page) -> str:
    """Return what was copied."""
    return str(page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0], arguments[0])"))


def choose(page: Page, box: str, name: str) -> None:
    """Choose an option of a dropdown."""
    page.one(f"{box} input").click()
    options = until(lambda: [o for o in page.all(f"{box} [role=option]") if name in o.text], name)
    options[0].click()


def test_an_article_opens_in_its_statute_and_back(answered: Page) -> None:
    page = answered
    page.one(".law-card .law-tools a[data-open]").click()
    here = until(lambda: page.all("#law-here"), "the article in its statute")[0]
    assert here.text.startswith("제70조")
    assert "대한민국헌법" in page.text("#open-head h2")
    until(lambda: page.driver.switch_to.active_element.get_attribute("id") == "law-here", "the focus on the article")
    assert "제70조" in page.one("#outline [aria-current]").text
    shown = [article.text.split("\n")[0] for article in page.all("#stretch .law-shown h4")]
    assert len(shown) == 20
    page.shot("viewer-desktop")

    next(link for link in page.all("#outline a") if link.text.startswith("제72조")).click()
    until(lambda: page.text("#law-here").startswith("제72조"), "the next article")
    assert "제72조" in page.one("#outline [aria-current]").text
    page.all(".law-turning a")[-1].click()
    until(lambda: page.text("#law-here").startswith("제80조"), "the articles after")
    page.driver.back()
    until(lambda: page.text("#law-here").startswith("제72조"), "the article before")
    page.driver.back()
    until(lambda: page.text("#law-here").startswith("제70조"), "the first one")
    page.driver.back()
    until(lambda: page.all("#cards .law-card"), "the cards again")


def test_the_list_and_an_address_open_statutes_too(indexed: Page) -> None:
    page = indexed.open()
    page.tab("수록 법령")
    until(lambda: page.all("#inventory tbody a"), "the list")
    next(link for link in page.all("#inventory tbody a") if "빨래터" in link.text).click()
    until(lambda: "빨래터" in page.text("#open-head h2"), "the statute")
    assert [entry.text for entry in page.all("#outline li a")][:2] == ["제1조 목적", "제2조 이용 시간"]
    assert "제3조 (삭제)" in page.text("#outline")
    page.one("#to-list").click()
    until(lambda: page.all("#find-law"), "the list again")

    page.driver.get(f"{page.url}/?open=999001:제3조의2")
    until(lambda: page.text("#law-here").startswith("제3조의2(벌칙)"), "the article of the address")
    page.driver.get(f"{page.url}/?open=<img src=x onerror=document.title='pwned'>")
    until(lambda: "수록되어 있지 않습니다" in page.text("#open-head"), "being told that there is none")
    assert page.driver.title == "법령 질의응답"


def test_an_addendum_opens_from_the_outline_and_by_its_address(indexed: Page) -> None:
    page = indexed.open()
    page.driver.get(f"{page.url}/?open=빨래터의 이용에 관한 법률")
    until(lambda: page.all("#law-here"), "the statute")
    addenda = next(summary for summary in page.all("#outline summary") if summary.text == "부칙 (1)")
    assert not [link for link in page.all("#outline a") if link.text.startswith("부칙")]
    addenda.click()
    next(link for link in page.all("#outline a") if link.text == "부칙 <제1호,2018.1.1>").click()
    until(lambda: "공포한 날부터 시행한다" in page.text("#law-here"), "the addendum")
    assert len(page.all("#stretch .law-shown")) == 1
    assert page.text("#outline [aria-current]") == "부칙 <제1호,2018.1.1>"
    page.driver.refresh()
    until(lambda: "공포한 날부터 시행한다" in page.text("#law-here"), "the addendum of the address")
    page.shot("addendum-desktop")


def test_what_is_copied_is_the_article(answered: Page) -> None:
    page = answered
    copies = {}
    for form in ("cite", "text", "markdown"):
        page.js("navigator.clipboard.writeText('')")
        page.one(f".law-card button[data-copy={form}]").click()
        copies[form] = until(lambda: clipboard(page), form)
    assert copies["cite"] == "「대한민국헌법」 제70조"
    assert copies["text"].splitlines()[1] == "대통령의 임기는 5년으로 하며, 중임할 수 없다."
    assert "https://www.law.go.kr/법령/대한민국헌법/제70조" in copies["text"]
    assert "> 대통령의 임기는 5년으로 하며, 중임할 수 없다." in copies["markdown"]
    said = "return document.querySelector('#law-speech').textContent"
    until(lambda: page.js(said) == "복사했습니다.", "a screen reader to be told")


def test_a_search_keeps_to_its_scope_and_says_so(indexed: Page) -> None:
    page = indexed.open()
    page.one("#scope button").click()
    choose(page, "#scope-kinds", "법률")
    page.ask("몇 시까지 이용할 수 있나요?")
    assert page.text("#cards .law-scope") == "검색 범위: 법률"
    assert {name.text for name in page.all(".law-plot-name")} <= {"빨래터의 이용에 관한 법률"}
    assert all("빨래터" in card.text for card in page.all(".law-card h3"))
    page.shot("scope-desktop")


def test_an_opinion_is_written_down_with_what_was_shown(answered: Page, app_folder: Path) -> None:
    page = answered
    page.one("#chat button[aria-label='좋아요']").click()
    file = app_folder / "home" / "feedback.jsonl"
    until(lambda: file.exists() and file.read_text("utf-8").endswith("\n"), "the opinion")
    row = json.loads(file.read_text("utf-8").splitlines()[-1])
    assert (row["question"], row["liked"], row["abstained"]) == (QUESTION, True, False)
    assert row["hits"][0]["article"] == "제70조"


def test_conversations_stay_in_the_browser_until_they_are_cleared(indexed: Page, tmp_path: Path) -> None:
    page = indexed.open()
    page.ask(QUESTION)
    page.ask("국회의원은요?")
    page.driver.get(page.url)
    until(lambda: "국회의원" in page.text("#cards .law-asked"), "the conversation to be back")
    assert QUESTION in page.text("#chat")
    page.all("#chat .user .message-content")[0].click()
    until(lambda: QUESTION in page.text("#cards .law-asked"), "the articles of the earlier question")

    text = page.export(tmp_path)
    assert "## 대통령의 임기는 몇 년인가요?" in text
    url = r"https://www\.law\.go\.kr/법령/대한민국헌법/제70조"
    assert re.search(rf"1\. \[대한민국헌법 제70조\]\({url}\): 유사도 0\.\d", text)
    assert "## 국회의원은요?" in text

    page.one("#fresh").click()
    until(lambda: not page.all("#chat"), "an empty conversation")
    choose(page, "#past-chosen", QUESTION)
    until(lambda: QUESTION in page.text("#chat"), "the conversation again")
    page.one("#forget").click()
    until(lambda: not page.all("#chat"), "nothing kept")
    page.driver.get(page.url)
    until(lambda: page.all("#examples button.example"), "a page without a past")
    assert not page.all("#chat")


def test_a_long_conversation_stays_at_its_newest_question(indexed: Page) -> None:
    page = indexed.open((1280, 600))
    for question in (QUESTION, "국회의원은 몇 명인가요?", "우리나라의 영토는 어디까지인가요?"):
        page.ask(question)
    seen = """
    const scroller = document.querySelector('#chat .bubble-wrap');
    const box = scroller.getBoundingClientRect();
    const last = [...document.querySelectorAll('#chat .user')].at(-1).getBoundingClientRect();
    return last.top >= box.top && last.bottom <= box.bottom && scroller.scrollTop > 0;
    """
    until(lambda: page.js(seen), "the newest question in sight")


def test_english_leaves_only_the_law_in_korean(indexed: Page) -> None:
    page = indexed.open(language="en")
    page.ask(QUESTION)
    assert page.js(HANGUL_OUTSIDE) == []
    page.shot("english-desktop")
    page.tab("Statutes")
    until(lambda: page.all("#inventory tbody a"), "the list")
    assert page.js(HANGUL_OUTSIDE) == []
    page.all("#inventory tbody a")[0].click()
    until(lambda: page.all("#law-here"), "a statute")
    assert page.js(HANGUL_OUTSIDE) == []
    assert page.js("return document.documentElement.lang") == "en"
    page.js("window.scrollTo(0, 0)")
    next(button for button in page.all(".law-language button") if button.text == "한국어").click()
    until(lambda: page.text("h1") == "법령 질의응답", "Korean again")


def test_keys_lead_to_the_question_and_from_a_dot_to_its_card(indexed: Page) -> None:
    page = indexed.open()
    page.ask(QUESTION)
    page.js("document.activeElement.blur()")
    page.driver.find_element(By.TAG_NAME, "body").send_keys("/")
    assert page.driver.switch_to.active_element.tag_name == "textarea"
    dot = page.all(".law-dot")[0]
    page.js("document.querySelectorAll('.law-dot')[0].focus()")
    target = dot.get_attribute("href").partition("#")[2]
    dot.send_keys(Keys.ENTER)
    focused = page.driver.switch_to.active_element.get_attribute("id")
    assert page.js(f"return decodeURIComponent('{target}')") == focused


@pytest.mark.parametrize("size", [(1280, 800), PHONE, (1920, 1080)], ids=["laptop", "phone", "wide"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_screen_fits_and_can_be_read(indexed: Page, size: tuple[int, int], dark: bool) -> None:
    page = indexed.open(size, dark=dark)
    name = f"{size[0]}-{'dark' if dark else 'light'}"
    page.ask(QUESTION)
    assert page.fits()
    page.shot(f"answer-{name}")
    for css in (*CARD_TEXTS, "#chat .bot p"):
        assert contrast(page, css) >= 4.5, css
    page.one(".law-card .law-tools a[data-open]").click()
    until(lambda: page.all("#law-here"), "the article in its statute")
    assert page.fits()
    page.shot(f"viewer-{name}")
    for css in ("#outline summary", "#outline [aria-current]", ".law-shown h4", ".law-division"):
        assert contrast(page, css) >= 4.5, css


def contrast(page: Page, css: str) -> float:
    """Return the contrast of an element's text with what is painted behind it, as WCAG counts it."""
    script = """
    const parse = (c) => c.match(/[\\d.]+/g).map(Number);
    const mix = (a, top, under) => [0, 1, 2].map((i) => a * top[i] + (1 - a) * under[i]);
    const over = (top, under) => mix(top[3] ?? 1, top, under);
    const element = [...document.querySelectorAll(arguments[0])].find((e) => e.checkVisibility());
    const behind = [];
    for (let e = element; e; e = e.parentElement) behind.unshift(parse(getComputedStyle(e).backgroundColor));
    const ground = behind.reduce((under, top) => over(top, under), [255, 255, 255]);
    const ink = over(parse(getComputedStyle(element).color), ground);
    const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const light = (rgb) => rgb.map((v) => linear(v / 255));
    const [a, b] = [ink, ground].map(light).map(([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05);
    return Math.max(a, b) / Math.min(a, b);
    """
    return float(page.driver.execute_script(script, css))
