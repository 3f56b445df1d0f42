"""Statute -> chunks: an article, or a run of its 항 that fits the embedder's window, always under its heading."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rag.statutes import Article, Chunk, Edition, Statute, article_id, chunk_id, passage, strip_marks

CountTokens = Callable[[str], int]

_SENTENCE_END = re.compile(r"(?<=다\.)\s+|\n")
_JOIN_SLACK = 2
"""Tokens that joining two separately counted texts may add."""


def chunk_statute(statute: Statute, count_tokens: CountTokens, window: int) -> list[Chunk]:
    """Return a statute's chunks in order; deleted articles and repealed statutes have none.

    `window` is the most tokens `count_tokens` may find in a chunk's text. The spans of an article's chunks are
    disjoint, in order, and cover its text: what exceeds the window becomes another chunk.
    """
    if statute.edition.repealed:
        return []
    return [
        chunk
        for article in statute.articles
        if not article.deleted
        for chunk in chunk_article(statute.edition, article, count_tokens, window)
    ]


def chunk_article(edition: Edition, article: Article, count_tokens: CountTokens, window: int) -> Iterator[Chunk]:
    """Yield the chunks of one article."""
    of_article, text = article_id(edition, article.label), article.text
    header = passage(edition, article, 0, 0)
    heading = count_tokens(header)

    def embedded(start: int, end: int) -> str:
        # `passage` would put the article's text together anew for each of its lines.
        return header + strip_marks(text[start:end])

    def size(start: int, end: int) -> int:
        return count_tokens(embedded(start, end)) - heading + _JOIN_SLACK

    # A heading that leaves no room for text is a fault of the window; then pieces get a quarter of it.
    room = max(window - heading, window // 4)
    for ordinal, (start, end) in enumerate(_pack(article, size, room)):
        yield Chunk(chunk_id(of_article, ordinal), of_article, start, end, embedded(start, end))


def _pack(article: Article, size: Callable[[int, int], int], room: int) -> Iterator[tuple[int, int]]:
    """Group pieces of an article greedily into spans of at most `room` tokens that cover its text."""
    text = article.text
    start = end = used = 0
    for piece_start, piece_end in _pieces(article, size, room):
        tokens = size(piece_start, piece_end)
        if end > start and used + tokens > room:
            yield start, end
            start, used = piece_start, 0
        used += tokens
        end = piece_end
    if end > start or not text:
        yield start, len(text)


def _pieces(article: Article, size: Callable[[int, int], int], room: int) -> Iterator[tuple[int, int]]:
    """Yield contiguous spans no larger than `room`: whole 항 where they fit, else lines, sentences, characters."""
    text = article.text
    for start, end in article.paragraph_spans():
        border = min(end + 1, len(text))  # the newline after a 항 goes with it
        if size(start, border) <= room:
            yield start, border
            continue
        for part_start, part_end in _split(text, start, border, re.compile(r"\n")):
            if size(part_start, part_end) <= room:
                yield part_start, part_end
                continue
            for sentence_start, sentence_end in _split(text, part_start, part_end, _SENTENCE_END):
                yield from _halve(sentence_start, sentence_end, size, room)


def _split(text: str, start: int, end: int, border: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    for match in border.finditer(text, start, end):
        if match.end() > start:
            yield start, match.end()
            start = match.end()
    if start < end:
        yield start, end


def _halve(start: int, end: int, size: Callable[[int, int], int], room: int) -> Iterator[tuple[int, int]]:
    if size(start, end) <= room or end - start < 2:
        yield start, end
        return
    middle = (start + end) // 2
    yield from _halve(start, middle, size, room)
    yield from _halve(middle, end, size, room)
