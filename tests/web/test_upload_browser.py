"""The upload tab as an operator has it: `python app.py` with a password, a real browser, and calls without either."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.pdf_samples import print_statute
from tests.samples import mini
from tests.web.browser import DESKTOP, PHONE, By, Keys, Page, needs_browser, serve, until

pytestmark = needs_browser

WORD = "빨래터 2026!"
TITLE = "이자제한법"  # one that there are example questions for
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
UNTITLED = "제1조(목적) 이 조례는 우물의 이용을 정한다.\n제2조(시간) 우물은 아침 여섯 시에 열고 밤 열 시에 닫는다.\n"
PRINTED = [
    ("조", "제1조(목적) 이 법은 방앗간의 운영에 관하여 필요한 사항을 정함을 목적으로 한다."),
    ("조", "제2조(삯) 방앗간의 삯은 쌀 한 말에 삼천 원으로 한다."),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser at an app with a password, whose corpus is one small statute."""
    folder = tmp_path_factory.mktemp("operated")
    mini(folder / "corpus", title=TITLE)
    options = {
        "LAW_CORPUS": str(folder / "corpus"),
        "LAW_QUESTIONS": "",
        "LAW_ADMIN_PASSWORD": WORD,
        "LAW_MAX_UPLOAD_MB": "1",
    }
    with serve(folder, **options) as url:
        browser = Page(url, tmp_path_factory.mktemp("profile"))
        yield browser
        browser.driver.quit()


