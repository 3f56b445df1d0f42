"""A question's way to its articles: cited ones first, then those that meaning, words and known questions point to.

Three searches run over the store: dense (the chunks nearest to the question), lexical (BM25) and known questions (the
articles whose known questions are nearest). A learned ranking orders what they found; the score of a hit stays the
cosine of question and best chunk.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise, zip_longest
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, PrivateAttr

from rag.appended import KINDS, find, with_appended
from rag.cited import Cited, look_up
from rag.embedding import StatuteEmbedder, Vectors, load_embedder
from rag.filters import EVERYTHING, Filter, admitted
from rag.laws import Laws, named_laws
from rag.lexical import bigrams, shared
from rag.questions import EMPTY, SPLITS, Nearness, QuestionIndex
from rag.ranking import About, Evidence, Matrix, Ranker, features, fuse, load_ranker
from rag.settings import Settings
from rag.statutes import Hit, is_appended, passage
from rag.store import ChunkHit, StatuteStore, open_store

SEARCHES = ("dense", "lexical", "questions")
STAGES = (*SEARCHES, "ranking")
"""What can be switched off to see what it is worth. Without ranking the searches are fused by reciprocal ranks."""

CHUNKS = 120
WORDS = 60
ASKED = 40
"""How many chunks, and articles, each search brings."""

_LONG_PARAGRAPH = 300
"""Characters from which a paragraph is too much to be marked whole."""

_MOST_MARKED = 4
"""Most passages embedded to mark the hits of one question: each takes as long as half the search."""

_NEW_SUBPARAGRAPH = re.compile(r"\n(?=  \S)")

_FOLLOW_UP = re.compile(
    r"^\s*(그럼|그러면|그렇다면|그런데|근데|그리고|그건|그거|그게|그때|그럴|그렇게|그\s|이\s?경우|이때|거기|아까|반대로)"
    r"|(([은는도]|에서는|[이라]면|경우|때는?|하고|랑)요?|면요)\s*[?.!~]*\s*$"
)


@dataclass(frozen=True, slots=True)
class Search:
    """What was found for a question, best first.

    `confidence` in [0, 1] is how likely it is that an article among the hits answers. `abstained` means that it is too
    low, or that the only articles asked for do not exist: `hits` are then merely the nearest. `notes` say, in Korean,
    what of the question's citations is not there. `asked` is what was searched for: the question in its context.
    """

    question: str
    hits: tuple[Hit, ...]
    abstained: bool
    notes: tuple[str, ...] = ()
    confidence: float = 0.0
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the searches found for a question, and what ranking makes of it: ids, features and scores, best first."""

    evidence: Evidence
    chunks: dict[str, ChunkHit]
    ids: tuple[str, ...]
    inputs: Matrix
    scores: Matrix


