"""What stands behind the app: the opened model, store and retriever, and the indexing that runs meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ingest import pipeline, prebuilt, sync
from ingest.pipeline import OnProgress, Outcome, Progress, Reader, Result
from ingest.preview import Preview, Reading, preview
from ingest.sources.files import read_file
from rag.answer import Linker, official
from rag.appended import find
from rag.cited import Cited, CitedArticle, look_up
from rag.contents import Opened, open_at
from rag.embedding import StatuteEmbedder, load_embedder
from rag.errors import LawError, StoreBusyError
from rag.feedback import FILE, note_opinion
from rag.filters import EVERYTHING, Filter, kinds_among
from rag.llm import standalone, try_open
from rag.related import Related, related
from rag.retriever import Search, StatuteRetriever, leans, make_retriever
from rag.settings import Settings
from rag.statutes import Edition, Hit, is_appended
from rag.store import StatuteStore, open_store
from rag.texts import StoredStatute
from rag.written import Answer, answers
from web.conversation import Turn

log = logging.getLogger(__name__)

MAX_QUESTION = 1000
MAX_HITS = 50
STILL_INDEXING = "아직 색인하는 중이라, 지금까지 들어온 조문에서만 찾았습니다."
UNEXPECTED = "예기치 못한 문제가 생겼습니다. 잠시 뒤 다시 해 보시고, 계속되면 운영자에게 알려 주십시오."

_MANY = 1000  # statutes; who has so many has chosen them
_TOLD = 10
_WAIT_STEP = 0.5
_CLOSE_TIMEOUT = 30.0


class _ClosingError(Exception):
    """Ends the indexing because the app ends."""


@dataclass(frozen=True, slots=True)
class Job:
    """The indexing that runs in the background: how far it is, and what went wrong, in Korean."""

    running: bool = False
    progress: Progress | None = None
    problems: tuple[str, ...] = ()


class Service:
    """Answers questions and takes statutes, from many threads at once; the embedder and the store are shared."""

    def __init__(
        self, settings: Settings, embedder: StatuteEmbedder, store: StatuteStore, problems: tuple[str, ...] = ()
    ):
        self.settings = settings
        self.job = Job(problems=problems)
        self._problems = problems  # of opening; they stay true while the app runs
        self._embedder = embedder
        self._store = store
        self._retriever: StatuteRetriever = make_retriever(settings, store, embedder)
        self._llm = try_open(settings)
        self._writing = threading.Lock()  # the store refuses a second writer at once; inside the app they queue up
        self._listed: tuple[int, list[StoredStatute]] | None = None
        self._indexing: threading.Thread | None = None
        self._closing = threading.Event()

    def start(self) -> threading.Thread:
        """Index the corpus folder in the background; unchanged files cost nothing, a killed run is resumed."""
        return self._in_background(self._add_corpus)

    def lacks_the_book(self) -> bool:
        """Whether little is in, and the mirror that has the whole statute book can be reached."""
        if self.job.running or len(self.inventory()) >= _MANY or not self.settings.mirror_url:
            return False
        return not self._store.texts.of_origin(sync.MIRROR) and sync.mirror_answers(self.settings)

    def fetch_the_book(self) -> threading.Thread:
        """Bring the whole statute book in in the background. Raises StoreBusyError where indexing is under way."""
        if self.job.running:
            raise StoreBusyError("지금 색인 작업을 하고 있습니다. 끝난 뒤 다시 해 주십시오.")
        return self._in_background(self._sync_mirror)

    def _in_background(self, work: Callable[[OnProgress], list[Outcome]]) -> threading.Thread:
        self.job = Job(running=True, problems=self._problems)
        self._indexing = threading.Thread(target=self._index, args=(work,), name="indexing", daemon=True)
        self._indexing.start()
        return self._indexing

    def close(self) -> None:
        """Stop indexing after the batch it is in, and close the store."""
        self._closing.set()
        if self._indexing:
            self._indexing.join(_CLOSE_TIMEOUT)
        self._store.close()

    def search(
        self, question: str, history: Sequence[str] = (), k: int | None = None, within: Filter = EVERYTHING
    ) -> Search:
        """Return the articles for a question. Raises LawError where it cannot be asked."""
        question = question.strip()
        if not question:
            raise LawError("질문을 입력해 주십시오.")
        if len(question) > MAX_QUESTION:
            raise LawError(f"질문이 너무 깁니다({len(question):,}자). {MAX_QUESTION:,}자 안으로 줄여 주십시오.")
        if k is not None and not 1 <= k <= MAX_HITS:
            raise LawError(f"조문 수(k)는 1부터 {MAX_HITS}까지입니다.")
        alone = standalone(self._llm, question, history) if leans(question, history) else ""
        search = self._retriever.search(question, k, history, within=within, standalone=alone)
        return replace(search, notes=(STILL_INDEXING, *search.notes)) if self.job.running else search

    def answers(self, search: Search, linked: Linker = official) -> Iterator[Answer]:
        """Yield the answer to a search as it grows, the last one done; `linked` gives what its citations link to."""
        return answers(search, self._llm, self._retriever.laws(), self._store.texts, linked)

    def around(self, search: Search) -> dict[str, Related]:
        """Return article id -> what stands around each article found."""
        return {hit.article_id: related(self._store.texts, hit.edition, hit.article) for hit in search.hits}

    def cited(self, text: str) -> Cited:
        """Return the articles that a text cites, and what of its citations is not there."""
        return look_up(text, (), self._retriever.laws(), self._store.texts)

    def relatives(self, cited: CitedArticle) -> Related:
        """Return what stands around an article."""
        return related(self._store.texts, cited.edition, cited.article)

    def open(self, reference: str) -> Opened:
        """Return a statute opened at an article (by id) or its start (by title). Raises LawError if it is not in."""
        opened = open_at(self._store.texts, reference)
        if opened is None:
            raise LawError("그 조문이나 법령은 지금 수록되어 있지 않습니다.")
        return opened

    def recall(self, turn: Turn) -> Search:
        """Return the articles shown for an earlier question, with their texts as they are now."""
        ids = [shown.article_id for shown in turn.hits]
        found, links = self._store.texts.articles(ids), dict.fromkeys(ids, "")
        for each in filter(None, (find(self._store.texts, identity) for identity in ids if is_appended(identity))):
            found[each.article_id], links[each.article_id] = (each.edition, each.article), each.link
        hits = tuple(
            Hit(i, *found[i], shown.score, shown.signals, shown.highlight, link=links[i])
            for i, shown in zip(ids, turn.hits, strict=True)
            if i in found
        )
        return Search(turn.question, hits, turn.abstained, turn.notes, turn.confidence)

    def rate(self, turn: Turn, history: Sequence[str], liked: bool) -> bool:
        """Write down what a visitor thought of an answer; return whether it was kept."""
        if not self.settings.feedback:
            return False
        path = self.settings.home / FILE
        try:
            return note_opinion(path, self.recall(turn), history, liked, datetime.now().astimezone())
        except OSError as error:
            log.warning("%s: %s", path, error)
            return False

    def choices(self) -> tuple[list[str], list[str], list[str]]:
        """Return what a search can be narrowed to: titles, kinds, ministries."""
        editions = [stored.edition for stored in self.inventory()]
        ministries = {ministry for edition in editions for ministry in edition.ministries}
        return [edition.title for edition in editions], kinds_among(editions), sorted(ministries)

    def preview(self, readings: Sequence[Reading]) -> list[Preview]:
        """Return what adding these files now would do."""
        return [preview(reading, self._store) for reading in readings]

    def add(
        self,
        paths: Sequence[Path],
        on_progress: OnProgress,
        on_wait: Callable[[Job], None],
        read: Reader = read_file,
    ) -> list[Outcome]:
        """Bring files in; while other indexing runs, wait for it and call `on_wait` now and then."""
        while not self._writing.acquire(timeout=_WAIT_STEP):
            on_wait(self.job)
        try:
            return self._add(paths, on_progress, read)
        finally:
            self._writing.release()

    def remove(self, law: str) -> Edition:
        """Take a statute out by its title. Raises LawError where there is none, or indexing is under way."""
        if not self._writing.acquire(blocking=False):
            raise StoreBusyError("지금 색인 작업을 하고 있습니다. 끝난 뒤 다시 해 주십시오.")
        try:
            return pipeline.remove(law, self._store)
        finally:
            self._writing.release()

    def inventory(self) -> list[StoredStatute]:
        """Return the statutes that are in, by title; read again only when they have changed."""
        generation, listed = self._store.texts.generation(), self._listed
        if listed is None or listed[0] != generation:
            self._listed = listed = (generation, self._store.texts.statutes())
        return listed[1]

    def _add(self, paths: Sequence[Path], on_progress: OnProgress, read: Reader = read_file) -> list[Outcome]:
        window = self.settings.chunk_tokens
        try:
            return pipeline.add(paths, self._store, self._embedder, window, on_progress, read=read)
        finally:
            self._listed = None  # what was pending is not any more

    def _add_corpus(self, on_progress: OnProgress) -> list[Outcome]:
        return self._add([self.settings.corpus] if self.settings.corpus.is_dir() else [], on_progress)

    def _sync_mirror(self, on_progress: OnProgress) -> list[Outcome]:
        try:
            report = sync.sync_mirror(self.settings, self._store, self._embedder, on_progress=on_progress)
        finally:
            self._listed = None
        return list(report.outcomes)

    def _index(self, work: Callable[[OnProgress], list[Outcome]]) -> None:
        def tell(progress: Progress) -> None:
            if self._closing.is_set():
                raise _ClosingError
            self.job = Job(running=True, progress=progress, problems=self._problems)

        problems: tuple[str, ...] = ()
        try:
            with self._writing:
                outcomes = work(tell)
            problems = tuple(outcome.message for outcome in outcomes if outcome.result is Result.FAILED)
            if len(problems) > _TOLD:
                problems = (*problems[:_TOLD], f"이 밖에 {len(problems) - _TOLD:,}개 파일을 읽지 못했습니다.")
        except _ClosingError:
            log.info("indexing stopped; the next start goes on with it")
        except LawError as error:
            problems = (str(error),)
        except Exception:
            log.exception("indexing failed")
            problems = (UNEXPECTED,)
        for problem in problems:
            log.warning("indexing: %s", problem)
        self.job = Job(problems=(*self._problems, *problems))


def open_service(settings: Settings) -> Service:
    """Open the configured model and store. Raises LawError where one of them cannot be used.

    An index (`LAW_INDEX`) that cannot be had is a problem the app tells and goes on without.
    """
    embedder = load_embedder(settings)
    problems: tuple[str, ...] = ()
    if settings.index:
        try:
            prebuilt.install(settings.index, settings, embedder)
        except LawError as error:
            problems = (f"{error} 지금 있는 자료로 계속합니다.",)
            log.warning("index: %s", error)
    return Service(settings, embedder, open_store(settings, embedder), problems)


def plainly(error: Exception) -> str:
    """Return what a visitor is told; what is no `LawError` goes to the log with its trace."""
    if isinstance(error, LawError):
        return str(error)
    log.error("unexpected", exc_info=error)
    return UNEXPECTED
