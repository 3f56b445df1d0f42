"""The job: read files, find what changed, write the texts, bring the vectors after them.

The texts are written first, a statute at a time and whole; every chunk whose vector is missing is then pending in
the store. Embedding works that list off. A run that is killed therefore loses at most the batch it was in, and the
next run goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial
from pathlib import Path

from ingest.chunking import chunk_statute
from ingest.editions import Held, Outcome, Result, bring_in, group_by_statute, promote
from ingest.links import links_of
from ingest.sources.files import find_files, hash_file, read_file
from ingest.sources.markdown import stated_title
from ingest.versions import editions_of
from rag.appended import ADDENDA, ANNEXES, of_statute
from rag.characters import file_name
from rag.embedding import StatuteEmbedder, Vectors
from rag.errors import LawError, SourceError
from rag.lexical import LexicalIndex
from rag.questions import read_known, write_questions
from rag.statutes import Edition, Statute, article_id, base_key, normalize_title, passage
from rag.store import StatuteStore
from rag.texts import PendingChunk

__all__ = ["Outcome", "Progress", "Result", "add", "rebuild", "remove", "resume"]

BATCH = 256
"""Chunks embedded and stored at a time: what a killed run may have to do again."""

WORDS_BATCH = 1000
"""Statutes brought into the lexical index at a time."""


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
        units = {"받기": "MB", "읽기": "파일", "문자 인식": "쪽", "질문": "개"}
        return (units | dict.fromkeys(("조회", "낱말", "부칙", "별표"), "법령")).get(self.stage, "조각")

    @property
    def seconds_left(self) -> float:
        """The time the stage still takes at this rate; infinite before it is known."""
        return (self.total - self.done) / self.rate if self.rate > 0 else float("inf")


OnProgress = Callable[[Progress], None]
Reader = Callable[[Path], Statute]
ReadEditions = Callable[[Path], list[Statute]]


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
    today: date | None = None,
) -> list[Outcome]:
    """Bring statute files into the store and embed what changed; return what became of each file.

    A file that cannot be read is reported and skipped. Of each statute the edition in force on `today` is answered
    from; one that was kept until its day came takes its place. `window` is the most tokens of a chunk. `origin` names
    the source the files came from, '' for a user's own; `whole` says that they are all there is of it, so that statutes
    it brought before and has no more are removed. A `read` other than the usual one is asked anew whatever is
    remembered of a file. Raises StoreBusyError where another run is writing.
    """
    with store.writer():
        today, window = today or date.today(), min(window, embedder.window)
        again = lru_cache(maxsize=1)(lambda path: editions_of(read(path)))
        outcomes, held = _read(list(find_files(paths)), store, on_progress, read, again)
        outcomes += promote(store.texts, embedder.count_tokens, window, today)
        for offered in group_by_statute(held):
            outcomes += bring_in(offered, store.texts, embedder.count_tokens, window, today, origin)
        if whole:
            outcomes += _withdraw(store, origin, held, outcomes)
        _follow_up(store, embedder, on_progress)
    return outcomes


def remove(law: str, store: StatuteStore) -> Edition:
    """Remove a statute by title, abbreviation or 법령ID. Raises LawError where there is none of that name."""
    with store.writer():
        stored = store.texts.find(law)
        if stored is None:
            raise LawError(f"'{law}'은(는) 들어 있지 않습니다. `python -m ingest status`로 이름을 확인해 주십시오.")
        store.texts.remove(stored.edition)
        store.settle()
        _index_words(store, lambda _: None)
    return stored.edition


def rebuild(store: StatuteStore, embedder: StatuteEmbedder, window: int, on_progress: OnProgress) -> int:
    """Drop all vectors, cut every stored statute into chunks anew and embed them; return how many chunks."""
    with store.writer():
        store.reset_vectors()
        for index in (store.lexical, *store.appended.values()):
            index.clear()
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
    files: list[Path], store: StatuteStore, on_progress: OnProgress, read: Reader, again: ReadEditions
) -> tuple[list[Outcome], list[Held]]:
    outcomes: list[Outcome] = []
    held: list[Held] = []
    started = time.monotonic()
    for done, path in enumerate(files, 1):
        try:
            held += _editions_in(path, store, read, again, on_progress)
        except SourceError as error:
            outcomes.append(Outcome(file_name(path.name), Result.FAILED, str(error), path=path))
        on_progress(Progress("읽기", done, len(files), done / (time.monotonic() - started + 1e-9)))
    return outcomes, held


def _editions_in(
    path: Path, store: StatuteStore, read: Reader, again: ReadEditions, on_progress: OnProgress
) -> list[Held]:
    """Return the editions a file holds, without reading it where the usual reader read it before.

    A text that goes in is read again, since the texts of a whole statute book would fill the memory, unless its pages
    had to be recognised, which takes seconds each.
    """
    sha256 = hash_file(path)
    known = store.texts.known_source(sha256) if read is read_file else []
    if known:
        return [
            Held(edition, fingerprint, partial(_load, path, fingerprint, again), path) for edition, fingerprint in known
        ]
    statute, recognised = _read_one(path, read, on_progress)
    held = [Held.read(each, path) for each in editions_of(statute)]
    if not recognised:
        held = [replace(each, load=partial(_load, path, each.fingerprint, again)) for each in held]
    if read is read_file:
        store.texts.remember_source(sha256, [(each.edition, each.fingerprint) for each in held])
    return held


def _read_one(path: Path, read: Reader, on_progress: OnProgress) -> tuple[Statute, bool]:
    """Read a file; return whether pages of it had to be recognised, too."""
    started, told = time.monotonic(), False

    def on_page(done: int, total: int) -> None:
        nonlocal told
        told = True
        on_progress(Progress("문자 인식", done, total, done / (time.monotonic() - started + 1e-9)))

    statute = read_file(path, on_page) if read is read_file else read(path)
    return statute, told


def _load(path: Path, fingerprint: str, again: ReadEditions) -> Statute:
    for statute in again(path):
        if statute.fingerprint() == fingerprint:
            return statute
    raise SourceError(f"{file_name(path.name)}: 읽는 사이에 파일이 바뀌었습니다. 다시 넣어 주십시오.")


def _withdraw(store: StatuteStore, origin: str, held: Sequence[Held], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Remove what the origin brought before and has no more; a statute whose file cannot be read now is kept."""
    there = {each.edition.key for each in held}
    ids = {each.edition.law_id for each in held} - {""}
    failed = [outcome.path for outcome in outcomes if outcome.path and outcome.result is Result.FAILED]
    unread = {key for path in failed for key in _names_of(path)}
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


