"""What files were read as, and what adding them would change, before anything is written.

A file is read once: what is stated of it may be changed and the preview made anew, and the reading then goes in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from ingest.changes import ChangeKind, changes
from ingest.editions import Held, Outcome, Result, weigh
from ingest.pipeline import Reader
from ingest.sources.files import read_untitled
from ingest.sources.stated import NOTHING, Stated, complete, outranked
from ingest.versions import editions_of
from rag.characters import file_name
from rag.errors import SourceError
from rag.statutes import Article, Edition, Statute
from rag.store import StatuteStore

SHOWN = 3
"""Articles of a file that a preview shows."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A file, what it was read as (None where it could not be, for the reason `error`), what a person says of it."""

    path: Path
    statute: Statute | None
    error: str = ""
    stated: Stated = NOTHING


@dataclass(frozen=True, slots=True)
class Changes:
    """How a text differs from the stored one: labels of the articles added, removed and changed; how many stay."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    same: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of a file: `outcome` as adding it would say; `edition` as read, with what is stated.

    `changes` are None where nothing of that statute is stored. `articles` are the first ones.
    """

    outcome: Outcome
    edition: Edition | None = None
    articles: tuple[Article, ...] = ()
    addenda: int = 0
    changes: Changes | None = None


def read_for_preview(path: Path) -> Reading:
    """Read a file; what is wrong with it is kept for the preview to say."""
    try:
        return Reading(path, read_untitled(path))
    except SourceError as error:
        return Reading(path, None, str(error))


def preview(reading: Reading, store: StatuteStore, today: date | None = None) -> Preview:
    """Return what adding the file would do on `today`."""
    name = file_name(reading.path.name)
    if reading.statute is None:
        return Preview(Outcome(name, Result.FAILED, reading.error))
    living = reading.statute.living
    seen = Preview(
        Outcome(name, Result.FAILED, "", articles=len(living), warnings=reading.statute.warnings),
        outranked(reading.statute.edition, reading.stated),
        living[:SHOWN],
        len(reading.statute.addenda),
    )
    try:
        editions = editions_of(complete(reading.statute, reading.stated, name))
    except SourceError as error:
        return replace(seen, outcome=replace(seen.outcome, message=str(error)))
    stored = store.texts.stored_version(editions[0].edition)
    held = [Held.read(each, reading.path) for each in editions]
    outcome = weigh(held, store.texts, today or date.today())
    statute = next((each for each in editions if each.edition == outcome.edition), editions[-1])
    return replace(
        seen,
        outcome=replace(outcome, articles=len(statute.living), warnings=statute.warnings),
        edition=statute.edition,
        changes=compare(store.texts.statute(stored[0]), statute) if stored else None,
    )


def compare(old: Statute, new: Statute) -> Changes:
    """Return how a statute's text differs from an earlier one, article by article; a moved one counts as changed."""
    kinds: dict[ChangeKind, list[str]] = {kind: [] for kind in ChangeKind}
    for change in changes(old, new):
        kinds[ChangeKind.CHANGED if change.kind is ChangeKind.MOVED else change.kind].append(change.label)
    added, removed, changed = (tuple(kinds[k]) for k in (ChangeKind.ADDED, ChangeKind.REMOVED, ChangeKind.CHANGED))
    return Changes(added, removed, changed, len(new.living) - len(added) - len(changed))


def reader_of(readings: Sequence[Reading]) -> Reader:
    """Return a reader that gives what these files were read as, with what is stated of them."""
    by_path = {reading.path: reading for reading in readings}

    def read(path: Path) -> Statute:
        reading = by_path[path]
        if reading.statute is None:
            raise SourceError(reading.error)
        return complete(reading.statute, reading.stated, file_name(path.name))

    return read
