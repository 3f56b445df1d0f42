"""The job: read files, find what changed, write the texts, bring the vectors after them.

The texts are written first, a statute at a time and whole; every chunk whose vector is missing is then pending in
the store. Embedding works that list off. A run that is killed therefore loses at most the batch it was in, and the
next run goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from pathlib import Path

from ingest.chunking import chunk_statute
from ingest.items import missing_items, name_places
from ingest.links import links_of
from ingest.sources.files import find_files, hash_file, read_file
from ingest.sources.markdown import stated_title
from rag.embedding import StatuteEmbedder, Vectors
from rag.errors import LawError, SourceError
from rag.questions import read_known, write_questions
from rag.statutes import Edition, Statute, article_id, base_key, normalize_title, passage
from rag.store import StatuteStore
from rag.texts import PendingChunk

BATCH = 256
"""Chunks embedded and stored at a time: what a killed run may have to do again."""

WORDS_BATCH = 1000
"""Statutes brought into the lexical index at a time."""


class Result(Enum):
    """What became of a file."""

    ADDED = "추가"
    UPDATED = "갱신"
    UNCHANGED = "그대로"
    OLDER = "건너뜀"
    REMOVED = "삭제"
    FAILED = "실패"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file, said in Korean by `message`."""

    name: str
    result: Result
    message: str
    edition: Edition | None = None
    articles: int = 0
    warnings: tuple[str, ...] = ()
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage (읽기, 임베딩) is: `done` of `total` units, at `rate` a second; a total of 0 is not known."""

    stage: str
    done: int
    total: int
    rate: float

    @property
    def unit(self) -> str:
        """What is counted in this stage."""
        units = {"받기": "MB", "조회": "법령", "읽기": "파일", "문자 인식": "쪽", "낱말": "법령", "질문": "개"}
        return units.get(self.stage, "조각")

    @property
    def seconds_left(self) -> float:
        """The time the stage still takes at this rate; infinite before it is known."""
        return (self.total - self.done) / self.rate if self.rate > 0 else float("inf")


OnProgress = Callable[[Progress], None]
Reader = Callable[[Path], Statute]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A file that was read, before it is decided whether its text goes in.

    Only what that takes is kept; the texts of a whole statute book would fill the memory, so a winner is read again,
    unless its pages had to be recognised, which takes seconds each.
    """

    path: Path
    sha256: str
    edition: Edition
    fingerprint: str
    statute: Statute | None = None

    @property
    def rank(self) -> tuple[object, ...]:
        # Of one version the text that carries its 법령ID is the better source; the last resort makes runs repeat.
        return (*self.edition.version, bool(self.edition.law_id), self.fingerprint)


def add(
    paths: Sequence[Path],
    store: StatuteStore,
    embedder: StatuteEmbedder,
    window: int,
    on_progress: OnProgress = lambda _: None,
    origin: str = "",
    *,
    whole: bool = False,
    read: Reader = read_file,
) -> list[Outcome]:
    """Bring statute files into the store and embed what changed; return what became of each file.

    A file that cannot be read is reported and skipped. `window` is the most tokens of a chunk. `origin` names the
    source the files came from, '' for a user's own; `whole` says that they are all there is of it, so that statutes it
    brought before and has no more are removed. A `read` other than the usual one is asked anew whatever is remembered
    of a file. Raises StoreBusyError where another run is writing.
    """
    with store.writer():
        outcomes, candidates = _read(list(find_files(paths)), store, on_progress, read)
        for winner, losers in _newest(candidates):
            outcomes.append(_bring_in(winner, store, embedder, min(window, embedder.window), origin, read))
            outcomes += [_superseded(loser, winner) for loser in losers]
        if whole:
            outcomes += _withdraw(store, origin, candidates, outcomes)
        _follow_up(store, embedder, on_progress)
    return outcomes


def remove(law: str, store: StatuteStore) -> Edition:
    """Remove a statute by title, abbreviation or 법령ID. Raises LawError where there is none of that name."""
    with store.writer():
        stored = store.texts.find(law)
        if stored is None:
            raise LawError(f"'{law}'은(는) 들어 있지 않습니다. `python -m ingest status`로 이름을 확인해 주십시오.")
        store.texts.remove(stored.edition)
        store.delete_doomed()
        _index_words(store, lambda _: None)
    return stored.edition