def opened(page: Page, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> Page:
    page.open(size, dark=dark)
    until(lambda: "색인 중" not in page.text(".law-state"), "the corpus to be indexed", 120)
    page.tab("법령 추가")
    return page


def send(url: str, body: bytes, kind: str = "application/json") -> tuple[int, str]:
    call = urllib.request.Request(url, body, {"Content-Type": kind}, method="POST")
    try:
        with urllib.request.urlopen(call, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def called(url: str, name: str, data: list[Any]) -> str:
    """Call an event without its page, in a session of one's own, and return all that comes back."""
    with urllib.request.urlopen(f"{url}/config", timeout=30) as response:
        events = {event["api_name"]: event["id"] for event in json.load(response)["dependencies"]}
    body = {"data": data, "fn_index": events[name], "session_hash": "intruder", "trigger_id": None}
    status, _ = send(f"{url}/gradio_api/queue/join", json.dumps(body).encode())
    assert status == 200
    with urllib.request.urlopen(f"{url}/gradio_api/queue/data?session_hash=intruder", timeout=60) as stream:
        return "".join(
            json.dumps(json.loads(line[6:]), ensure_ascii=False)
            for line in map(bytes.decode, stream)
            if line.startswith("data:")
        )


def form(name: str, content: bytes) -> tuple[bytes, str]:
    head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    return head + content + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"


def test_events_that_write_refuse_whoever_did_not_give_the_password(page: Page) -> None:
    opened(page)
    for name, data in {
        "look_at": [None, None],
        "apply_stated": [None, None, "가", "", "", "", "", ""],
        "take_in": [None],
        "take_out": [None],
    }.items():
        assert "운영자 암호가 필요합니다" in called(page.url, name, data), name
    body, kind = form("가.md", b"x")
    assert send(f"{page.url}/gradio_api/upload", body, kind)[0] == 403
    page.driver.refresh()
    until(lambda: "1개 법령" in page.text(".law-state"), "the statute to be there still")


def test_a_wrong_password_and_the_right_one(page: Page) -> None:
    opened(page)
    page.one("#password input").send_keys("틀림", Keys.ENTER)
    until(lambda: "암호가 맞지 않습니다" in page.text("#login-result"), "the refusal")
    assert not page.all("#files")
    assert page.one("#password input").get_attribute("type") == "password"
    page.shot("login-desktop")
    page.one("#password input").send_keys(WORD)
    page.one("#enter").click()
    page.one("#files")
    assert not page.all("#login")
    page.one("#leave").click()
    page.one("#login")
    until(lambda: not page.all("#files"), "the tools to go")


def enter(page: Page) -> None:
    page.one("#password input").send_keys(WORD, Keys.ENTER)
    page.one("#files")


def offer(page: Page, files: list[Path]) -> None:
    page.driver.find_element(By.CSS_SELECTOR, "#files input[type=file]").send_keys("\n".join(map(str, files)))
    until(lambda: len(page.all(".law-preview")) == len(files), "the previews")


def fill(page: Page, label: str, text: str) -> None:
    css = "#state-fields label:has(span[data-testid=block-info]) input, #state-fields textarea, #state-fields input"
    box = next(one for one in page.all(css) if one.find_element(By.XPATH, "./ancestor::label").text.startswith(label))
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(text)


def test_look_state_add_ask_and_remove(page: Page, tmp_path: Path) -> None:
    opened(page)
    enter(page)
    newer = mini(tmp_path, "새 판.md", title=TITLE, effective="2021-01-01", penalty="과태료는 20만원으로 한다.")
    files = [
        print_statute(tmp_path / "방앗간법.pdf", PRINTED, title="방앗간의 운영에 관한 법률"),
        newer,
        tmp_path / "우물.txt",
        tmp_path / "낙타 <b>(법률).md",
        tmp_path / "깨진.md",
        tmp_path / "메모.csv",
    ]
    files[2].write_text(UNTITLED, "utf-8")
    files[3].write_text(HOSTILE, "utf-8")
    files[4].write_text("---\n제목: 깨진법\n", "utf-8")
    files[5].write_text("법령이 아닌 글", "utf-8")
    offer(page, files)
    seen = page.text("#preview")
    for part in (
        "파일 6개 가운데 3개가 들어갑니다",
        "방앗간의 운영에 관한 법률",
        "법률 제123호",
        "2023-12-31",
        "법무부",
        "새 판으로 바뀝니다",
        "바뀐 조문 1개(제3조의2)",
        "제목 없음",
        "머리말",
        "읽을 수 없는 형식",
        "시행 예정 2099-01-01",
    ):
        assert part in seen, part
    assert page.driver.title == "법령 질의응답"
    assert page.js("return document.querySelectorAll('#preview img, #preview script').length") == 0
    assert "1개 법령" in page.text(".law-state")
    page.shot("preview-desktop")

    assert page.one("#state-file input").get_attribute("value") == "우물.txt"
    page.js("document.querySelector('#state-box').scrollIntoView()")
    fill(page, "시행일", "언젠가")
    page.one("#state-apply").click()
    until(lambda: "시행일 '언젠가'" in page.text("#state-result"), "being told that this is no day")
    for label, text in {"제목": "서울특별시 우물 조례", "종류": "조례", "시행일": "2024. 3. 1."}.items():
        fill(page, label, text)
    page.shot("stated-desktop")
    page.one("#state-apply").click()
    until(lambda: "4개가 들어갑니다" in page.text("#preview"), "what was stated to count")

    page.one("#add").click()
    told = until(
        lambda: (said := page.text("#upload-result")).startswith("파일 4개:") and said, "the files to be in", 90
    )
    assert "추가 3, 갱신 1" in told
    assert "서울특별시 우물 조례" in told
    assert "2024-03-01" in told
    assert page.driver.title == "법령 질의응답"
    until(lambda: "4개 법령" in page.text(".law-state"), "the new counts in the head")
    until(lambda: not page.all(".law-preview"), "the previews to go")
    page.js("document.querySelector('#upload-result').scrollIntoView()")
    page.shot("added-desktop")

    page.tab("수록 법령")
    page.one("#find-law textarea, #find-law input").send_keys("낙타")
    until(lambda: "전체 4개" in page.text("#inventory .law-summary"), "the list to narrow")
    until(lambda: "시행 예정 2099-01-01" in page.text("#inventory tbody tr"), "the warning in the list")
    assert page.js("return document.querySelectorAll('#inventory img, #inventory script').length") == 0

    page.tab("질문")
    page.ask("방앗간 삯은 얼마인가요?")
    assert "방앗간의 운영에 관한 법률" in page.all("#cards .law-card")[0].text
    page.one("#fresh").click()
    until(lambda: not page.all("#cards .law-card"), "an empty conversation")
    page.ask("사막에서 낙타를 빌릴 수 있나요?")
    best = page.all("#cards .law-card")[0].text
    assert "낙타법" in best
    assert "<script>" in best
    assert page.driver.title == "법령 질의응답"

    page.tab("법령 추가")
    page.one("#remove-law input").click()
    option = [o for o in until(lambda: page.all("#remove-law [role=option]"), "choices") if "방앗간" in o.text]
    option[0].click()
    page.one("#remove").click()
    assert "방앗간" in page.one("#confirm").text
    page.shot("remove-desktop")
    page.one("#remove-confirm").click()
    until(lambda: "뺐습니다" in page.text("#remove-result"), "the statute to be removed")
    until(lambda: "3개 법령" in page.text(".law-state"), "the counts in the head")


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (DESKTOP, True), (PHONE, True)])
def test_every_width_and_light(page: Page, tmp_path: Path, size: tuple[int, int], dark: bool) -> None:
    opened(page, size, dark=dark)
    name = f"{'dark-' if dark else ''}{'phone' if size is PHONE else 'desktop'}"
    page.one("#password input")
    assert page.fits()
    page.shot(f"login-{name}")
    enter(page)
    (tmp_path / "샘물.txt").write_text(UNTITLED, "utf-8")
    (tmp_path / "아주아주긴이름의법령파일이라서한줄에다들어가지않는파일(법률)(제00001호).md").write_text("x", "utf-8")
    offer(page, sorted(tmp_path.iterdir()))
    assert page.fits()
    page.js("document.querySelector('#files').scrollIntoView()")
    page.shot(f"preview-{name}")
    page.js("document.querySelector('#state-box').scrollIntoView()")
    page.shot(f"stated-{name}")
