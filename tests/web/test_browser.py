"""The app as its visitors have it: `python app.py` in a process of its own, a real browser, the API client."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.samples import mini
from tests.web.browser import DESKTOP, PHONE, By, Keys, Page, needs_browser, until

pytestmark = needs_browser
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
