from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from ingest.links import links_of
from ingest.sources.files import read_file
from rag.errors import StoreError
from rag.related import Related, Relative, related
from rag.statutes import Statute
from rag.texts import Texts

LEASE = ("주택임대차보호법/법률.md", "주택임대차보호법/시행령.md")
TRAFFIC = ("도로교통법/법률.md", "도로교통법/시행령.md", "도로교통법/시행규칙.md")


@pytest.fixture
def texts(tmp_path: Path) -> Iterator[Texts]:
    opened = Texts(tmp_path / "statutes.db")
    yield opened
    opened.close()


def put(texts: Texts, book: Path, *files: str) -> list[Statute]:
    statutes = [read_file(book / file) for file in files]
    for statute in statutes:
        texts.put(statute, [], links_of(statute))
    return statutes


def around(texts: Texts, title: str, label: str, limit: int = 6) -> Related:
    stored = texts.find(title)
    assert stored is not None
    found = texts.article(f"{stored.edition.statute_id}:{label}")
    assert found is not None
    return related(texts, *found, limit)


def labels(relatives: tuple[Relative, ...]) -> list[str]:
    return [f"{relative.law} {relative.label}" for relative in relatives]


def test_drunk_driving_has_its_penalty_its_rules_and_its_words(texts: Texts, statute_book: Path) -> None:
    put(texts, statute_book, *TRAFFIC)
    found = around(texts, "도로교통법", "제44조")
    assert "도로교통법 제148조의2" in labels(found.penalties)
    assert "도로교통법 시행규칙 제27조의2" in labels(found.delegated)
    assert "도로교통법 제82조" in labels(found.cited_by)
    assert found.cited_by_total > len(found.cited_by) == 6
    assert ("노면전차", "제2조") in [(word, relative.label) for word, relative in found.definitions]
    penalty = around(texts, "도로교통법", "제148조의2")
    assert "도로교통법 제44조" in labels(penalty.cites)


def test_the_act_and_its_decree_know_each_other_whichever_came_first(texts: Texts, statute_book: Path) -> None:
    seen = []
    for files in permutations(LEASE):
        put(texts, statute_book, *files)
        seen.append((around(texts, "주택임대차보호법", "제8조"), around(texts, "주택임대차보호법 시행령", "제10조")))
    assert seen[0] == seen[1]
    act, decree = seen[0]
    assert labels(act.delegated) == ["주택임대차보호법 시행령 제10조", "주택임대차보호법 시행령 제11조"]
    assert act.delegated[0].title == "보증금 중 일정액의 범위 등"
    assert labels(decree.parents) == ["주택임대차보호법 제8조"]


def test_the_decree_uses_the_words_of_its_act(texts: Texts, statute_book: Path) -> None:
    put(texts, statute_book, "근로기준법/시행령.md", "근로기준법/법률(법률).md")
    words = {word: f"{r.law} {r.label}" for word, r in around(texts, "근로기준법 시행령", "제9조").definitions}
    assert words["단시간근로자"] == "근로기준법 제2조"


def test_what_is_removed_is_related_to_nothing(texts: Texts, statute_book: Path) -> None:
    act, decree = put(texts, statute_book, *LEASE)
    texts.remove(decree.edition)
    assert around(texts, "주택임대차보호법", "제8조").delegated == ()
    assert texts.query("SELECT COUNT(*) FROM links WHERE source_statute = ?", (decree.edition.key,)) == [(0,)]
    put(texts, statute_book, LEASE[1])
    texts.remove(act.edition)
    assert around(texts, "주택임대차보호법 시행령", "제10조").parents == ()


def test_putting_a_statute_again_does_not_double_its_links(texts: Texts, statute_book: Path) -> None:
    put(texts, statute_book, *LEASE)
    before = texts.query("SELECT COUNT(*) FROM links")
    put(texts, statute_book, *LEASE)
    assert texts.query("SELECT COUNT(*) FROM links") == before


def test_each_list_is_no_longer_than_the_limit(texts: Texts, statute_book: Path) -> None:
    put(texts, statute_book, *TRAFFIC)
    found = around(texts, "도로교통법", "제44조", limit=1)
    lists = (found.delegated, found.cites, found.cited_by, found.definitions, found.penalties)
    assert [len(each) for each in lists] == [1] * 5
    assert found.cited_by_total > 1


def test_a_file_from_before_there_were_links_gets_them_when_a_statute_is_put_again(
    tmp_path: Path, statute_book: Path
) -> None:
    path = tmp_path / "statutes.db"
    old = Texts(path)
    statutes = put(old, statute_book, *LEASE)
    old.close()
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE links")
        db.execute("PRAGMA user_version = 1")
    db.close()
    opened = Texts(path)
    assert around(opened, "주택임대차보호법", "제8조") == Related()
    for statute in statutes:
        opened.put(opened.statute(statute.edition), [], links_of(statute))
    assert around(opened, "주택임대차보호법", "제8조").delegated
    opened.close()


def test_a_file_of_another_format_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "statutes.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="LAW_HOME"):
        Texts(path)
