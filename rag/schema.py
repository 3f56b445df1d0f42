"""The tables of the texts' SQLite file (`rag.texts`), and how a file of an older form is brought up to them."""

from __future__ import annotations

import re
import sqlite3

SCHEMA_VERSION = 3
OLDER = (1, 2)
"""Forms without links (1), or without annexes and kept editions (2): such a file gets the tables, and what belongs in
them when its statutes are put again."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS statutes (
    key TEXT PRIMARY KEY, statute_id TEXT NOT NULL UNIQUE, edition TEXT NOT NULL, fingerprint TEXT NOT NULL,
    articles INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS articles (
    id TEXT PRIMARY KEY, statute TEXT NOT NULL REFERENCES statutes(key) ON DELETE CASCADE, position INTEGER NOT NULL,
    label TEXT NOT NULL, title TEXT NOT NULL, divisions TEXT NOT NULL, paragraphs TEXT NOT NULL,
    deleted INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS articles_by_statute ON articles(statute, position);
CREATE TABLE IF NOT EXISTS addenda (
    statute TEXT NOT NULL REFERENCES statutes(key) ON DELETE CASCADE, position INTEGER NOT NULL,
    heading TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (statute, position));
CREATE TABLE IF NOT EXISTS chunks (
    id TEXT PRIMARY KEY, article TEXT NOT NULL, statute TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    text_hash TEXT NOT NULL, embedded INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS chunks_by_statute ON chunks(statute);
CREATE INDEX IF NOT EXISTS chunks_by_article ON chunks(article);
CREATE INDEX IF NOT EXISTS chunks_pending ON chunks(embedded) WHERE embedded = 0;
CREATE TABLE IF NOT EXISTS links (
    source_statute TEXT NOT NULL REFERENCES statutes(key) ON DELETE CASCADE, source_label TEXT NOT NULL,
    target_statute TEXT NOT NULL, target_label TEXT NOT NULL, kind TEXT NOT NULL, word TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS links_by_source ON links(source_statute, source_label);
CREATE INDEX IF NOT EXISTS links_by_target ON links(target_statute, target_label);
CREATE TABLE IF NOT EXISTS generation (n INTEGER NOT NULL);
INSERT INTO generation SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM generation);
CREATE TABLE IF NOT EXISTS doomed (chunk TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS origins (statute TEXT PRIMARY KEY, origin TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS annexes (
    statute TEXT NOT NULL REFERENCES statutes(key) ON DELETE CASCADE, position INTEGER NOT NULL, label TEXT NOT NULL,
    title TEXT NOT NULL, text TEXT NOT NULL, url TEXT NOT NULL, PRIMARY KEY (statute, position));
CREATE TABLE IF NOT EXISTS sources (
    sha256 TEXT NOT NULL, position INTEGER NOT NULL, edition TEXT NOT NULL, fingerprint TEXT NOT NULL,
    PRIMARY KEY (sha256, position));
CREATE TABLE IF NOT EXISTS kept (
    id INTEGER PRIMARY KEY, statute TEXT NOT NULL, edition TEXT NOT NULL, fingerprint TEXT NOT NULL,
    articles INTEGER NOT NULL, appended TEXT NOT NULL, UNIQUE (statute, fingerprint));
CREATE TABLE IF NOT EXISTS kept_articles (
    kept INTEGER NOT NULL REFERENCES kept(id) ON DELETE CASCADE, position INTEGER NOT NULL, label TEXT NOT NULL,
    title TEXT NOT NULL, paragraphs TEXT NOT NULL, divisions TEXT NOT NULL, PRIMARY KEY (kept, position));
CREATE INDEX IF NOT EXISTS kept_articles_by_label ON kept_articles(kept, label);
"""
_ANNEX = re.compile(r"\[([^\]]*)\]\s*(.*)", re.DOTALL)


def bring_up(db: sqlite3.Connection, version: int) -> None:
    """Make the tables of a file whose `PRAGMA user_version` is `version`; a killed run does it again."""
    if version in OLDER:
        db.executescript("DROP TABLE IF EXISTS sources")  # what was read from which file; it is read again
    db.executescript(_SCHEMA)
    if version in OLDER:
        _move_annexes(db)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _move_annexes(db: sqlite3.Connection) -> None:
    """Make annexes of what stood for them among the addenda."""
    db.execute("BEGIN IMMEDIATE")
    sql = "SELECT statute, position, heading, text FROM addenda WHERE heading LIKE '[별표%' OR heading LIKE '[별지%'"
    for statute, position, heading, text in db.execute(sql).fetchall():
        if match := _ANNEX.fullmatch(heading):
            db.execute("INSERT INTO annexes VALUES (?,?,?,?,?,'')", (statute, position, *match.groups(), text))
            db.execute("DELETE FROM addenda WHERE statute = ? AND position = ?", (statute, position))
    db.execute("COMMIT")
