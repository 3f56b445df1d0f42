"""Data folders made by earlier versions of the program are taken over, and what they lack comes with the next add."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ingest.pipeline import Result, add
from rag.embedding import StatuteEmbedder
from rag.errors import StoreError
from rag.schema import SCHEMA_VERSION
from rag.store import StatuteStore
from rag.texts import Texts
from tests.samples import mini

# The tables as form 2 had them, and what it wrote of one statute.
FORM_2 = """
CREATE TABLE statutes (
    key TEXT PRIMARY KEY, statute_id TEXT NOT NULL UNIQUE, edition TEXT NOT NULL, fingerprint TEXT NOT NULL,
    articles INTEGER NOT NULL);
CREATE TABLE articles (
    id TEXT PRIMARY KEY, statute TEXT NOT NULL REFERENCES statutes(key) ON DELETE CASCADE, position INTEGER NOT NULL,
    label TEXT NOT NULL, title TEXT NOT NULL, divisions TEXT NOT NULL, paragraphs TEXT NOT NULL,
    deleted INTEGER NOT NULL);
CREATE TABLE addenda (
    statute TEXT NOT NULL REFERENCES statutes(key) ON DELETE CASCADE, position INTEGER NOT NULL,
    heading TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (statute, position));
CREATE TABLE chunks (
    id TEXT PRIMARY KEY, article TEXT NOT NULL, statute TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    text_hash TEXT NOT NULL, embedded INTEGER NOT NULL);
CREATE TABLE links (
    source_statute TEXT NOT NULL REFERENCES statutes(key) ON DELETE CASCADE, source_label TEXT NOT NULL,
    target_statute TEXT NOT NULL, target_label TEXT NOT NULL, kind TEXT NOT NULL, word TEXT NOT NULL);
CREATE TABLE generation (n INTEGER NOT NULL);
INSERT INTO generation VALUES (7);
CREATE TABLE doomed (chunk TEXT PRIMARY KEY);
CREATE TABLE sources (sha256 TEXT PRIMARY KEY, edition TEXT NOT NULL, fingerprint TEXT NOT NULL);
"""
EDITION = {
    "title": "우물 관리법", "kind": "법률", "law_id": "999002", "number": "3", "promulgated": "2020-01-01",
    "effective": "2020-01-01", "ministries": ["법무부"], "abbreviation": "", "repealed": False, "source": "a.md",
}  # fmt: skip
PARAGRAPHS = [[None, [[0, "", "이 법은 우물을 정한다."]]]]


def old_file(path: Path, version: int, *, links: bool = True) -> None:
    """Write a file as an earlier version of the program left it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path)
    db.executescript(FORM_2)
    if not links:
        db.execute("DROP TABLE links")
    edition = json.dumps(EDITION, ensure_ascii=False)
    db.execute("INSERT INTO statutes VALUES ('우물관리법', '999002', ?, 'f', 1)", (edition,))
    article = ("999002:제1조", "우물관리법", 0, "제1조", "목적", "[]", json.dumps(PARAGRAPHS, ensure_ascii=False), 0)
    db.execute("INSERT INTO articles VALUES (?,?,?,?,?,?,?,?)", article)
    addenda = [("부칙 <제1호,2020.1.1>", "이 법은 공포한 날부터 시행한다."), ("[별표 1의2] 사용료(제1조 관련)", "무료")]
    db.executemany("INSERT INTO addenda VALUES ('우물관리법', ?, ?, ?)", [(n, *row) for n, row in enumerate(addenda)])
    db.execute("INSERT INTO chunks VALUES ('999002:제1조#0', '999002:제1조', '우물관리법', 0, 13, 'h', 0)")
    db.execute("INSERT INTO sources VALUES ('hash', ?, 'f')", (edition,))
    db.execute(f"PRAGMA user_version = {version}")
    db.commit()
    db.close()


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_file_is_brought_up(tmp_path: Path, version: int) -> None:
    old_file(tmp_path / "statutes.db", version, links=version > 1)
    for _ in range(2):  # the second time it is up to date
        texts = Texts(tmp_path / "statutes.db")
        (stored,) = texts.statutes()
        assert (stored.edition.title, stored.edition.effective) == ("우물 관리법", date(2020, 1, 1))
        assert (stored.articles, stored.chunks, stored.addenda, stored.annexes, stored.kept) == (1, 1, 1, 1, ())
        assert [addendum.heading for addendum in texts.addenda(stored.edition)] == ["부칙 <제1호,2020.1.1>"]
        (annex,) = texts.annexes(stored.edition)
        assert (annex.label, annex.title, annex.text, annex.url) == ("별표 1의2", "사용료(제1조 관련)", "무료", "")
        assert texts.known_source("hash") == []
        assert texts.query("PRAGMA user_version") == [(SCHEMA_VERSION,)]
        texts.close()


def test_a_run_killed_while_bringing_up_is_done_again(tmp_path: Path) -> None:
    old_file(tmp_path / "statutes.db", 2)
    Texts(tmp_path / "statutes.db").close()
    db = sqlite3.connect(tmp_path / "statutes.db")
    db.execute("PRAGMA user_version = 2")  # killed before the last step
    db.commit()
    db.close()
    texts = Texts(tmp_path / "statutes.db")
    assert (texts.statutes()[0].addenda, texts.statutes()[0].annexes) == (1, 1)
    texts.close()


def test_an_older_store_goes_on(
    open_at: Callable[..., StatuteStore], embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    old_file(tmp_path / "home" / "statutes.db", 2)
    store = open_at()
    today = date(2024, 6, 1)
    add([mini(tmp_path, "b.md")], store, embedder, 256, today=today)
    assert store.vector_count() == store.texts.counts()[2] == 4
    newer = mini(tmp_path, "c.md", title="우물 관리법", law_id="999002", effective="2025-01-01")
    (outcome,) = add([newer], store, embedder, 256, today=today)
    assert outcome.result is Result.COMING
    (outcome,) = add([], store, embedder, 256, today=date(2025, 1, 1))
    assert outcome.result is Result.UPDATED
    assert store.vector_count() == store.texts.counts()[2]


def test_a_file_of_a_later_program_is_refused(tmp_path: Path) -> None:
    Texts(tmp_path / "statutes.db").close()
    db = sqlite3.connect(tmp_path / "statutes.db")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.commit()
    db.close()
    with pytest.raises(StoreError, match="LAW_HOME"):
        Texts(tmp_path / "statutes.db")
