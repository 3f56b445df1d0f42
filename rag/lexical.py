"""The lexical side: BM25 over character bigrams, in a tantivy index beside the texts.

Korean glues particles to words and people space them as they like; bigrams of the text without white space need no
dictionary and find 보증금을 where 보증금 is asked for. How this compares with morphemes stands in the README.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import tantivy

from rag.errors import StoreError

log = logging.getLogger(__name__)

_MEMORY = 128_000_000
_MOST_BIGRAMS = 120
"""Of a long question the first so many bigrams are looked up."""


def bigrams(text: str) -> list[str]:
    """Return the distinct character bigrams of a text without white space, in order."""
    dense = _dense(text)
    return list(dict.fromkeys(dense[i : i + 2] for i in range(len(dense) - 1)))


def shared(text: str, words: set[str]) -> float:
    """Return how much of a text's wording the question has; long texts gain nothing by their length."""
    own = bigrams(text)
    return sum(gram in words for gram in own) / math.sqrt(len(own) + 1)


class LexicalIndex:
    """Articles by the character bigrams of heading and text. Many threads may search, one may write."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._state = folder / "held.json"
        self._schema = _schema()
        self._writing = threading.Lock()
        self._index = self._open()

    def _open(self) -> tantivy.Index:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not (self._folder / "meta.json").exists():  # tantivy begins anew where its list of segments is gone
                self._state.unlink(missing_ok=True)
            index = tantivy.Index(self._schema, path=str(self._folder))
            _register(index)
            index.reload()
        except (OSError, ValueError) as error:
            raise StoreError(
                f"낱말 색인({self._folder})을 열 수 없습니다({error}). "
                "`python -m ingest rebuild`로 다시 만들 수 있습니다."
            ) from error
        return index

    def search(self, question: str, limit: int, statutes: Collection[str] | None = None) -> list[tuple[str, float]]:
        """Return (article id, BM25 score) of the best articles, of some statutes or all, best first."""
        try:
            return _search(self._index, self._schema, question, limit, statutes)
        except (OSError, ValueError) as error:
            raise StoreError(
                f"낱말 색인을 검색할 수 없습니다({error}). `python -m ingest rebuild`로 다시 만들 수 있습니다."
            ) from error

    def replace(self, statutes: Sequence[str], articles: Iterable[tuple[str, str, str]]) -> None:
        """Drop the articles of these statutes and add (statute, article id, text) ones, all or nothing."""
        with self._writing:
            try:
                writer = self._index.writer(_MEMORY, 1)
                for statute in statutes:
                    writer.delete_documents_by_term("statute", statute)
                for statute, article, text in articles:
                    writer.add_document(tantivy.Document(statute=statute, article=article, body=_dense(text)))
                writer.commit()
                writer.wait_merging_threads()
                self._index.reload()
            except (OSError, ValueError) as error:
                raise StoreError(
                    f"낱말 색인에 쓸 수 없습니다({error}). 디스크 공간과 권한을 확인해 주십시오."
                ) from error

    def held(self) -> dict[str, str]:
        """Return statute key -> fingerprint of what is in the index, as far as it was recorded after a write."""
        try:
            held: dict[str, str] = json.loads(self._state.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return held

    def record(self, held: Mapping[str, str]) -> None:
        """Record what is in the index now; a run killed before this does its last write again."""
        partial = self._state.with_suffix(".partial")
        try:
            partial.write_text(json.dumps(dict(held), ensure_ascii=False), "utf-8")
            partial.replace(self._state)
        except OSError as error:
            raise StoreError(
                f"낱말 색인에 쓸 수 없습니다({error.strerror}). 디스크 공간과 권한을 확인해 주십시오."
            ) from error

    def clear(self) -> None:
        """Drop everything, also what cannot be opened any more."""
        with self._writing:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._index = self._open()

    def __len__(self) -> int:
        return int(self._index.searcher().num_docs)


class TextIndex:
    """Short texts by their character bigrams, in memory; a text is named by its row."""

    def __init__(self, texts: Sequence[str]):
        self._schema = _schema()
        self._index = tantivy.Index(self._schema)
        _register(self._index)
        writer = self._index.writer(_MEMORY, 1)
        for row, text in enumerate(texts):
            writer.add_document(tantivy.Document(article=str(row), body=_dense(text)))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    def search(self, question: str, limit: int) -> list[tuple[int, float]]:
        """Return (row, BM25 score) of the best texts, best first."""
        return [(int(row), score) for row, score in _search(self._index, self._schema, question, limit)]


def _register(index: tantivy.Index) -> None:
    index.register_tokenizer("bigram", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.ngram(2, 2, False)).build())


def _search(
    index: tantivy.Index, schema: tantivy.Schema, question: str, limit: int, statutes: Collection[str] | None = None
) -> list[tuple[str, float]]:
    clauses = [
        (tantivy.Occur.Should, tantivy.Query.term_query(schema, "body", gram, "freq"))
        for gram in bigrams(question)[:_MOST_BIGRAMS]
    ]
    if not clauses:
        return []
    query = tantivy.Query.boolean_query(clauses)
    if statutes is not None:
        only = tantivy.Query.term_set_query(schema, "statute", list(statutes))
        unscored = tantivy.Query.const_score_query(only, 0.0)
        query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, unscored)])
    searcher = index.searcher()
    found = searcher.search(query, limit, count=False).hits
    return [(searcher.doc(address)["article"][0], float(score)) for score, address in found]


def _dense(text: str) -> str:
    return "".join(text.split()).lower()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("article", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("statute", stored=False, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("body", stored=False, tokenizer_name="bigram", index_option="freq")
    return builder.build()
