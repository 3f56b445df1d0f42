from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from embedder.bank import (
    FOLDER,
    SPLITS,
    STYLES,
    Row,
    counts,
    near_duplicates,
    problems,
    read_bank,
    split_by_article,
    write_splits,
)
from embedder.bank import statute_book as read_book
from rag.errors import QuestionSetError


@pytest.fixture(scope="module")
def bank() -> list[Row]:
    return read_bank()


def made(number: int, question: str, *gold: str, style: str = "plain") -> Row:
    return Row(f"q{number}", question, tuple(("민법", label) for label in gold), "계약", style, "", f"made:{number}")


def test_no_gold_article_is_in_two_splits(bank: list[Row]) -> None:
    homes: dict[tuple[str, str], set[str]] = {}
    for row in bank:
        for key in row.gold:
            homes.setdefault(key, set()).add(row.split)
    assert {key: splits for key, splits in homes.items() if len(splits) > 1} == {}


def test_the_splits_in_the_files_are_those_of_the_command(bank: list[Row]) -> None:
    assert {row.id: row.split for row in bank} == split_by_article(bank)
    assert set(counts(bank)["splits"]) == set(SPLITS)  # type: ignore[call-overload]


def test_every_style_is_there_and_about_half_are_colloquial(bank: list[Row]) -> None:
    styles = Counter(row.style for row in bank)
    assert set(styles) == set(STYLES)
    assert 0.4 < (styles["colloquial"] + styles["short"]) / len(bank) < 0.6
    assert styles["unanswerable"] >= 200


def test_the_bank_is_as_large_as_it_says(bank: list[Row]) -> None:
    sizes = counts(bank)
    assert len(bank) >= 4000
    assert int(str(sizes["articles"])) >= 1500
    assert int(str(sizes["statutes"])) >= 250
    assert min(Counter(row.domain for row in bank).values()) >= 100


def test_the_bank_has_no_fault_in_the_statute_book(bank: list[Row], statute_book: Path) -> None:
    assert list(problems(bank, read_book(statute_book))) == []


def test_faults_are_found() -> None:
    book = {("민법", "제1조"): "민사에 관하여 법률에 규정이 없으면 관습법에 의한다.", ("민법", "제2조"): ""}
    rows = [
        made(1, "법률에 규정이 없으면?", "제1조"),
        made(2, "지워진 조문은 뭐라고 되어 있었나요?", "제2조"),
        made(3, "없는 조문은 어디에 있나요?", "제3조"),
        made(4, "친구가 빌려 간 돈을 갚지 않으면 어떻게 하나요?", "제1조"),
        made(5, "친구가 빌려간 돈을 갚지 않으면 어떻게 하나요", "제1조"),
        made(5, "다섯이라는 이름이 두 번 나오는 질문", "제1조", "제2조", "제3조", "제4조", "제5조"),
    ]
    found = "\n".join(problems(rows, book))
    assert "made:1: the question stands in 민법 제1조" in found
    assert "made:2: 민법 제2조 is deleted" in found
    assert "made:3: 민법 제3조 is not in the statute book" in found
    assert "made:5: nearly the same question as made:4" in found
    assert "id q5 is given 2 times" in found
    assert "5 golds" in found


def test_different_questions_are_no_near_duplicates() -> None:
    assert list(near_duplicates([made(1, "전세 보증금을 못 받았어요"), made(2, "월급을 석 달째 못 받았어요")])) == []


def test_questions_that_share_an_article_go_together() -> None:
    rows = [made(n, "질문", f"제{n}조", f"제{n + 1}조") for n in range(1, 40)]
    assert len(set(split_by_article(rows).values())) == 1
    apart = [made(n, "질문", f"제{n}조") for n in range(1, 400)]
    shares = Counter(split_by_article(apart).values())
    assert shares["train"] > shares["test"] > shares["dev"] > 20


def test_splits_are_written_into_the_files(tmp_path: Path) -> None:
    row = {
        "id": "a", "question": "계약은 언제 성립하나요?", "primary": {"law": "민법", "article": "제527조"},
        "domain": "계약", "style": "plain",
    }  # fmt: skip
    (tmp_path / "contract.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n\n", "utf-8")
    write_splits(tmp_path)
    (written,) = read_bank(tmp_path)
    assert written.split in SPLITS


def test_a_row_of_no_known_style_is_named(tmp_path: Path) -> None:
    row = {
        "id": "a",
        "question": "왜요?",
        "primary": {"law": "민법", "article": "제1조"},
        "domain": "계약",
        "style": "시",
    }
    (tmp_path / "x.jsonl").write_text(json.dumps(row), "utf-8")
    with pytest.raises(QuestionSetError, match=r"x\.jsonl:1"):
        read_bank(tmp_path)


def test_the_files_of_the_bank_are_there() -> None:
    assert len(list(FOLDER.glob("*.jsonl"))) >= 15
