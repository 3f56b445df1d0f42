"""The article texts and the state of the index, in one SQLite file. What is written here is the truth; the vectors
follow it: a chunk is `embedded` once its vector is stored, and a vector to be deleted waits in `doomed`.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rag.errors import StoreError
from rag.statutes import (
    Addendum,
    Article,
    Chunk,
    Edition,
    Line,
    Link,
    Paragraph,
    Statute,
    article_id,
    digest,
    normalize_title,
)

PendingChunk = tuple[str, str, int, int]
"""Chunk id, article id, start and end of a chunk whose vector is missing."""

SCHEMA_VERSION = 2
_WITHOUT_LINKS = 1  # a file of before there were links: it gets the table, and the links when a statute is put again

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
CREATE TABLE IF NOT EXISTS sources (sha256 TEXT PRIMARY KEY, edition TEXT NOT NULL, fingerprint TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS origins (statute TEXT PRIMARY KEY, origin TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class StoredStatute:
    """A statute as the store lists it: its articles less the deleted ones, its chunks, those still to be embedded."""

    edition: Edition
    fingerprint: str
    articles: int
    chunks: int
    pending: int


class Texts:
    """The SQLite file. Safe to use from several threads; one process at a time may write."""

    def __init__(self, path: Path):
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA foreign_keys = ON")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _WITHOUT_LINKS, SCHEMA_VERSION):
                raise StoreError(
                    f"{path}: 다른 버전의 프로그램이 만든 자료입니다(형식 {version})."
                    " LAW_HOME 폴더를 새로 만들어 주십시오."
                )
            self._db.executescript(_SCHEMA)
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except sqlite3.Error as error:
            raise StoreError(f"{path}: 조문 자료를 열 수 없습니다({error}).") from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # Reading

    def statutes(self) -> list[StoredStatute]:
        """Return every statute, by title."""
        rows = self._all(
            "SELECT s.edition, s.fingerprint, s.articles, COUNT(c.id), COALESCE(SUM(c.embedded = 0), 0)"
            " FROM statutes s LEFT JOIN chunks c ON c.statute = s.key GROUP BY s.key ORDER BY s.key"
        )
        return [StoredStatute(_edition(row[0]), *row[1:]) for row in rows]

    def editions(self) -> list[Edition]:
        """Return the edition of every statute, by title."""
        return [_edition(row[0]) for row in self._all("SELECT edition FROM statutes ORDER BY key")]

    def generation(self) -> int:
        """Return a number that changes whenever a statute is put or removed."""
        row = self._one("SELECT n FROM generation")
        return int(row[0]) if row else 0

    def find(self, name: str) -> StoredStatute | None:
        """Return the statute of that title, abbreviation or 법령ID."""
        key = normalize_title(name)
        for stored in self.statutes():
            edition = stored.edition
            if key in (edition.key, edition.law_id, normalize_title(edition.abbreviation)):
                return stored
        return None

    def stored_version(self, edition: Edition) -> tuple[Edition, str] | None:
        """Return (edition, fingerprint) of the stored statute with this one's title or 법령ID."""
        row = self._one(
            "SELECT edition, fingerprint FROM statutes WHERE key = ? OR statute_id = ? ORDER BY key = ? DESC",
            (edition.key, edition.statute_id, edition.key),
        )
        return (_edition(row[0]), row[1]) if row else None

    def article(self, of_article: str) -> tuple[Edition, Article] | None:
        """Return an article and the edition it is of, by the article's id."""
        return self.articles([of_article]).get(of_article)

    def articles(self, ids: Sequence[str]) -> dict[str, tuple[Edition, Article]]:
        """Return the articles of those ids that exist."""
        rows = self._all(
            "SELECT a.id, s.edition, a.label, a.title, a.paragraphs, a.divisions FROM articles a"
            f" JOIN statutes s ON s.key = a.statute WHERE a.id IN ({_marks(ids)})",
            ids,
        )
        return {row[0]: (_edition(row[1]), _article(*row[2:])) for row in rows}

    def outline(self, edition: Edition) -> list[tuple[str, str, bool]]:
        """Return (label, title, deleted) of a statute's articles in order."""
        rows = self._all(
            "SELECT label, title, deleted FROM articles WHERE statute = ? ORDER BY position", (edition.key,)
        )
        return [(label, title, bool(deleted)) for label, title, deleted in rows]

    def statute(self, edition: Edition) -> Statute:
        """Return a stored statute whole."""
        ids = self._all("SELECT id FROM articles WHERE statute = ? ORDER BY position", (edition.key,))
        articles = self.articles([row[0] for row in ids])
        return Statute(edition, tuple(articles[row[0]][1] for row in ids), tuple(self.addenda(edition)))

    def addenda(self, edition: Edition) -> list[Addendum]:
        """Return a statute's addenda in order."""
        rows = self._all("SELECT heading, text FROM addenda WHERE statute = ? ORDER BY position", (edition.key,))
        return [Addendum(*row) for row in rows]

    def spans(self, chunk_ids: Sequence[str]) -> dict[str, tuple[str, int, int]]:
        """Return chunk id -> (article id, start, end) for those that are part of the text now."""
        rows = self._all(f'SELECT id, article, start, "end" FROM chunks WHERE id IN ({_marks(chunk_ids)})', chunk_ids)
        return {row[0]: row[1:] for row in rows}

    def spans_of(self, articles: Sequence[str]) -> dict[str, tuple[str, int, int]]:
        """Return chunk id -> (article id, start, end) for every chunk of these articles."""
        rows = self._all(
            f'SELECT id, article, start, "end" FROM chunks WHERE article IN ({_marks(articles)})', articles
        )
        return {row[0]: row[1:] for row in rows}

    def embedded_chunks(self, statutes: Collection[str]) -> list[str]:
        """Return the ids of the chunks of these statutes (keys) that have vectors."""
        keys = list(statutes)
        rows = self._all(f"SELECT id FROM chunks WHERE embedded AND statute IN ({_marks(keys)})", keys)
        return [row[0] for row in rows]

    def abouts(self, articles: Sequence[str]) -> dict[str, tuple[str, str, int]]:
        """Return article id -> (statute key, title, length of its stored text) for those that exist."""
        rows = self._all(
            f"SELECT id, statute, title, LENGTH(paragraphs) FROM articles WHERE id IN ({_marks(articles)})", articles
        )
        return {row[0]: row[1:] for row in rows}

    def article_ids(self) -> dict[tuple[str, str], str]:
        """Return (statute key, label) -> article id of every article that is not deleted."""
        rows = self._all("SELECT statute, label, id FROM articles WHERE NOT deleted")
        return {(key, label): identity for key, label, identity in rows}

    def fingerprints(self) -> dict[str, tuple[str, Edition]]:
        """Return statute key -> (fingerprint, edition) of every statute."""
        rows = self._all("SELECT key, fingerprint, edition FROM statutes ORDER BY key")
        return {key: (fingerprint, _edition(edition)) for key, fingerprint, edition in rows}

    def of_origin(self, origin: str) -> list[Edition]:
        """Return the editions of the statutes that a source brought in and no user did, by title."""
        sql = "SELECT s.edition FROM statutes s JOIN origins o ON o.statute = s.key WHERE o.origin = ? ORDER BY s.key"
        return [_edition(row[0]) for row in self._all(sql, (origin,))]

    def origin(self, edition: Edition) -> str:
        """Return the source that brought a statute in; '' where a user's own file did, or it is not stored."""
        row = self._one("SELECT origin FROM origins WHERE statute = ?", (edition.key,))
        return str(row[0]) if row else ""

    def counts(self) -> tuple[int, int, int, int]:
        """Return how many statutes, articles (less deleted ones), chunks and chunks not embedded yet there are."""
        row = self._one(
            "SELECT (SELECT COUNT(*) FROM statutes), (SELECT COUNT(*) FROM articles WHERE NOT deleted),"
            " (SELECT COUNT(*) FROM chunks),"
            " (SELECT COUNT(*) FROM chunks WHERE embedded = 0)"
        )
        assert row is not None  # an aggregate always has a row
        return (row[0], row[1], row[2], row[3])

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple]:  # type: ignore[type-arg]
        """Return the rows of another module's SELECT (`rag.related`)."""
        return self._all(sql, values)

    # Writing

    def put(
        self, statute: Statute, chunks: Iterable[Chunk], links: Iterable[Link] = (), origin: str | None = None
    ) -> None:
        """Replace a statute by this edition of it, all or nothing; chunks whose text is the same stay embedded.

        `links` are those that go out from its articles; `origin` is the source it came from, '' for a user's own file,
        None for what is recorded already.
        """
        edition = statute.edition
        with self._transaction():
            for (key,) in self._all("SELECT key FROM statutes WHERE statute_id = ?", (edition.statute_id,)):
                if key != edition.key:  # renamed: the ids are the same, the title is not
                    self._delete(key)
                    self._db.execute("UPDATE OR REPLACE origins SET statute = ? WHERE statute = ?", (edition.key, key))
            if origin is not None:
                self._record_origin(edition, origin)
            old = dict(self._all("SELECT id, text_hash FROM chunks WHERE statute = ? AND embedded", (edition.key,)))
            self._delete(edition.key)
            live = sum(not article.deleted for article in statute.articles)
            self._db.execute(
                "INSERT INTO statutes VALUES (?, ?, ?, ?, ?)",
                (edition.key, edition.statute_id, _dump(edition), statute.fingerprint(), live),
            )
            self._insert_texts(statute)
            self._db.executemany(
                "INSERT INTO links VALUES (?,?,?,?,?,?)",
                ((*link.source, *link.target, link.kind, link.word) for link in links),
            )
            for chunk in chunks:
                text_hash = digest([chunk.text])
                row = (chunk.id, chunk.article_id, edition.key, chunk.start, chunk.end, text_hash)
                self._db.execute("INSERT INTO chunks VALUES (?,?,?,?,?,?,?)", (*row, old.get(chunk.id) == text_hash))
                self._db.execute("DELETE FROM doomed WHERE chunk = ?", (chunk.id,))

    def remove(self, edition: Edition) -> None:
        """Remove a statute; its vectors become doomed."""
        with self._transaction():
            self._delete(edition.key)
            self._record_origin(edition, "")

    def own(self, edition: Edition) -> None:
        """Record that a user brought this statute in, so that no source takes it out again."""
        if self.origin(edition):
            with self._transaction():
                self._record_origin(edition, "")

    def _record_origin(self, edition: Edition, origin: str) -> None:
        self._db.execute("DELETE FROM origins WHERE statute = ?", (edition.key,))
        if origin:
            self._db.execute("INSERT INTO origins VALUES (?, ?)", (edition.key, origin))

    def _delete(self, key: str) -> None:
        self._db.execute("UPDATE generation SET n = n + 1")
        self._db.execute("INSERT OR IGNORE INTO doomed SELECT id FROM chunks WHERE statute = ?", (key,))
        self._db.execute("DELETE FROM chunks WHERE statute = ?", (key,))
        self._db.execute("DELETE FROM statutes WHERE key = ?", (key,))

    def _insert_texts(self, statute: Statute) -> None:
        edition = statute.edition
        self._db.executemany(
            "INSERT INTO articles VALUES (?,?,?,?,?,?,?,?)",
            (
                (article_id(edition, article.label), edition.key, position, article.label, article.title,
                 _json(article.divisions), _json(_paragraph_rows(article)), article.deleted)
                for position, article in enumerate(statute.articles)
            ),
        )  # fmt: skip
        self._db.executemany(
            "INSERT INTO addenda VALUES (?,?,?,?)",
            ((edition.key, position, item.heading, item.text) for position, item in enumerate(statute.addenda)),
        )

    # What the vectors have still to follow

    def pending(self, limit: int, passing_over: int = 0) -> list[PendingChunk]:
        """Return up to `limit` chunks that wait to be embedded, after the first `passing_over`, in the order put."""
        sql = 'SELECT id, article, start, "end" FROM chunks WHERE embedded = 0 ORDER BY rowid LIMIT ? OFFSET ?'
        return self._all(sql, (limit, passing_over))

    def mark_embedded(self, chunk_ids: Sequence[str]) -> None:
        """Record that the vectors of these chunks are stored."""
        with self._transaction():
            self._db.executemany("UPDATE chunks SET embedded = 1 WHERE id = ?", ((c,) for c in chunk_ids))

    def mark_all_pending(self) -> None:
        """Record that no vector is stored."""
        with self._transaction():
            self._db.execute("UPDATE chunks SET embedded = 0")
            self._db.execute("DELETE FROM doomed")

    def doomed(self, limit: int) -> list[str]:
        """Return up to `limit` ids whose vectors have to go."""
        return [row[0] for row in self._all("SELECT chunk FROM doomed LIMIT ?", (limit,))]

    def forget_doomed(self, chunk_ids: Sequence[str]) -> None:
        """Record that these vectors are gone."""
        with self._transaction():
            self._db.executemany("DELETE FROM doomed WHERE chunk = ?", ((c,) for c in chunk_ids))

    # What was read from which file

    def known_source(self, sha256: str) -> tuple[Edition, str] | None:
        """Return (edition, fingerprint) of what a file of this hash was read as before."""
        row = self._one("SELECT edition, fingerprint FROM sources WHERE sha256 = ?", (sha256,))
        return (_edition(row[0]), row[1]) if row else None

    def remember_source(self, sha256: str, edition: Edition, fingerprint: str) -> None:
        """Remember what a file was read as, so that it need not be read again."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO sources VALUES (?,?,?)", (sha256, _dump(edition), fingerprint))

    # SQLite

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                self._rollback()
                raise StoreError(f"조문 자료에 쓸 수 없습니다({error}). 디스크와 권한을 확인해 주십시오.") from error
            except BaseException:
                self._rollback()
                raise

    def _rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _all(self, sql: str, values: Sequence[object] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise StoreError(f"조문 자료를 읽을 수 없습니다({error}).") from error

    def _one(self, sql: str, values: Sequence[object] = ()) -> tuple | None:  # type: ignore[type-arg]
        rows = self._all(sql, values)
        return rows[0] if rows else None


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _paragraph_rows(article: Article) -> list[object]:
    return [[p.number, [[line.depth, line.label, line.text] for line in p.lines]] for p in article.paragraphs]


def _article(label: str, title: str, paragraphs: str, divisions: str) -> Article:
    rows = json.loads(paragraphs)
    body = tuple(Paragraph(number, tuple(Line(*line) for line in lines)) for number, lines in rows)
    return Article(label, title, body, tuple(json.loads(divisions)))


def _dump(edition: Edition) -> str:
    fields = {name: getattr(edition, name) for name in Edition.__slots__}
    return json.dumps(fields, ensure_ascii=False, default=str)


def _edition(dumped: str) -> Edition:
    fields = json.loads(dumped)
    for name in ("promulgated", "effective"):
        fields[name] = date.fromisoformat(fields[name]) if fields[name] else None
    fields["ministries"] = tuple(fields["ministries"])
    return Edition(**fields)