def rebuild(store: StatuteStore, embedder: StatuteEmbedder, window: int, on_progress: OnProgress) -> int:
    """Drop all vectors, cut every stored statute into chunks anew and embed them; return how many chunks."""
    with store.writer():
        store.reset_vectors()
        store.lexical.clear()
        for stored in store.texts.statutes():
            statute = store.texts.statute(stored.edition)
            chunks = chunk_statute(statute, embedder.count_tokens, min(window, embedder.window))
            store.texts.put(statute, chunks, links_of(statute))
        return _follow_up(store, embedder, on_progress)


def resume(store: StatuteStore, embedder: StatuteEmbedder, on_progress: OnProgress) -> int:
    """Embed what a run that was killed left undone; return how many chunks."""
    with store.writer():
        return _follow_up(store, embedder, on_progress)


def _read(
    files: list[Path], store: StatuteStore, on_progress: OnProgress, read: Reader
) -> tuple[list[Outcome], list[_Candidate]]:
    outcomes: list[Outcome] = []
    candidates: list[_Candidate] = []
    started = time.monotonic()
    for done, path in enumerate(files, 1):
        try:
            candidates.append(_candidate(path, store, read, on_progress))
        except SourceError as error:
            outcomes.append(Outcome(path.name, Result.FAILED, str(error), path=path))
        on_progress(Progress("읽기", done, len(files), done / (time.monotonic() - started + 1e-9)))
    return outcomes, candidates


def _candidate(path: Path, store: StatuteStore, read: Reader, on_progress: OnProgress) -> _Candidate:
    sha256 = hash_file(path) if path.is_file() else ""
    known = store.texts.known_source(sha256) if read is read_file else None
    kept = None
    if known is None:
        statute, recognised = _read_one(path, read, on_progress)
        known = (statute.edition, statute.fingerprint())
        kept = statute if recognised else None
        if read is read_file:
            store.texts.remember_source(sha256, *known)
    return _Candidate(path, sha256, *known, kept)


def _read_one(path: Path, read: Reader, on_progress: OnProgress) -> tuple[Statute, bool]:
    """Read a file; return whether pages of it had to be recognised, too."""
    started, told = time.monotonic(), False

    def on_page(done: int, total: int) -> None:
        nonlocal told
        told = True
        on_progress(Progress("문자 인식", done, total, done / (time.monotonic() - started + 1e-9)))

    statute = read_file(path, on_page) if read is read_file else read(path)
    return statute, told


