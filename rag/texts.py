"""The article texts and the state of the index, in one SQLite file. What is written here is the truth; the vectors
follow it: a chunk is `embedded` once its vector is stored, and a vector to be deleted waits in `doomed`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rag.errors import StoreError
from rag.kept import (
    KeptEdition,
    annex_row,
    dump_edition,
    keep,
    kept_edition,
    kept_statute,
    load_article,
    load_edition,
    paragraph_rows,
    to_json,
)
from rag.schema import OLDER, SCHEMA_VERSION, bring_up
from rag.statutes import (
    Addendum,
    Annex,
    Article,
    Chunk,
    Coming,
    Edition,
    Link,
    Statute,
    article_id,
    digest,
    normalize_title,
    wording_key,
)

PendingChunk = tuple[str, str, int, int]
"""Chunk id, article id, start and end of a chunk whose vector is missing."""


@dataclass(frozen=True, slots=True)
class StoredStatute:
    """A statute as the store lists it: its articles less the deleted ones, its chunks, those still to be embedded.

    `kept` are its other editions, oldest first: the one before, and those that are coming.
    """

    edition: Edition
    fingerprint: str
    articles: int
    chunks: int
    pending: int
    addenda: int = 0
    annexes: int = 0
    kept: tuple[KeptEdition, ...] = ()

    @property
    def coming(self) -> tuple[KeptEdition, ...]:
        """The kept editions that are newer than the one answered from."""
        return tuple(kept for kept in self.kept if kept.edition.version > self.edition.version)

    @property
    def previous(self) -> KeptEdition | None:
        """The edition before the one answered from."""
        return next((kept for kept in reversed(self.kept) if kept.edition.version < self.edition.version), None)


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
            if version not in (0, *OLDER, SCHEMA_VERSION):
                raise StoreError(
                    f"{path}: 다른 버전의 프로그램이 만든 자료입니다(형식 {version})."
                    " LAW_HOME 폴더를 새로 만들어 주십시오."
                )
            bring_up(self._db, version)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: 조문 자료를 열 수 없습니다({error}). {_advice(error)}") from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # Reading

    def statutes(self) -> list[StoredStatute]:
        """Return every statute, by title."""
        rows = self._all(
            "SELECT s.key, s.edition, s.fingerprint, s.articles, COUNT(c.id), COALESCE(SUM(c.embedded = 0), 0),"
            " (SELECT COUNT(*) FROM addenda WHERE statute = s.key),"
            " (SELECT COUNT(*) FROM annexes WHERE statute = s.key)"
            " FROM statutes s LEFT JOIN chunks c ON c.statute = s.key GROUP BY s.key ORDER BY s.key"
        )
        kept = self.kept()
        return [
            replace(StoredStatute(load_edition(edition), *counts), kept=tuple(kept.get(key, ())))
            for key, edition, *counts in rows
        ]

    def kept(self, edition: Edition | None = None) -> dict[str, list[KeptEdition]]:
        """Return statute key -> its kept editions, oldest first; of one statute or of all that have any."""
        where, values = ("WHERE statute = ?", [edition.key]) if edition else ("", [])
        found: dict[str, list[KeptEdition]] = {}
        for key, *row in self._all(f"SELECT statute, id, edition, fingerprint, articles FROM kept {where}", values):
            found.setdefault(key, []).append(kept_edition(tuple(row)))
        return {key: sorted(kept, key=lambda k: k.edition.version) for key, kept in found.items()}

    def kept_statute(self, kept: KeptEdition) -> Statute:
        """Return a kept edition whole."""
        sql = "SELECT label, title, paragraphs, divisions FROM kept_articles WHERE kept = ? ORDER BY position"
        appended = self._one("SELECT appended FROM kept WHERE id = ?", (kept.row,))
        return kept_statute(kept.edition, self._all(sql, (kept.row,)), appended[0] if appended else "[[],[]]")

    def coming(self, edition: Edition, article: Article) -> Coming | None:
        """Return what a stored article becomes by the first coming edition that changes its wording, if one does."""
        now = wording_key(article)
        for kept in self.kept(edition).get(edition.key, ()):
            if kept.edition.version <= edition.version:
                continue
            sql = "SELECT label, title, paragraphs, divisions FROM kept_articles WHERE kept = ? AND label = ?"
            row = self._one(sql, (kept.row, article.label))
            then = load_article(*row) if row else None
            if then is None or wording_key(then) != now:
                return Coming(kept.edition, then)
        return None

    def editions(self) -> list[Edition]:
        """Return the edition of every statute, by title."""
        return [load_edition(row[0]) for row in self._all("SELECT edition FROM statutes ORDER BY key")]

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
        return (load_edition(row[0]), row[1]) if row else None

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
        return {row[0]: (load_edition(row[1]), load_article(*row[2:])) for row in rows}

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
        addenda, annexes = tuple(self.addenda(edition)), tuple(self.annexes(edition))
        return Statute(edition, tuple(articles[row[0]][1] for row in ids), addenda, annexes=annexes)

    def addenda(self, edition: Edition) -> list[Addendum]:
        """Return a statute's addenda in order."""
        rows = self._all("SELECT heading, text FROM addenda WHERE statute = ? ORDER BY position", (edition.key,))
        return [Addendum(*row) for row in rows]

    def annexes(self, edition: Edition) -> list[Annex]:
        """Return a statute's annexes in order."""
        sql = "SELECT label, title, text, url FROM annexes WHERE statute = ? ORDER BY position"
        return [Annex(*row) for row in self._all(sql, (edition.key,))]

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
        """Return (statute key, label) -> article id of every article that is not deleted, nor its statute repealed."""
        rows = self._all(
            "SELECT a.statute, a.label, a.id FROM articles a JOIN statutes s ON s.key = a.statute"
            " WHERE NOT a.deleted AND NOT json_extract(s.edition, '$.repealed')"
        )
        return {(key, label): identity for key, label, identity in rows}

    def fingerprints(self) -> dict[str, tuple[str, Edition]]:
        """Return statute key -> (fingerprint, edition) of every statute."""
        rows = self._all("SELECT key, fingerprint, edition FROM statutes ORDER BY key")
        return {key: (fingerprint, load_edition(edition)) for key, fingerprint, edition in rows}

    def of_origin(self, origin: str) -> list[Edition]:
        """Return the editions of the statutes that a source brought in and no user did, by title."""
        sql = "SELECT s.edition FROM statutes s JOIN origins o ON o.statute = s.key WHERE o.origin = ? ORDER BY s.key"
        return [load_edition(row[0]) for row in self._all(sql, (origin,))]

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
        self,
        statute: Statute,
        chunks: Iterable[Chunk],
        links: Iterable[Link] = (),
        origin: str | None = None,
        others: Iterable[Statute] | None = None,
    ) -> None:
        """Replace a statute by this edition of it, all or nothing; chunks whose text is the same stay embedded.

        `links` are those that go out from its articles; `origin` is the source it came from, '' for a user's own file,
        None for what is recorded already; `others` are the editions to be kept beside it, None to leave those that are.
        """
        edition = statute.edition
        with self._transaction():
            for (key,) in self._all("SELECT key FROM statutes WHERE statute_id = ?", (edition.statute_id,)):
                if key != edition.key:  # renamed: the ids are the same, the title is not
                    self._delete(key)
                    self._db.execute("UPDATE OR REPLACE origins SET statute = ? WHERE statute = ?", (edition.key, key))
                    self._db.execute("UPDATE OR REPLACE kept SET statute = ? WHERE statute = ?", (edition.key, key))
            if origin is not None:
                self._record_origin(edition, origin)
            old = dict(self._all("SELECT id, text_hash FROM chunks WHERE statute = ? AND embedded", (edition.key,)))
            self._delete(edition.key)
            self._db.execute(
                "INSERT INTO statutes VALUES (?, ?, ?, ?, ?)",
                (edition.key, edition.statute_id, dump_edition(edition), statute.fingerprint(), len(statute.living)),
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
            if others is not None:
                keep(self._db, edition.key, others)

    def keep(self, edition: Edition, others: Iterable[Statute]) -> None:
        """Keep exactly these editions beside the one that is answered from."""
        with self._transaction():
            self._db.execute("UPDATE generation SET n = n + 1")
            keep(self._db, edition.key, others)

    def remove(self, edition: Edition) -> None:
        """Remove a statute and its kept editions; its vectors become doomed."""
        with self._transaction():
            self._delete(edition.key)
            self._record_origin(edition, "")
            keep(self._db, edition.key, ())

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
                 to_json(article.divisions), to_json(paragraph_rows(article)), article.deleted)
                for position, article in enumerate(statute.articles)
            ),
        )  # fmt: skip
        self._db.executemany(
            "INSERT INTO addenda VALUES (?,?,?,?)",
            ((edition.key, position, item.heading, item.text) for position, item in enumerate(statute.addenda)),
        )
        self._db.executemany(
            "INSERT INTO annexes VALUES (?,?,?,?,?,?)",
            ((edition.key, position, *annex_row(annex)) for position, annex in enumerate(statute.annexes)),
        )

    # What the vectors have still to follow

    def pending(self, limit: int, passing_over: int = 0) -> list[PendingChunk]:
        """Return up to `limit` chunks that wait to be embedded, after the first `passing_over`, in the order put."""
        sql = 'SELECT id, article, start, "end" FROM chunks WHERE embedded = 0 ORDER BY rowid LIMIT ? OFFSET ?'
        return self._all(sql, (limit, passing_over))

    def mark_embedded(self, chunk_ids: Sequence[str], embedded: bool = True) -> None:
        """Record that the vectors of these chunks are stored, or are not."""
        with self._transaction():
            self._db.executemany("UPDATE chunks SET embedded = ? WHERE id = ?", ((embedded, c) for c in chunk_ids))

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

    def known_source(self, sha256: str) -> list[tuple[Edition, str]]:
        """Return (edition, fingerprint) of what a file of this hash was read as before; [] if it was not."""
        sql = "SELECT edition, fingerprint FROM sources WHERE sha256 = ? ORDER BY position"
        return [(load_edition(row[0]), row[1]) for row in self._all(sql, (sha256,))]

    def remember_source(self, sha256: str, editions: Iterable[tuple[Edition, str]]) -> None:
        """Remember what a file was read as, so that it need not be read again."""
        with self._transaction():
            self._db.execute("DELETE FROM sources WHERE sha256 = ?", (sha256,))
            self._db.executemany(
                "INSERT INTO sources VALUES (?,?,?,?)",
                ((sha256, n, dump_edition(edition), fingerprint) for n, (edition, fingerprint) in enumerate(editions)),
            )

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
                raise StoreError(f"조문 자료에 쓸 수 없습니다({error}). {_advice(error)}") from error
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
                raise StoreError(f"조문 자료를 읽을 수 없습니다({error}). {_advice(error)}") from error

    def _one(self, sql: str, values: Sequence[object] = ()) -> tuple | None:  # type: ignore[type-arg]
        rows = self._all(sql, values)
        return rows[0] if rows else None


def _advice(error: sqlite3.Error) -> str:
    """Return what a user can do; a disk that is full or a folder that is only read is no damage."""
    if isinstance(error, sqlite3.OperationalError):
        return "디스크 공간과 권한, LAW_HOME을 확인해 주십시오."
    return "자료가 손상되었습니다. `python -m ingest rebuild`가 읽을 수 있는 법령을 되살립니다."


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