class StatuteRetriever(BaseRetriever):
    """LangChain retriever over the store. `search` gives hits with scores, `invoke` LangChain documents."""

    store: StatuteStore
    embedder: StatuteEmbedder
    ranker: Ranker | None = None
    top_k: int = 5
    abstain_below: float = 0.5
    stages: frozenset[str] = frozenset(STAGES)
    known_splits: frozenset[str] = frozenset(SPLITS)

    model_config = ConfigDict(arbitrary_types_allowed=True)
    _laws: tuple[int, Laws] = PrivateAttr(default=(-1, Laws({})))
    _known: tuple[QuestionIndex, QuestionIndex] | None = PrivateAttr(default=None)

    def search(
        self,
        question: str,
        k: int | None = None,
        history: Sequence[str] = (),
        *,
        within: Filter = EVERYTHING,
        highlight: bool = True,
        today: date | None = None,
        standalone: str = "",
    ) -> Search:
        """Return the `k` articles that govern a question, each once, by its best chunk.

        `history` are the earlier questions of the conversation, oldest first. Without `highlight` no span is marked
        but those of citations, which saves embedding the paragraphs. On `today` a text that takes effect later gets a
        note, and hits tell what they are about to become. `standalone` is the question as it would be asked without
        the history, where somebody has worked that out. Raises LawError where `within` finds no statute.
        """
        statutes = admitted(within, self.laws())
        k = k or self.top_k
        asked = standalone or in_context(question, history)
        vector = np.asarray(self.embedder.embed_query(asked), dtype=np.float32)
        cited = look_up(question, history, self.laws(), self.store.texts)
        cited = with_appended(cited, question, history, self.laws(), self.store.texts)
        if statutes is not None:
            cited = _only(cited, statutes)
        found = self.candidates(asked, vector, statutes=statutes)
        hits = self._hits(found, cited, vector, k)
        if highlight:
            hits = self._mark(asked, vector, hits)
        confidence = self._confidence(found, cited)
        nothing_cited_exists = cited.missing and not cited.articles
        abstained = nothing_cited_exists or confidence < self.abstain_below
        hits = [hit if is_appended(hit.article_id) else self._with_coming(hit) for hit in hits]
        notes = (*cited.notes, *_not_yet(hits, today or date.today()))
        return Search(question, tuple(hits), abstained, notes, confidence, asked)

    def search_appended(
        self, question: str, kinds: Collection[str], k: int | None = None, *, within: Filter = EVERYTHING
    ) -> Search:
        """Return the `k` addenda or annexes (`rag.appended.KINDS`) whose words are nearest to a question's.

        Whether one of them answers is not judged: only where none is found is it an abstention. Raises LawError where
        `within` finds no statute.
        """
        k, statutes = k or self.top_k, admitted(within, self.laws())
        vector = np.asarray(self.embedder.embed_query(question), dtype=np.float32)
        lists = [self.store.appended[kind].search(question, k, statutes) for kind in KINDS if kind in kinds]
        ids = [found[0] for row in zip_longest(*lists) for found in row if found][:k]
        hits = []
        for each in filter(None, (find(self.store.texts, identity) for identity in ids)):
            score = self._score_of((each.edition, each.article), vector)
            hits.append(Hit(each.article_id, each.edition, each.article, score, ("lexical",), link=each.link))
        return Search(question, tuple(self._mark(question, vector, hits)), not hits, (), float(bool(hits)))

    def _with_coming(self, hit: Hit) -> Hit:
        return replace(hit, coming=self.store.texts.coming(hit.edition, hit.article))

    def laws(self) -> Laws:
        """Return the names that citations can resolve to; read again when the store has changed."""
        generation = self.store.texts.generation()
        if self._laws[0] != generation:
            self._laws = (generation, Laws.of(self.store.texts.editions()))
        return self._laws[1]

    def known(self) -> QuestionIndex:
        """Return the known questions in use."""
        every = self.store.questions()
        if self._known is None or self._known[0] is not every:
            all_of_them = self.known_splits >= set(SPLITS)
            self._known = (every, every if all_of_them else every.only(self.known_splits))
        return self._known[1]

    def candidates(
        self, asked: str, vector: Vectors, without: Sequence[int] = (), statutes: Collection[str] | None = None
    ) -> Candidates:
        """Return what the searches found, in some statutes (keys) or all, ranked.

        Known questions in the rows `without` are passed over.
        """
        laws, known = self.laws(), self.known() if "questions" in self.stages else EMPTY
        passed_over = [*without, *self._outside(known, statutes)]
        near = known.compare(vector, passed_over)
        chunks: dict[str, ChunkHit] = {}
        for chunk in self.store.nearest(vector.tolist(), CHUNKS, statutes) if "dense" in self.stages else ():
            chunks.setdefault(chunk.article_id, chunk)  # they come best first
        evidence = Evidence(
            asked,
            [(name, chunk.score) for name, chunk in chunks.items()],
            self.store.lexical.search(asked, WORDS, statutes) if "lexical" in self.stages else [],
            known.find(asked, near, ASKED, passed_over),
            frozenset(named_laws(asked, laws)),
        )
        abouts = {name: About(*about) for name, about in self.store.texts.abouts(evidence.candidates()).items()}
        ids = [name for name in evidence.candidates() if name in abouts and abouts[name].statute in laws.editions]
        inputs = features(evidence, ids, abouts, laws.editions, _closeness(evidence, known, near, ids))
        if self.ranker and "ranking" in self.stages:
            scores = self.ranker.scores(inputs)
        else:
            fused = fuse(evidence)
            scores = np.array([fused[name] for name in ids], dtype=np.float32)
        order = np.argsort(-scores, kind="stable")
        return Candidates(evidence, chunks, tuple(ids[row] for row in order), inputs[order], scores[order])

    def _outside(self, known: QuestionIndex, statutes: Collection[str] | None) -> list[int]:
        """Return the rows of known questions whose articles are in none of the statutes."""
        if statutes is None:
            return []
        ids = {edition.statute_id for key, edition in self.laws().editions.items() if key in statutes}
        return [row for row, article in enumerate(known.articles) if article.rpartition(":")[0] not in ids]

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [_document(hit) for hit in self.search(query, highlight=False).hits]

    def _confidence(self, found: Candidates, cited: Cited) -> float:
        if cited.articles:
            return 1.0
        if self.ranker and self.ranker.answered and "ranking" in self.stages:
            return self.ranker.confidence(found.inputs, found.scores)
        return max((score for _, score in found.evidence.dense), default=0.0)

    def _hits(self, found: Candidates, cited: Cited, vector: Vectors, k: int) -> list[Hit]:
        """Return the first `k` hits, cited articles before the others, each with its cosine."""
        first = [article.article_id for article in cited.articles]
        ids = list(dict.fromkeys([*first, *found.ids]))[:k]
        chunks = {**self.store.similarities(vector.tolist(), [i for i in ids if i not in found.chunks]), **found.chunks}
        texts = self.store.texts.articles(ids)
        appended = {each.article_id: each for each in cited.articles if is_appended(each.article_id)}
        texts |= {name: (each.edition, each.article) for name, each in appended.items()}
        by_search = {
            "dense": dict(found.evidence.dense),
            "lexical": dict(found.evidence.lexical),
            "question": dict([*found.evidence.asked.nearest, *found.evidence.asked.words]),
        }
        spans = {article.article_id: article.spans for article in cited.articles}
        hits = []
        for identity in ids:
            if identity not in texts:
                continue  # removed while the question was under way
            signals = tuple(name for name, scores in by_search.items() if identity in scores)
            chunk = chunks.get(identity)
            highlight: tuple[tuple[int, int], ...] = ((chunk.start, chunk.end),) if chunk else ()
            if identity in spans:
                signals, highlight = ("citation", *signals), tuple(spans[identity])
            score = chunk.score if chunk else self._score_of(texts[identity], vector)
            link = appended[identity].link if identity in appended else ""
            hits.append(Hit(identity, *texts[identity], score, signals, highlight, link=link))
        return hits

    def _score_of(self, text: Any, vector: Vectors) -> float:
        """Return the cosine of an article that has no vector: it is deleted, repealed, or not embedded yet."""
        edition, article = text
        whole = passage(edition, article, 0, len(article.text))
        return float(np.dot(vector, self.embedder.passage_vectors([whole])[0]))

    def _mark(self, asked: str, vector: Vectors, hits: list[Hit]) -> list[Hit]:
        """Narrow each hit's best chunk down to its best paragraph; paragraphs cited by number stay as they are.

        The first hits' paragraphs are compared by meaning, as far as the time for that reaches, the others by words.
        """
        words = set(bigrams(asked))
        wanted: list[tuple[int, list[tuple[int, int]]]] = []
        marked = list(hits)
        room = _MOST_MARKED
        for number, hit in enumerate(hits):
            candidates = [] if "citation" in hit.signals and hit.highlight else _candidates(hit)
            if 1 < len(candidates) <= room:
                wanted.append((number, candidates))
                room -= len(candidates)
            elif candidates:
                text = hit.article.text
                best = max(candidates, key=lambda span: shared(text[slice(*span)], words))
                marked[number] = replace(hit, highlight=(best,))
        texts = [
            passage(hits[number].edition, hits[number].article, *span)
            for number, candidates in wanted
            for span in candidates
        ]
        scores = iter(self.embedder.passage_vectors(texts) @ vector if texts else ())
        for number, candidates in wanted:
            best = max(candidates, key=lambda _: next(scores))
            marked[number] = replace(hits[number], highlight=(best,))
        return marked


