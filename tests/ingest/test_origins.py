"""Where a statute came from decides who may take it out: a source only what it brought itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.pipeline import Outcome, Result, add, rebuild, remove
from rag.embedding import StatuteEmbedder
from rag.store import StatuteStore
from tests.samples import mini

WASH, WELL, MILL = "빨래터의 이용에 관한 법률", "우물 관리법", "물레방아법"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A statute book of two, as a source lays it out."""
    mini(tmp_path / "kr", "빨래터법/법률.md")
    mini(tmp_path / "kr", "우물관리법/법률.md", title=WELL, law_id="999002")
    return tmp_path / "kr"


def sync(store: StatuteStore, embedder: StatuteEmbedder, *paths: Path) -> dict[str, list[Result]]:
    return told(add(paths, store, embedder, 256, origin="mirror", whole=True))


def told(outcomes: list[Outcome]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.edition.title if outcome.edition else outcome.name, []).append(outcome.result)
    return found


def titles(store: StatuteStore) -> set[str]:
    return {edition.title for edition in store.texts.editions()}


def test_what_a_source_has_no_more_is_removed_with_its_vectors(
    store: StatuteStore, embedder: StatuteEmbedder, book: Path
) -> None:
    sync(store, embedder, book)
    assert [edition.title for edition in store.texts.of_origin("mirror")] == [WASH, WELL]
    (book / "우물관리법" / "법률.md").unlink()
    assert sync(store, embedder, book) == {WASH: [Result.UNCHANGED], WELL: [Result.REMOVED]}
    assert titles(store) == {WASH}
    assert store.vector_count() == store.texts.counts()[2]
    assert store.texts.of_origin("mirror") == store.texts.editions()


def test_what_a_user_brought_stays(store: StatuteStore, embedder: StatuteEmbedder, book: Path, tmp_path: Path) -> None:
    add([mini(tmp_path, title=MILL, law_id="999003")], store, embedder, 256)
    add([book / "우물관리법"], store, embedder, 256)
    mini(book, "우물관리법/법률.md", title=WELL, law_id="999002", effective="2021-01-01")
    assert sync(store, embedder, book) == {WASH: [Result.ADDED], WELL: [Result.UPDATED]}
    (book / "우물관리법" / "법률.md").unlink()
    sync(store, embedder, book)
    assert titles(store) == {WASH, WELL, MILL}


def test_adding_what_a_source_brought_makes_it_the_users(
    store: StatuteStore, embedder: StatuteEmbedder, book: Path
) -> None:
    sync(store, embedder, book)
    add([book / "우물관리법"], store, embedder, 256)
    (book / "우물관리법" / "법률.md").unlink()
    sync(store, embedder, book)
    assert titles(store) == {WASH, WELL}


def test_a_rebuild_and_a_new_title_keep_the_origin(store: StatuteStore, embedder: StatuteEmbedder, book: Path) -> None:
    sync(store, embedder, book)
    rebuild(store, embedder, 256, lambda _: None)
    assert len(store.texts.of_origin("mirror")) == 2
    mini(book, "우물관리법/법률.md", title="새 우물 관리법", law_id="999002", effective="2021-01-01")
    assert sync(store, embedder, book) == {WASH: [Result.UNCHANGED], "새 우물 관리법": [Result.UPDATED]}
    assert {edition.title for edition in store.texts.of_origin("mirror")} == {WASH, "새 우물 관리법"}


def test_a_file_that_cannot_be_read_now_does_not_remove_its_statute(
    store: StatuteStore, embedder: StatuteEmbedder, book: Path
) -> None:
    sync(store, embedder, book)
    (book / "우물관리법" / "법률.md").write_text("---\n제목: 깨진", "utf-8")
    assert sync(store, embedder, book) == {"법률.md": [Result.FAILED], WASH: [Result.UNCHANGED]}
    assert titles(store) == {WASH, WELL}


def test_what_was_removed_by_hand_is_forgotten(store: StatuteStore, embedder: StatuteEmbedder, book: Path) -> None:
    sync(store, embedder, book)
    remove(WELL, store)
    add([book / "우물관리법"], store, embedder, 256)
    assert [edition.title for edition in store.texts.of_origin("mirror")] == [WASH]
