"""What the citations of an answer lead to in the app."""

from __future__ import annotations

from urllib.parse import quote

from rag.answer import Linker
from rag.retriever import Search


def card_id(article_id: str) -> str:
    """Return the HTML id of an article's card."""
    return f"article-{article_id}"


def to_cards(search: Search) -> Linker:
    """Return what links a citation to the card of its article, where it has one, else to the official text."""
    shown = {hit.article_id for hit in search.hits}
    return lambda article_id, url: f"#{quote(card_id(article_id))}" if article_id in shown else url
