"""The page in English, tab by tab: only the law's words and a visitor's own are Korean, and marked as that."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rag.settings import ROOT
from tests.rag.llm_server import Handler, serving
from tests.rag.test_appended import WELL
from tests.samples import mini
from tests.web.browser import By, Page, needs_browser, serve, until
from tests.web.korean import UNMARKED

pytestmark = needs_browser

SIZES = pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["laptop", "phone"])
WRITTEN = "임기는 5년입니다 [대한민국헌법 제70조]. 7년까지 늘릴 수 있습니다 [대한민국헌법 제70조]. 그렇습니다."


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app with three statutes and a language model that says what is not so, or nothing."""

    def script(handler: Handler) -> None:
        handler.begin()
        if "임기" in str(handler.asked):
            handler.piece(WRITTEN)
        handler.piece("", "stop")
        handler.event("[DONE]")

    folder = tmp_path_factory.mktemp("english")
    shutil.copytree(ROOT / "corpus", folder / "corpus")
    mini(folder / "corpus", "빨래터의 이용에 관한 법률.md")
    (folder / "corpus" / "우물.md").write_text(WELL, "utf-8")
    options = {"LAW_CORPUS": str(folder / "corpus"), "LAW_LLM": "openai:m", "LAW_MAX_UPLOAD_MB": "1"}
    with serving(script) as llm, serve(folder, LAW_LLM_BASE_URL=llm.url, **options) as url:
        yield url


def english(page: Page, size: tuple[int, int]) -> Page:
    page.open(size, language="en")
    until(lambda: "Indexing" not in page.text(".law-state"), "the corpus to be indexed")
    return page


def check(page: Page, shot: str = "") -> None:
    """Look at the screen: what is Korean is marked as that, and nothing sticks out."""
    with suppress(AssertionError):
        until(lambda: not page.js(UNMARKED), "English", 5)
    assert "\n".join(page.js(UNMARKED)) == ""
    assert page.fits()
    if shot:
        page.shot(f"english-{shot}-{page.js('return window.innerWidth')}")


def send(page: Page, *files: Path) -> None:
    page.one("#files")
    page.driver.find_element(By.CSS_SELECTOR, "#files input[type=file]").send_keys("\n".join(map(str, files)))


@SIZES
def test_notes_and_checks_of_answers(indexed: Page, size: tuple[int, int]) -> None:
    page = english(indexed, size)
    check(page, "empty")
    page.ask("대통령의 임기는 몇 년인가요?")
    with suppress(AssertionError):
        until(lambda: "by machine" in page.text("#chat .bot"), "the checks", 20)
    said = page.text("#chat .bot")
    assert "citations that do not hold (1), sentences that cite nothing (1)" in said
    assert "‘7년’: figures that are not in the article" in said
    assert "⚠️ no source" in said
    assert "임기는 5년입니다" in said
    check(page, "written")
    page.one("#fresh").click()
    for question, note in (
        ("대한민국헌법 제999조", "「대한민국헌법」 has no 제999조. It has 제1조 to 제130조."),
        ("우물 관리법 별표 1의2", "별표 1의2: its text is not held; only its title"),
        ("대한민국헌법 제70조제5항", "「대한민국헌법」 제70조 has no paragraph (항) 5. It is not divided"),
        ("빨래터의 이용에 관한 법률 제3조", "「빨래터의 이용에 관한 법률」 제3조: deleted."),
        ("우물 관리법 별표 9", "「우물 관리법」 별표 9: not in the data held."),
        ("우주법 별표 2", "'우주법' is not among the statutes held."),
    ):  # fmt: skip
        page.ask(question)
        until(lambda note=note: note in page.all("#chat .bot")[-1].text, note, 20)  # type: ignore[misc]
        check(page)
    assert "the language model refused or sent nothing" in page.text("#chat")
    page.shot(f"english-notes-{size[0]}")


@SIZES
def test_the_statute_browser(indexed: Page, size: tuple[int, int]) -> None:
    page = english(indexed, size)
    page.tab("Statutes")
    until(lambda: page.all("#inventory tbody a"), "the list")
    check(page, "list")
    next(link for link in page.all("#inventory tbody a") if "우물" in link.text).click()
    until(lambda: page.all("#law-here"), "a statute")
    groups = [summary.text for summary in page.all("#outline summary")]
    assert groups == ["Addenda (1)", "Annexes and forms (2)"]
    for summary in page.all("#outline summary"):
        page.driver.execute_script("arguments[0].click()", summary)
    check(page, "outline")
    for name in ("별지", "부칙"):
        link = page.one(f"#outline a[data-open*='{name}']")
        page.driver.execute_script("arguments[0].click()", link)
        until(lambda name=name: page.text("#law-here").startswith(name), name)  # type: ignore[misc]
        check(page, "addendum")


@SIZES
def test_files_in_and_out(indexed: Page, size: tuple[int, int], tmp_path: Path) -> None:
    page = english(indexed, size)
    page.tab("Add statutes")
    check(page)
    law = mini(tmp_path, "두레박.md", title=f"두레박법{size[0]}", law_id=str(size[0]))
    (tmp_path / "빈 글.md").write_text("", "utf-8")
    (tmp_path / "제목 없음.txt").write_text("제1조(목적) 이 조례는 우물을 정한다.\n제2조(시간) 아침에 연다.\n", "utf-8")
    (tmp_path / "틀린.pdf").write_bytes(b"%PDF-1.4 nothing")
    send(page, law, tmp_path / "빈 글.md", tmp_path / "제목 없음.txt", tmp_path / "틀린.pdf")
    until(lambda: "files will go in" in page.text("#preview"), "the preview", 20)
    check(page, "preview")
    page.one("#state-file input").click()
    check(page)
    page.one("#state-apply").click()
    until(lambda: page.text("#state-result"), "the statement to be applied", 20)
    check(page)
    page.one("#add").click()
    until(
        lambda: "added 1" in page.text("#upload-result") or "1 added" in page.text("#upload-result"), "it to go in", 60
    )
    check(page, "added")
    page.one("#remove").click()
    until(lambda: "choose a statute first" in page.text("#remove-result"), "being told to choose", 20)
    page.one("#remove-law input").click()
    until(lambda: [o for o in page.all("#remove-law [role=option]") if "두레박" in o.text], "the choices")[0].click()
    page.one("#remove").click()
    until(lambda: "Really remove" in page.text("#confirm"), "being asked", 20)
    check(page)
    page.one("#remove-confirm").click()
    until(lambda: "has been removed" in page.text("#remove-result"), "it to be gone", 20)
    check(page, "removed")


def test_an_export_and_a_narrowed_search(indexed: Page, tmp_path: Path) -> None:
    page = english(indexed, (1280, 800))
    page.one("#scope button").click()
    page.one("#scope-kinds input").click()
    until(lambda: page.all("#scope-kinds [role=option]"), "the kinds")[0].click()
    page.ask("몇 시까지 이용할 수 있나요?")
    check(page, "scope")
    text = page.export(tmp_path)
    assert text.startswith("# A conversation with Korean Law Q&A\n")
    assert "This is not legal advice." in text
    assert ": similarity 0." in text
    assert "\n## 몇 시까지 이용할 수 있나요?\n" in text
    check(page)
