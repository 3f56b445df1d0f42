"""A statute's table of contents, and what of it is open: the articles around one of them, or an addendum or annex.

Texts are read only for what is open.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from rag.appended import ADDENDA, ANNEXES, find, titles
from rag.statutes import Article, Edition, article_id, is_appended, normalize_title
from rag.texts import Texts

STRETCH = 20
"""Articles shown at once. 민법 has 1,193 of them; nobody reads them on one screen."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An article, addendum or annex in the table of contents; `divisions` are the headings an article stands under,
    outermost first, `link` the address of an annex's file.
    """

    article_id: str
    label: str
    title: str
    divisions: tuple[str, ...] = ()
    deleted: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A statute opened at an article, addendum or annex: its contents, and the texts from `first` on.

    `kind` says which of the contents is open ('' for the articles); `at` and `first` are places in that `group`.
    """

    edition: Edition
    entries: tuple[Entry, ...]
    at: int
    first: int
    articles: tuple[Article, ...]
    kind: str = ""
    addenda: tuple[Entry, ...] = ()
    annexes: tuple[Entry, ...] = ()

    @property
    def group(self) -> tuple[Entry, ...]:
        """The part of the contents that is open: articles, addenda or annexes."""
        return {ADDENDA: self.addenda, ANNEXES: self.annexes}.get(self.kind, self.entries)

    @property
    def here(self) -> Entry:
        """What is open."""
        return self.group[self.at]


def open_at(texts: Texts, reference: str) -> Opened | None:
    """Open a statute at an article, addendum or annex (by id), or at its start (by title); None where there is none."""
    if is_appended(reference) and (opened := _open_appended(texts, reference)):
        return opened
    found = texts.article(reference)
    edition = found[0] if found else _edition(texts, reference)
    if edition is None:
        return None
    entries = contents(texts, edition)
    if not entries:
        return None
    at = _place(entries, reference) or 0
    first = at // STRETCH * STRETCH
    ids = [entry.article_id for entry in entries[first : first + STRETCH]]
    stored = texts.articles(ids)
    if not all(identity in stored for identity in ids):
        return None  # replaced while it was read
    articles = tuple(stored[identity][1] for identity in ids)
    return Opened(edition, tuple(entries), at, first, articles, "", *_appended(texts, edition))


def _open_appended(texts: Texts, reference: str) -> Opened | None:
    """Open a statute at an addendum or annex: that one alone, for an addendum can have 300,000 characters."""
    found = find(texts, reference)
    if found is None:
        return None
    edition = found.edition
    groups = _appended(texts, edition)
    for kind, entries in zip((ADDENDA, ANNEXES), groups, strict=True):
        at = _place(entries, found.article_id)
        if at is not None:
            return Opened(edition, tuple(contents(texts, edition)), at, at, (found.article,), kind, *groups)
    return None  # replaced while it was read


def _appended(texts: Texts, edition: Edition) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Return the entries of a statute's addenda, newest first as they are asked for, and of its annexes."""
    addenda, annexes = (
        [Entry(i, label, title, link=link) for i, label, title, link in titles(texts, edition, kind)]
        for kind in (ADDENDA, ANNEXES)
    )
    return tuple(addenda[::-1]), tuple(annexes)


def _place(entries: Sequence[Entry], identity: str) -> int | None:
    return next((place for place, entry in enumerate(entries) if entry.article_id == identity), None)


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
