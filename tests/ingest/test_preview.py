"""Files read before they go in: what they are, what would change, what a person states of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.pipeline import Result, add
from ingest.preview import Changes, Reading, preview, read_for_preview, reader_of
from ingest.sources.files import read_file
from ingest.sources.stated import Stated, state
from rag.embedding import StatuteEmbedder
from rag.errors import LawError, SourceError
from rag.store import StatuteStore
from tests.samples import mini

TITLE = "빨래터의 이용에 관한 법률"
UNTITLED = "제1조(목적) 이 조례는 우물의 이용을 정한다.\n제2조(시간) 우물은 아침에 연다.\n"


def test_a_new_statute(store: StatuteStore, tmp_path: Path) -> None:
    seen = preview(read_for_preview(mini(tmp_path)), store)
    assert seen.outcome.result is Result.ADDED
    assert seen.outcome.articles == 3
    assert seen.edition is not None
    assert (seen.edition.title, seen.edition.kind, seen.edition.ministries) == (TITLE, "법률", ("법무부",))
    assert [article.label for article in seen.articles] == ["제1조", "제2조", "제3조의2"]
    assert (seen.addenda, seen.changes) == (1, None)
    assert store.texts.counts()[0] == 0


def test_what_a_newer_edition_changes_and_an_older_one_would_not(
    store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    add([mini(tmp_path)], store, embedder, window=256)
    newer = mini(tmp_path / "새", effective="2021-01-01", penalty="과태료는 20만원으로 한다.")
    newer.write_text(newer.read_text("utf-8").replace("삭제 <2019.1.1>", "빨래터를 새로 둘 수 있다."), "utf-8")
    seen = preview(read_for_preview(newer), store)
    assert seen.outcome.result is Result.UPDATED
    assert seen.changes == Changes(added=("제3조",), removed=(), changed=("제3조의2",), same=2)
    older = preview(read_for_preview(mini(tmp_path / "옛", effective="2019-01-01")), store)
    assert older.outcome.result is Result.OLDER
    same = preview(read_for_preview(mini(tmp_path / "또")), store)
    assert (same.outcome.result, same.changes) == (Result.UNCHANGED, Changes((), (), (), 3))


def test_a_broken_file_says_why_and_nothing_else(store: StatuteStore, tmp_path: Path) -> None:
    (tmp_path / "깨진.md").write_text("---\n제목: 깨진법\n", "utf-8")
    seen = preview(read_for_preview(tmp_path / "깨진.md"), store)
    assert (seen.outcome.result, seen.edition) == (Result.FAILED, None)
    assert "깨진.md" in seen.outcome.message


def test_a_file_without_a_title_takes_the_one_that_is_stated(
    store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    path = tmp_path / "우물.txt"
    path.write_text(UNTITLED, "utf-8")
    with pytest.raises(SourceError, match="제목을 찾지 못했습니다"):
        read_file(path)
    reading = read_for_preview(path)
    before = preview(reading, store)
    assert (before.outcome.result, before.edition is not None) == (Result.FAILED, True)
    assert "제목" in before.outcome.message
    assert [article.label for article in before.articles] == ["제1조", "제2조"]

    stated = state("서울특별시 우물 조례", "조례", "제12호", "2024. 1. 2.", "20240301", "물순환과, 총무과")
    reading = replace(reading, stated=stated)
    after = preview(reading, store)
    assert (after.outcome.result, after.outcome.warnings) == (Result.ADDED, ())
    (outcome,) = add([path], store, embedder, window=256, read=reader_of([reading]))
    assert outcome.result is Result.ADDED
    (stored,) = store.texts.statutes()
    edition = stored.edition
    assert (edition.title, edition.kind, edition.number) == ("서울특별시 우물 조례", "조례", "12")
    assert (edition.promulgated, edition.effective) == (date(2024, 1, 2), date(2024, 3, 1))
    assert edition.ministries == ("물순환과", "총무과")
    assert preview(reading, store).outcome.result is Result.UNCHANGED


def test_what_stays_unknown_is_still_warned_of(store: StatuteStore, tmp_path: Path) -> None:
    path = tmp_path / "우물.txt"
    path.write_text(UNTITLED, "utf-8")
    reading = replace(read_for_preview(path), stated=Stated(title="우물 조례", kind="조례"))
    assert preview(reading, store).outcome.warnings == ("공포번호ㆍ시행일을(를) 알 수 없어 비워 두었습니다.",)


def test_what_is_stated_does_not_stick_to_the_file(
    store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    path = mini(tmp_path)
    add([path], store, embedder, window=256, read=reader_of([Reading(path, read_file(path), "", Stated("딴 법"))]))
    (outcome,) = add([path], store, embedder, window=256)
    assert (outcome.edition.title if outcome.edition else "") == TITLE


def test_a_file_that_could_not_be_read_fails_again_when_added(
    store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    reading = read_for_preview(tmp_path / "없음.md")
    (outcome,) = add([reading.path], store, embedder, window=256, read=reader_of([reading]))
    assert outcome.result is Result.FAILED
    assert "없음.md" in outcome.message


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("promulgated", "2024-02-30", "공포일"),
        ("effective", "내년", "시행일"),
        ("number", "제열호", "공포번호"),
        ("title", "가" * 201, "제목"),
    ],
)
def test_what_cannot_be_understood_is_told_by_field(field: str, value: str, said: str) -> None:
    typed = dict.fromkeys(("title", "kind", "number", "promulgated", "effective", "ministries"), "")
    with pytest.raises(LawError, match=said):
        state(**(typed | {field: value}))


WRITTEN: list[Callable[[date], str]] = [
    lambda d: d.isoformat(),
    lambda d: f"{d.year:04}. {d.month}. {d.day}.",
    lambda d: f"{d.year:04}년 {d.month}월 {d.day}일",
    lambda d: f" {d:%Y%m%d} " if d.year >= 1000 else d.isoformat(),
]


@settings(deadline=None)
@given(st.dates(), st.sampled_from(WRITTEN))
def test_days_as_people_write_them(day: date, write: Callable[[date], str]) -> None:
    assert state("", "", "", write(day), "", "").promulgated == day
