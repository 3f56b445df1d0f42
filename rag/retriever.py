"""A question's way to its articles: cited ones first, then those whose chunks lie nearest to the question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, PrivateAttr

from rag.citation import Citation, Laws, find_citations
from rag.embedding import StatuteEmbedder, load_embedder
from rag.settings import Settings
from rag.statutes import Article, Edition, Hit, article_id, article_key, passage
from rag.store import ChunkHit, StatuteStore, open_store

_CHUNKS_PER_ARTICLE = 3
"""How many chunks are asked for an article wanted; long articles take several places among the nearest."""

_LONG_PARAGRAPH = 300
"""Characters from which a paragraph is too much to be marked whole."""

_NEW_SUBPARAGRAPH = re.compile(r"\n(?=  \S)")

_FOLLOW_UP = re.compile(
    r"^\s*(그럼|그러면|그렇다면|그런데|근데|그리고|그건|그거|그게|그때|그럴|그렇게|그\s|이\s?경우|이때|거기|아까|반대로)"
    r"|([은는도]|에서는|[이라]면|경우|때는?|하고|랑)요?\s*[?.!~]*\s*$"
)


@dataclass(frozen=True, slots=True)
class Search:
    """What was found for a question, best first.

    `abstained` means that no article is near enough to be an answer, or that the only articles asked for do not
    exist: `hits` are then merely the nearest.
    `notes` say, in Korean, what of the question's citations is not there.
    """

    question: str
    hits: tuple[Hit, ...]
    abstained: bool
    notes: tuple[str, ...] = ()

    @property
    def confidence(self) -> float:
        """The score that abstention is decided by: the best cosine; 1 where a cited article was found."""
        if any("citation" in hit.signals for hit in self.hits):
            return 1.0
        return max((hit.score for hit in self.hits), default=-1.0)


class StatuteRetriever(BaseRetriever):
    """LangChain retriever over the store. `search` gives hits with scores, `invoke` LangChain documents."""

    store: StatuteStore
    embedder: StatuteEmbedder
    top_k: int = 5
    abstain_below: float = -1.0

    model_config = ConfigDict(arbitrary_types_allowed=True)
    _laws: tuple[int, Laws] = PrivateAttr(default=(-1, Laws({})))

    def search(
        self, question: str, k: int | None = None, history: Sequence[str] = (), *, highlight: bool = True
    ) -> Search:
        """Return the `k` articles that govern a question, each once, by its best chunk.

        `history` are the earlier questions of the conversation, oldest first. Without `highlight` no span is marked,
        which saves embedding the paragraphs.
        """
        k = k or self.top_k
        vector = np.asarray(self.embedder.embed_query(_in_context(question, history)), dtype=np.float32)
        cited, notes = self._cited(question, history, vector)
        found = self._nearest(vector, k)
        by_id = {hit.article_id: hit for hit in found}
        first = [replace(hit, signals=("citation", "dense")) if hit.article_id in by_id else hit for hit in cited]
        first_ids = {hit.article_id for hit in first}
        hits = [*first, *(hit for hit in found if hit.article_id not in first_ids)][:k]
        if highlight:
            hits = self._mark(vector, hits)
        search = Search(question, tuple(hits), False, tuple(notes))
        nothing_cited_exists = bool(notes) and not cited
        return replace(search, abstained=nothing_cited_exists or search.confidence < self.abstain_below)

    def laws(self) -> Laws:
        """Return the names that citations can resolve to; read again when the store has changed."""
        generation = self.store.texts.generation()
        if self._laws[0] != generation:
            self._laws = (generation, Laws.of(self.store.texts.editions()))
        return self._laws[1]

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [_document(hit) for hit in self.search(query, highlight=False).hits]

    def _nearest(self, vector: np.ndarray, k: int) -> list[Hit]:
        limit = k * _CHUNKS_PER_ARTICLE
        while True:
            chunks = self.store.nearest(vector.tolist(), limit)
            best: dict[str, ChunkHit] = {}
            for chunk in chunks:  # they come best first
                best.setdefault(chunk.article_id, chunk)
            if len(best) >= k or len(chunks) < limit:
                break
            limit *= 2
        texts = self.store.texts.articles(list(best))
        return [
            Hit(chunk.article_id, *texts[chunk.article_id], chunk.score, ("dense",), ((chunk.start, chunk.end),))
            for chunk in list(best.values())[:k]
            if chunk.article_id in texts
        ]

    def _cited(self, question: str, history: Sequence[str], vector: np.ndarray) -> tuple[list[Hit], list[str]]:
        laws = self.laws()
        earlier = find_citations(" ".join(history), laws)
        citations = find_citations(question, laws, earlier[-1].key if earlier else "")
        hits: dict[str, Hit] = {}
        notes: list[str] = []
        for citation in citations:
            if not citation.name and not citation.key:
                continue  # '제5조' of no statute in particular
            edition = laws.editions.get(citation.key)
            if edition is None:
                notes.append(f"'{citation.name}'은(는) 지금 들어 있는 법령 가운데 없습니다.")
                continue
            identity = article_id(edition, citation.label)
            article = self.store.texts.article(identity)
            if article is None:
                notes.append(self._no_such_article(edition, citation))
                continue
            hits[identity] = self._cited_hit(identity, *article, citation, vector)
            if article[1].deleted:
                notes.append(f"「{edition.title}」 {citation.label}는 삭제된 조문입니다.")
        return list(hits.values()), list(dict.fromkeys(notes))

    def _cited_hit(
        self, identity: str, edition: Edition, article: Article, citation: Citation, vector: np.ndarray
    ) -> Hit:
        spans = [
            span
            for paragraph, span in zip(article.paragraphs, article.paragraph_spans(), strict=True)
            if citation.paragraph and paragraph.number == citation.paragraph
        ]
        score = self.store.similarity(vector.tolist(), identity)
        if score is None:  # deleted, or not embedded yet
            text = passage(edition, article, 0, len(article.text))
            score = float(np.dot(vector, self.embedder.embed_documents([text])[0]))
        return Hit(identity, edition, article, score, ("citation",), tuple(spans))

    def _no_such_article(self, edition: Edition, citation: Citation) -> str:
        labels = [label for label, _, _ in self.store.texts.outline(edition) if article_key(label)]
        known = f" 제1조부터 {max(labels, key=article_key)}까지 있습니다." if labels else ""
        return f"「{edition.title}」에 {citation.label}는 없습니다.{known}"

    def _mark(self, vector: np.ndarray, hits: list[Hit]) -> list[Hit]:
        """Narrow each hit's best chunk down to its best paragraph; paragraphs cited by number stay as they are."""
        spans = [_candidates(hit) for hit in hits]
        texts = [
            passage(h.edition, h.article, *span) for h, s in zip(hits, spans, strict=True) if len(s) > 1 for span in s
        ]
        scores = iter(np.asarray(self.embedder.embed_documents(texts)) @ vector if texts else ())
        return [
            replace(hit, highlight=(max(candidates, key=lambda _: next(scores)),))
            if len(candidates) > 1
            else replace(hit, highlight=tuple(candidates))
            for hit, candidates in zip(hits, spans, strict=True)
        ]


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
    return StatuteRetriever(store=store, embedder=embedder, top_k=settings.top_k, abstain_below=settings.abstain_below)


def _candidates(hit: Hit) -> list[tuple[int, int]]:
    """Return the spans one of which is to be marked: the paragraphs of the hit's best chunk."""
    if not hit.article.text:
        return []
    if "citation" in hit.signals and hit.highlight:
        return list(hit.highlight)
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


def _in_context(question: str, history: Sequence[str]) -> str:
    """Return what is embedded: the question, behind the one before it if it leans on that ('그럼 상가는요?')."""
    return f"{history[-1]} {question}" if history and _FOLLOW_UP.search(question) else question


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
