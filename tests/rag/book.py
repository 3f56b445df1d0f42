"""Statutes in a text store without vectors, and searches made of them by hand: no model is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.sources.markdown import read_markdown
from rag.claims import Checked, check
from rag.laws import Laws
from rag.retriever import Search
from rag.statutes import Edition, Hit, article_id
from rag.texts import Texts


@dataclass(frozen=True)
class Book:
    """Some statutes; the first one is meant where only a label is given."""

    edition: Edition
    laws: Laws
    texts: Texts

    @classmethod
    @contextmanager
    def of(cls, folder: Path, *files: Path) -> Iterator[Book]:
        """Read Markdown statutes into a store in `folder`."""
        texts = Texts(folder / "texts.sqlite3")
        statutes = [read_markdown(file) for file in files]
        for statute in statutes:
            texts.put(statute, ())
        yield cls(statutes[0].edition, Laws.of(texts.editions()), texts)
        texts.close()

    def hit(self, label: str, law: str = "", highlight: tuple[tuple[int, int], ...] = ()) -> Hit:
        """Return an article as a hit."""
        edition = self.laws.editions[self.laws.resolve(law)] if law else self.edition
        identity = article_id(edition, label)
        found = self.texts.article(identity)
        assert found, identity
        return Hit(identity, *found, 0.9, ("dense",), highlight)

    def search(self, question: str, *labels: str) -> Search:
        """Return what a search finds that finds these articles."""
        return Search(question, tuple(self.hit(label) for label in labels), False, (), 0.9)

    def check(self, text: str, *labels: str) -> Checked:
        """Check an answer that was to be written from these articles."""
        return check(text, [self.hit(label) for label in labels], self.laws, self.texts)
