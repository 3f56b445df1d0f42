"""The app as its visitors have it: `python app.py` in a process of its own, a real browser, the API client."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.browser import DESKTOP, PHONE, By, Keys, Page, needs_browser, until

pytestmark = needs_browser


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
    link = first.find_element(By.CSS_SELECTOR, "footer a[target]")
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
