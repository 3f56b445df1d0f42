"""Editions kept beside the one that is answered from: those that are coming and the one before, articles and all.

They are neither cut into chunks nor searched. An edition of a later version than the one answered from is coming, one
of an earlier version is the one before. `rag.texts` calls these functions inside its transactions.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from rag.statutes import Addendum, Annex, Article, Edition, Line, Paragraph, Statute

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class KeptEdition:
    """An edition that is kept: its row, what identifies it, its articles less the deleted ones."""

    row: int
    edition: Edition
    fingerprint: str
    articles: int


def keep(db: sqlite3.Connection, key: str, statutes: Iterable[Statute]) -> None:
    """Keep exactly these editions beside the statute of that key."""
    db.execute("DELETE FROM kept WHERE statute = ?", (key,))
    for statute in statutes:
        appended = [[[a.heading, a.text] for a in statute.addenda], [list(annex_row(a)) for a in statute.annexes]]
        row = (key, dump_edition(statute.edition), statute.fingerprint(), len(statute.living), to_json(appended))
        inserted = db.execute(
            "INSERT INTO kept (statute, edition, fingerprint, articles, appended) VALUES (?,?,?,?,?)", row
        ).lastrowid
        db.executemany(
            "INSERT INTO kept_articles VALUES (?,?,?,?,?,?)",
            (
                (inserted, position, a.label, a.title, to_json(paragraph_rows(a)), to_json(a.divisions))
                for position, a in enumerate(statute.articles)
            ),
        )


def kept_edition(row: Row) -> KeptEdition:
    """Return what a row (id, edition, fingerprint, articles) says."""
    return KeptEdition(row[0], load_edition(row[1]), row[2], row[3])


def kept_statute(edition: Edition, articles: Iterable[Row], appended: str) -> Statute:
    """Return a kept edition whole from its rows (label, title, paragraphs, divisions)."""
    addenda, annexes = json.loads(appended)
    return Statute(
        edition,
        tuple(load_article(*row) for row in articles),
        tuple(Addendum(*row) for row in addenda),
        annexes=tuple(Annex(*row) for row in annexes),
    )


# How editions and articles are written


def to_json(value: object) -> str:
    """Return compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def annex_row(annex: Annex) -> tuple[str, str, str, str]:
    """Return an annex as it is written."""
    return annex.label, annex.title, annex.text, annex.url


def paragraph_rows(article: Article) -> list[object]:
    """Return an article's paragraphs as they are written: [number, [[depth, label, text], …]]."""
    return [[p.number, [[line.depth, line.label, line.text] for line in p.lines]] for p in article.paragraphs]


def load_article(label: str, title: str, paragraphs: str, divisions: str) -> Article:
    """Return an article from what was written of it."""
    rows = json.loads(paragraphs)
    body = tuple(Paragraph(number, tuple(Line(*line) for line in lines)) for number, lines in rows)
    return Article(label, title, body, tuple(json.loads(divisions)))


def dump_edition(edition: Edition) -> str:
    """Return an edition as it is written."""
    fields = {name: getattr(edition, name) for name in Edition.__slots__}
    return json.dumps(fields, ensure_ascii=False, default=str)


def load_edition(dumped: str) -> Edition:
    """Return an edition from what was written of it."""
    fields = json.loads(dumped)
    for name in ("promulgated", "effective"):
        fields[name] = date.fromisoformat(fields[name]) if fields[name] else None
    fields["ministries"] = tuple(fields["ministries"])
    return Edition(**fields)