def _newest(candidates: Iterable[_Candidate]) -> list[tuple[_Candidate, list[_Candidate]]]:
    """Group files by statute; of each the newest edition and the others."""
    groups: dict[str, list[_Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.edition.key, []).append(candidate)
    ranked = (sorted(group, key=lambda c: c.rank, reverse=True) for group in groups.values())
    return [(group[0], group[1:]) for group in ranked]


def _superseded(loser: _Candidate, winner: _Candidate) -> Outcome:
    message = f"{loser.edition.title}: 같은 법령의 더 새로운 판이 함께 있어 건너뜁니다({_describe(winner.edition)})."
    if loser.fingerprint == winner.fingerprint:
        message = f"{loser.edition.title}: 같은 내용의 파일이 함께 있습니다."
    elif loser.edition.version == winner.edition.version:
        message = f"{loser.edition.title}: 같은 판이 {winner.path.name}에도 있어 그쪽을 씁니다."
    return Outcome(loser.path.name, Result.OLDER, message, loser.edition)


def _bring_in(
    candidate: _Candidate, store: StatuteStore, embedder: StatuteEmbedder, window: int, origin: str, read: Reader
) -> Outcome:
    edition, name = candidate.edition, candidate.path.name
    stored = store.texts.stored_version(edition)
    outcome = _kept_out(name, edition, candidate.fingerprint, stored)
    if outcome is None:
        try:
            statute, outcome = weigh(name, candidate.statute or read(candidate.path), stored)
        except SourceError as error:
            return Outcome(name, Result.FAILED, str(error), path=candidate.path)
        if stored and outcome.result is Result.UPDATED and (refusal := _lost_items(statute, stored[0], store)):
            return replace(refusal, name=name, path=candidate.path)
        if outcome.result in (Result.ADDED, Result.UPDATED):
            if stored and not store.texts.origin(stored[0]):
                origin = ""  # what a user brought in stays the user's, whoever has a newer text of it
            store.texts.put(statute, chunk_statute(statute, embedder.count_tokens, window), links_of(statute), origin)
    if outcome.result is Result.UNCHANGED and stored and not origin:
        store.texts.own(stored[0])
    return outcome


def weigh(name: str, statute: Statute, stored: tuple[Edition, str] | None) -> tuple[Statute, Outcome]:
    """Return a file's statute as it would go in, and what would become of it beside what is stored of that statute."""
    edition = statute.edition
    if kept_out := _kept_out(name, edition, statute.fingerprint(), stored):
        return statute, kept_out
    if stored and not edition.law_id:
        # A source without 법령ID must not change the ids of articles that have one.
        statute = replace(statute, edition=replace(edition, law_id=stored[0].law_id))
    if stored and stored[1] == statute.fingerprint():
        return statute, Outcome(name, Result.UNCHANGED, f"{edition.title}: 이미 들어 있습니다.", edition)
    return statute, _brought_in(name, statute, stored[0] if stored else None)


def _kept_out(name: str, edition: Edition, fingerprint: str, stored: tuple[Edition, str] | None) -> Outcome | None:
    if not stored or not _keeps(stored[0], edition):
        return None
    if stored[1] == fingerprint or stored[0].version == edition.version:
        return Outcome(name, Result.UNCHANGED, f"{edition.title}: 이미 들어 있습니다.", edition)
    message = f"{edition.title}: 더 새로운 판이 이미 들어 있어 그대로 둡니다({_describe(stored[0])})."
    return Outcome(name, Result.OLDER, message, edition)


def _lost_items(statute: Statute, stored: Edition, store: StatuteStore) -> Outcome | None:
    """Return a refusal where the text lost 목 that the stored one has: sources have lost all of them before."""
    places = missing_items(statute.articles)
    if not places or len(places) <= len(missing_items(store.texts.statute(stored).articles)):
        return None
    edition = statute.edition
    message = (
        f"{edition.title}: 새 글({_describe(edition)})에서 '다음 각 목'의 목이 사라져({name_places(places)}) "
        "지금 글을 그대로 둡니다. 자료원이 고쳐진 뒤 다시 넣어 주십시오."
    )
    return Outcome(edition.title, Result.FAILED, message, edition)


def _withdraw(
    store: StatuteStore, origin: str, candidates: Sequence[_Candidate], outcomes: Sequence[Outcome]
) -> list[Outcome]:
    """Remove what the origin brought before and has no more; a statute whose file cannot be read now is kept."""
    there = {candidate.edition.key for candidate in candidates}
    ids = {candidate.edition.law_id for candidate in candidates} - {""}
    unread = {key for outcome in outcomes if outcome.path for key in _names_of(outcome.path)}
    gone = [
        edition
        for edition in store.texts.of_origin(origin)
        if edition.key not in there
        and edition.law_id not in ids
        and unread.isdisjoint((edition.key, base_key(edition.key)))
    ]
    for edition in gone:
        store.texts.remove(edition)
    return [
        Outcome(edition.title, Result.REMOVED, f"{edition.title}: 자료원에서 없어져 뺐습니다.", edition)
        for edition in gone
    ]


def _names_of(path: Path) -> tuple[str, str]:
    """Return the keys that a file which cannot be read may be of: by the title it states, by its folder."""
    try:
        with path.open("rb") as file:
            title = stated_title(file.read(4096))
    except OSError:
        title = ""
    return normalize_title(title), normalize_title(path.parent.name)


def _keeps(stored: Edition, offered: Edition) -> bool:
    """Whether the stored edition stays: it is newer, or as new and from a source with a 법령ID that this one lacks."""
    if stored.version == offered.version:
        return bool(stored.law_id) and not offered.law_id
    return stored.version > offered.version


def _brought_in(name: str, statute: Statute, before: Edition | None) -> Outcome:
    edition = statute.edition
    count = sum(not article.deleted for article in statute.articles)
    message = f"{edition.title}: 조문 {count}개({_describe(edition)})"
    if before:
        message += f", 전에는 {_describe(before)}"
    if edition.coming(date.today()):
        message += ". 시행일이 아직 오지 않은 내용이 있습니다"
    result = Result.UPDATED if before else Result.ADDED
    return Outcome(name, result, message + ".", edition, count, statute.warnings)


def _describe(edition: Edition) -> str:
    parts = [edition.designation]
    if edition.effective:
        parts.append(f"{edition.effective} 시행")
    return ", ".join(part for part in parts if part) or "날짜를 알 수 없는 판"


def _follow_up(store: StatuteStore, embedder: StatuteEmbedder, on_progress: OnProgress) -> int:
    """Bring everything that is made from the texts after them; return how many chunks were embedded.

    Words and known questions come first: they take minutes where a whole statute book's vectors take an hour, and find
    articles meanwhile.
    """
    _index_words(store, on_progress)
    if store.known:
        fresh = write_questions(
            store.questions_file,
            embedder.fingerprint,
            read_known(store.known),
            store.texts.article_ids(),
            embedder.question_vectors,
        )
        if fresh:
            on_progress(Progress("질문", fresh, fresh, float(fresh)))
    return _embed_pending(store, embedder, on_progress)


def _index_words(store: StatuteStore, on_progress: OnProgress) -> None:
    """Bring the lexical index after the texts, statute by statute as far as they changed."""
    wanted, held = store.texts.fingerprints(), store.lexical.held()
    live = {key: fingerprint for key, (fingerprint, edition) in wanted.items() if not edition.repealed}
    changed = [key for key, fingerprint in live.items() if held.get(key) != fingerprint]
    gone = [key for key in held if key not in live]
    started = time.monotonic()
    for start in range(0, len(changed) + (not changed and bool(gone)), WORDS_BATCH):
        part = changed[start : start + WORDS_BATCH]
        articles = (row for key in part for row in _words_of(store, wanted[key][1]))
        store.lexical.replace([*part, *(gone if start == 0 else ())], articles)
        held = {key: value for key, value in held.items() if key not in gone} | {key: live[key] for key in part}
        store.lexical.record(held)
        done = start + len(part)
        on_progress(Progress("낱말", done, len(changed), done / (time.monotonic() - started + 1e-9)))


def _words_of(store: StatuteStore, edition: Edition) -> Iterator[tuple[str, str, str]]:
    for article in store.texts.statute(edition).articles:
        if not article.deleted:
            text = passage(edition, article, 0, len(article.text))
            yield edition.key, article_id(edition, article.label), text


def _embed_pending(store: StatuteStore, embedder: StatuteEmbedder, on_progress: OnProgress) -> int:
    store.delete_doomed()
    done, total, started = 0, store.texts.counts()[3], time.monotonic()
    if total:
        on_progress(Progress("임베딩", 0, total, 0.0))

    def embed(batch: list[PendingChunk]) -> Vectors:
        articles = store.texts.articles(list({article for _, article, _, _ in batch}))
        return embedder.passage_vectors([passage(*articles[article], start, end) for _, article, start, end in batch])

    # While one batch is stored, the next is embedded; those under way still count as pending and are passed over.
    with ThreadPoolExecutor(1) as ahead:
        batch = store.texts.pending(BATCH)
        vectors = ahead.submit(embed, batch)
        while batch:
            following = store.texts.pending(BATCH, passing_over=len(batch))
            next_vectors = ahead.submit(embed, following)
            store.put_vectors([chunk for chunk, *_ in batch], vectors.result())
            done += len(batch)
            on_progress(Progress("임베딩", done, total, done / (time.monotonic() - started)))
            batch, vectors = following, next_vectors
    return done