Words = Iterator[tuple[str, str, str]]
"""Statute key, article id and text of what goes into a lexical index."""


def _index_words(store: StatuteStore, on_progress: OnProgress) -> None:
    """Bring the lexical indexes after the texts: of the articles, then of addenda and annexes."""
    _bring_after(store.lexical, store, lambda edition: _words_of(store, edition), "낱말", on_progress)
    for kind, stage in ((ADDENDA, "부칙"), (ANNEXES, "별표")):
        _bring_after(store.appended[kind], store, partial(_appended_words, store, kind), stage, on_progress)


def _bring_after(
    index: LexicalIndex, store: StatuteStore, words: Callable[[Edition], Words], stage: str, on_progress: OnProgress
) -> None:
    """Bring one index after the texts, statute by statute as far as they changed; repealed ones are not in it."""
    wanted, held = store.texts.fingerprints(), index.held()
    live = {key: fingerprint for key, (fingerprint, edition) in wanted.items() if not edition.repealed}
    changed = [key for key, fingerprint in live.items() if held.get(key) != fingerprint]
    gone = [key for key in held if key not in live]
    started = time.monotonic()
    for start in range(0, len(changed) + (not changed and bool(gone)), WORDS_BATCH):
        part = changed[start : start + WORDS_BATCH]
        rows = (row for key in part for row in words(wanted[key][1]))
        index.replace([*part, *(gone if start == 0 else ())], rows)
        held = {key: value for key, value in held.items() if key not in gone} | {key: live[key] for key in part}
        index.record(held)
        done = start + len(part)
        on_progress(Progress(stage, done, len(changed), done / (time.monotonic() - started + 1e-9)))


def _words_of(store: StatuteStore, edition: Edition) -> Words:
    for article in store.texts.statute(edition).articles:
        if not article.deleted:
            text = passage(edition, article, 0, len(article.text))
            yield edition.key, article_id(edition, article.label), text


def _appended_words(store: StatuteStore, kind: str, edition: Edition) -> Words:
    for each in of_statute(store.texts, edition, kind):
        yield edition.key, each.article_id, passage(edition, each.article, 0, len(each.article.text))


def _embed_pending(store: StatuteStore, embedder: StatuteEmbedder, on_progress: OnProgress) -> int:
    store.settle()
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
