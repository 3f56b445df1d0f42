"""Checks `corpus/questions.tsv`, the known questions: what training and the index take from it has to be sound.

A row is law, article, split and question, tabs between them. The split is that of the article in the question bank: a
question whose article is gold in dev or test is never trained on, and evaluations can leave it out of the index.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from embedder.bank import NEAR_DUPLICATE, Row
from rag.evaluation import ArticleKey
from rag.questions import KnownQuestion
from rag.statutes import normalize_title

SHORTEST = 5
LONGEST = 200


def split_of_articles(rows: Iterable[Row]) -> dict[ArticleKey, str]:
    """Return gold article -> its split in the bank; every other article counts as train."""
    return {key: row.split for row in rows for key in row.gold}


def problems(
    known: Sequence[KnownQuestion], rows: Sequence[Row], book: Mapping[ArticleKey, str]
) -> Iterator[tuple[KnownQuestion, str]]:
    """Yield what is wrong with known questions, in English, each with the question."""
    splits = split_of_articles(rows)
    near = NearDuplicates(row.asked for row in rows if row.split in ("dev", "test"))
    seen: set[str] = set()
    for question in known:
        key = (question.law, question.label)
        text = normalize_title(question.text).rstrip("?.!~")
        if key not in book:
            yield question, "the article is not in the statute book"
        elif not book[key]:
            yield question, "the article is deleted"
        elif splits.get(key, "train") != question.split:
            yield question, f"its article is in {splits.get(key, 'train')}"
        elif not SHORTEST <= len(text) <= LONGEST:
            yield question, f"{len(text)} characters long"
        elif len(text) >= 8 and text in normalize_title(book[key]):
            yield question, "it stands in its article"
        elif text in seen:
            yield question, "given twice"
        elif near.has(question.text):
            yield question, "nearly the same as a dev or test question of the bank"
        seen.add(text)


class NearDuplicates:
    """Finds texts that share most of their character trigrams with one of a fixed set."""

    def __init__(self, texts: Iterable[str]):
        self._grams = [_trigrams(text) for text in texts]
        self._holders: dict[str, list[int]] = defaultdict(list)
        for number, grams in enumerate(self._grams):
            for gram in grams:
                self._holders[gram].append(number)

    def has(self, text: str) -> bool:
        """Whether a text is nearly one of the set (Jaccard similarity above `NEAR_DUPLICATE`)."""
        own = _trigrams(text)
        shared = Counter(other for gram in own for other in self._holders.get(gram, ()))
        return any(
            count / (len(own) + len(self._grams[other]) - count) > NEAR_DUPLICATE for other, count in shared.items()
        )


def _trigrams(text: str) -> frozenset[str]:
    dense = normalize_title(text)
    return frozenset(dense[i : i + 3] for i in range(len(dense) - 2))


def counts(known: Sequence[KnownQuestion]) -> dict[str, object]:
    """Return how many questions, articles and statutes there are, and how many questions a split."""
    articles = {(question.law, question.label) for question in known}
    return {
        "questions": len(known),
        "articles": len(articles),
        "statutes": len({law for law, _ in articles}),
        "splits": dict(Counter(question.split for question in known)),
    }
