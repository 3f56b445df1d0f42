"""Every text that the page can show has English: those of its own modules, and what it is told by rag and ingest."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ingest.changes import ChangeKind
from ingest.editions import Result
from ingest.pipeline import Progress
from rag.llm import CANNOT_ANSWER
from rag.settings import ROOT
from tests.web.korean import SAID, in_english, lacking, sentences, shown, templates
from web.look import ENGLISH

KNOWN = json.loads(ENGLISH.read_text("utf-8"))
PAGE = sorted(path for path in (ROOT / "web").glob("*.py") if path.stem not in ("api", "examples"))
# What only a terminal shows: commands, reports, the settings a start fails on, question sets.
ELSEWHERE = {"__main__", "report", "console", "settings", "evaluation", "feedback", "salvage", "pdf_spacing_train"}
TOLD = sorted(
    path for top in ("rag", "ingest") for path in (ROOT / top).rglob("*.py") if path.stem not in ELSEWHERE
)  # fmt: skip
PUT_TOGETHER = {
    "{} 보입니다.": "공포번호를 함께 적으면 그 부칙만 보입니다.",
    "{} {}개": "바뀐 조문 3개",
    "{}{}/초": "14.2조각/초",
}
"""Of texts that say little by themselves, one as it is shown."""


def of_the_page(path: Path) -> list[str]:
    texts: list[str] = []
    for text in templates(path):
        if "(?:" in text:  # a pattern
            continue
        html = f"<i{text}>" if text.startswith(" aria-label=") else text
        texts += shown(html) if "<" in html else [text]
    return [PUT_TOGETHER.get(text, text) for text in texts]


def told(path: Path) -> list[str]:
    """Return the sentences of a module that are said to a reader, less those to a language model or a log."""
    said = [text for text in templates(path) if SAID.search(text) and not re.search(r"-\{\}>|%s", text)]
    prompt = (CANNOT_ANSWER, "고의나 과실로 남에게")
    found = [sentence for text in said if not text.startswith(prompt) for sentence in sentences(text)]
    return [PUT_TOGETHER.get(sentence, sentence) for sentence in found]


@pytest.mark.parametrize("path", PAGE, ids=lambda path: path.stem)
def test_every_text_of_the_page_has_english(path: Path) -> None:
    assert lacking(of_the_page(path)) == []


@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.stem)
def test_every_message_has_english(path: Path) -> None:
    assert lacking(told(path)) == []


def test_what_is_put_into_messages_has_english() -> None:
    reasons = [text for text in templates(ROOT / "rag" / "llm.py") if text.startswith("언어모델")]
    flaws = [text for text in templates(ROOT / "rag" / "claims.py") if not re.search(r"[\\|?]|\{\}년", text)]
    counts = [f"{result.value} 3" for result in Result] + [f"조문 {kind.value} 3" for kind in ChangeKind]
    stages = ("받기", "읽기", "문자 인식", "조회", "낱말", "부칙", "별표", "질문", "임베딩")
    units = [f"{stage} 3/40{Progress(stage, 3, 40, 1.0).unit}" for stage in stages]
    paces = [f"1.5{Progress(stage, 3, 40, 1.0).unit}/초" for stage in stages]
    assert (len(reasons), len(flaws)) == (14, 8)
    results = [result.value for result in Result]
    assert lacking([*reasons, *flaws, *counts, *units, *paces, *results, "조문 내용은 같음"]) == []


def test_a_text_without_english_is_noticed(tmp_path: Path) -> None:
    module = tmp_path / "made.py"
    module.write_text(
        '"""설명."""\nA = f"<p title=\'새 도움말\' lang=\'en\'>{1}쪽을 지웠습니다. 끝난 뒤 다시 해 주십시오.</p>"\n'
    )
    assert lacking(of_the_page(module)) == ["새 도움말", "{}쪽을 지웠습니다. 끝난 뒤 다시 해 주십시오."]
    module.write_text("raise LawError(f'{1}: 없던 일로 했습니다. 끝난 뒤 다시 해 주십시오.')")
    assert lacking(told(module)) == ["{}: 없던 일로 했습니다."]
    assert in_english("끝난 뒤 다시 해 주십시오.")


def test_english_says_all_that_is_put_into_a_message() -> None:
    assert len(KNOWN["messages"]) > 400
    for korean, english in KNOWN["messages"].items():
        numbers = {int(number) for number in re.findall(r"\{(\d)~?\}", english)}
        particles = set(range(2, 10, 2)) if re.search("[」']\\{\\}", korean) else set()
        assert numbers <= set(range(1, korean.count("{}") + 1)), korean
        assert set(range(1, korean.count("{}") + 1)) - particles <= numbers | particles, korean