@contextmanager
def open_retriever(settings: Settings) -> Iterator[StatuteRetriever]:
    """Open the configured model and store for asking; close the store afterwards."""
    embedder = load_embedder(settings)
    store = open_store(settings, embedder)
    try:
        yield make_retriever(settings, store, embedder)
    finally:
        store.close()


def make_retriever(settings: Settings, store: StatuteStore, embedder: StatuteEmbedder) -> StatuteRetriever:
    """Return a retriever over an open store, as configured."""
    return StatuteRetriever(
        store=store,
        embedder=embedder,
        ranker=load_ranker(embedder.fingerprint),
        top_k=settings.top_k,
        abstain_below=settings.abstain_below,
    )


def in_context(question: str, history: Sequence[str]) -> str:
    """Return what is searched for: the question, behind the one before it if it leans on that ('그럼 상가는요?')."""
    return f"{history[-1]} {question}" if leans(question, history) else question


def leans(question: str, history: Sequence[str]) -> bool:
    """Whether a question cannot be understood without the one before it, as far as its wording tells."""
    return bool(history) and _FOLLOW_UP.search(question) is not None


def _closeness(evidence: Evidence, known: QuestionIndex, near: Nearness, ids: Sequence[str]) -> dict[str, float]:
    """Return the cosine of each article's nearest known question, the lowest one found where it is none of those.

    Below that it says nothing: an article without known questions and one whose questions are others look the same.
    """
    if not evidence.asked.nearest:
        return dict.fromkeys(ids, 0.0)
    floor = evidence.asked.nearest[-1][1]
    return {name: max(floor, score) for name, score in zip(ids, known.closeness(near, ids), strict=True)}


