"""What can still be read of a damaged text file is copied into a new one; the damaged file is kept beside it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rag.errors import StoreError
from rag.statutes import Edition
from rag.texts import Texts

log = logging.getLogger(__name__)

DAMAGED = ".damaged"
_MADE_AGAIN = frozenset({"chunks", "doomed", "sources", "generation"})
"""Tables that the others make anew, or that only save work."""

_FARTHEST = 1 << 24
"""Rows behind a damaged one among which a readable one is looked for."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """How many statutes were whole, the titles of those that were not, and where the damaged file is now."""

    whole: int
    lost: tuple[str, ...]
    damaged: Path


def salvage(path: Path) -> Salvaged | None:
    """Replace a damaged text file by one with every statute that is whole in it; None where it is sound or absent.

    Hold the store's writer lock. Raises StoreError where the folder cannot be written to.
    """
    if not path.exists() or _sound(path):
        return None
    fresh = path.with_name(path.name + ".salvaged")
    try:
        _unlink(fresh)
        Texts(fresh).close()
        _copy(path, fresh)
        lost = _drop_incomplete(fresh)
        damaged = _free(path.with_name(path.name + DAMAGED))
        for suffix in ("-wal", "-shm", ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(damaged.with_name(damaged.name + suffix))
        fresh.rename(path)
    except OSError as error:
        raise StoreError(f"{path}: 손상된 조문 자료를 되살릴 수 없습니다({error.strerror}).") from error
    with closing(Texts(path)) as texts:
        return Salvaged(texts.counts()[0], lost, damaged)


def _sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as db:
            return bool(db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.Error:
        return False


def _copy(path: Path, fresh: Path) -> None:
    """Copy every row that can be read into the tables of a new file."""
    with closing(sqlite3.connect(fresh)) as target, closing(sqlite3.connect(path)) as source:
        names = [row[0] for row in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in names:
            if table in _MADE_AGAIN or table.startswith("sqlite_"):
                continue
            columns = [row[1] for row in target.execute(f"PRAGMA table_info({table})")]
            quoted = ", ".join(f'"{column}"' for column in columns)
            marks = ",".join("?" * len(columns))
            rows = _rows(source, table, quoted)
            target.executemany(f"INSERT OR IGNORE INTO {table} ({quoted}) VALUES ({marks})", rows)
        target.commit()
        # Written whole into the file itself, which is renamed without its log.
        target.execute("PRAGMA journal_mode = DELETE")


def _rows(db: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a table that can be read, and go on behind those that cannot."""
    at: int | None = 0
    while at is not None:
        try:
            for rowid, *row in db.execute(f"SELECT rowid, {columns} FROM {table} NOT INDEXED WHERE rowid >= {at}"):
                yield tuple(row)
                at = rowid + 1
            return
        except sqlite3.Error as error:
            log.info("%s: row %s cannot be read (%s)", table, at, error)
            at = _next_readable(db, table, columns, at)


def _next_readable(db: sqlite3.Connection, table: str, columns: str, at: int) -> int | None:
    """Return the first readable row behind an unreadable one, or where the table ends; None: the rest is lost."""

    def readable(rowid: int) -> bool:
        try:
            db.execute(f"SELECT {columns} FROM {table} NOT INDEXED WHERE rowid >= {rowid} LIMIT 1").fetchone()
        except sqlite3.Error:
            return False
        return True

    low, step = at, 1
    while not readable(at + step):
        low, step = at + step, 2 * step
        if step > _FARTHEST:
            return None
    high = at + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if readable(middle) else (middle, high)
    return high


def _drop_incomplete(fresh: Path) -> tuple[str, ...]:
    """Remove the statutes that are not what their fingerprints say; return their titles."""
    lost = []
    with closing(Texts(fresh)) as texts:
        for stored in texts.statutes():
            if not _whole(texts, stored.edition, stored.fingerprint):
                lost.append(stored.edition.title)
                texts.remove(stored.edition)
    with closing(sqlite3.connect(fresh)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    return tuple(lost)


def _whole(texts: Texts, edition: Edition, fingerprint: str) -> bool:
    try:
        return texts.statute(edition).fingerprint() == fingerprint
    except (ValueError, TypeError, KeyError, StoreError):  # rows that are no JSON any more
        return False


def _unlink(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _free(path: Path) -> Path:
    """Return a path that does not exist yet, counted upwards."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
