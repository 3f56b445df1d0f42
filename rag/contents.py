"""A statute's table of contents, and the articles around one of them: texts are read only for that stretch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from rag.statutes import Article, Edition, article_id, normalize_title
from rag.texts import Texts

STRETCH = 20
"""Articles shown at once. 민법 has 1,193 of them; nobody reads them on one screen."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An article in the table of contents; `divisions` are the headings it stands under, outermost first."""

    article_id: str
    label: str
    title: str
    divisions: tuple[str, ...]
    deleted: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """A statute opened at an article: its contents, and the texts from `first` on; `at` is the article's place."""

    edition: Edition
    entries: tuple[Entry, ...]
    at: int
    first: int
    articles: tuple[Article, ...]


def open_at(texts: Texts, reference: str) -> Opened | None:
    """Open a statute at an article, by the article's id, or at its start, by its title; None where there is none."""
    found = texts.article(reference)
    edition = found[0] if found else _edition(texts, reference)
    if edition is None:
        return None
    entries = contents(texts, edition)
    if not entries:
        return None
    at = next((place for place, entry in enumerate(entries) if entry.article_id == reference), 0)
    first = at // STRETCH * STRETCH
    ids = [entry.article_id for entry in entries[first : first + STRETCH]]
    stored = texts.articles(ids)
    if not all(identity in stored for identity in ids):
        return None  # replaced while it was read
    return Opened(edition, tuple(entries), at, first, tuple(stored[identity][1] for identity in ids))


def contents(texts: Texts, edition: Edition) -> Sequence[Entry]:
    """Return a stored statute's articles in order, without their texts."""
    rows = texts.query(
        "SELECT label, title, divisions, deleted FROM articles WHERE statute = ? ORDER BY position", (edition.key,)
    )
    return [
        Entry(article_id(edition, label), label, title, tuple(json.loads(divisions)), bool(deleted))
        for label, title, divisions, deleted in rows
    ]


def _edition(texts: Texts, title: str) -> Edition | None:
    key = normalize_title(title)
    return next((edition for edition in texts.editions() if edition.key == key), None)