def _only(cited: Cited, statutes: Collection[str]) -> Cited:
    """Return what is cited less the articles of other statutes than these, and say which were left out."""
    kept = tuple(article for article in cited.articles if article.edition.key in statutes)
    left_out = [f"{c.edition.title} {c.article.label}" for c in cited.articles if c not in kept]
    notes = [f"고른 범위 밖의 조문이라 찾지 않았습니다: {', '.join(left_out)}"] if left_out else []
    return replace(cited, articles=kept, notes=(*cited.notes, *notes))


def _not_yet(hits: Sequence[Hit], today: date) -> list[str]:
    """Say which of the statutes found are at hand only in a text that takes effect later."""
    editions = {hit.edition.key: hit.edition for hit in hits if hit.edition.coming(today)}
    return [
        f"「{edition.title}」은(는) 시행일이 정해지지 않은 내용만 있어 그 내용을 보입니다."
        if edition.effective_text == "미정"
        else f"「{edition.title}」은(는) {edition.effective_text}에 시행될 내용만 있어 그 내용을 보입니다. "
        "지금 시행 중인 조문과 다를 수 있습니다."
        for edition in editions.values()
    ]


def _candidates(hit: Hit) -> list[tuple[int, int]]:
    """Return the spans one of which is to be marked: the paragraphs of the hit's best chunk."""
    if not hit.article.text:
        return []
    inside = hit.highlight or ((0, len(hit.article.text)),)
    start, end = inside[0]
    units = [unit for span in hit.article.paragraph_spans() for unit in _units(hit.article.text, *span)]
    overlapping = [(max(a, start), min(b, end)) for a, b in units if a < end and b > start]
    return [span for span in overlapping if span[0] < span[1]]


def _units(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return a paragraph as one span, or, where it is long, one span for its head and one for each 호."""
    if end - start <= _LONG_PARAGRAPH:
        return [(start, end)]
    borders = [start, *(match.start() + 1 for match in _NEW_SUBPARAGRAPH.finditer(text, start, end)), end + 1]
    return [(a, b - 1) for a, b in pairwise(borders)]


def _document(hit: Hit) -> Document:
    metadata: dict[str, Any] = {
        "law": hit.edition.title,
        "article": hit.article.label,
        "title": hit.article.title,
        "score": hit.score,
        "signals": list(hit.signals),
        "effective": str(hit.edition.effective or ""),
        "url": hit.url,
    }
    return Document(id=hit.article_id, page_content=hit.article.text, metadata=metadata)
