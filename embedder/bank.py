"""The question bank: reading it, checking it against the statute book, splitting it by article.

A row is a row of a question set (`rag.evaluation`) with three more fields: `domain`, `style` and `split`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.sources.files import find_files, read_file
from rag.errors import QuestionSetError, SourceError
from rag.evaluation import ArticleKey, article_key, read_questions
from rag.statutes import Statute, normalize_title, strip_marks

FOLDER = Path(__file__).parent / "questions"

STYLES = ("colloquial", "short", "plain", "practitioner", "named", "compare", "detail", "followup", "unanswerable")
SPLITS = ("train", "dev", "test")
MOST_GOLDS = 4
MOST_AS_PRIMARY = 4
NEAR_DUPLICATE = 0.7
"""Jaccard similarity of character trigrams from which two questions count as the same."""

_TEST_SHARE, _DEV_SHARE = 0.2, 0.1


@dataclass(frozen=True, slots=True)
class Row:
    """A question of the bank; `gold` is empty for an unanswerable one, else the primary article first."""

    id: str
    question: str
    gold: tuple[ArticleKey, ...]
    domain: str
    style: str
    split: str
    place: str
    history: tuple[str, ...] = ()

    @property
    def asked(self) -> str:
        """The question behind the one it follows up."""
        return f"{self.history[-1]} {self.question}" if self.history else self.question


def files(folder: Path = FOLDER) -> list[Path]:
    """Return the bank's files, one a domain."""
    return sorted(folder.glob("*.jsonl"))


def read_bank(folder: Path = FOLDER) -> list[Row]:
    """Read every file of the bank. Raises QuestionSetError, naming file and line."""
    return [row for path in files(folder) for row in _read_file(path)]


def _read_file(path: Path) -> Iterator[Row]:
    for number, (question, line) in enumerate(zip(read_questions(path), _lines(path), strict=True), 1):
        fields = json.loads(line)
        place = f"{path.name}:{number}"
        if fields.get("style") not in STYLES or not fields.get("domain"):
            raise QuestionSetError(f"{place}: domain 또는 style이 없거나 알 수 없는 값입니다.")
        split = fields.get("split", "")
        yield Row(
            question.id,
            question.question,
            question.gold,
            fields["domain"],
            fields["style"],
            split,
            place,
            question.history,
        )


def newest_statutes(folder: Path) -> dict[str, Statute]:
    """Return statute key -> the newest edition of it in a folder."""
    newest: dict[str, Statute] = {}
    for path in find_files([folder]):
        try:
            statute = read_file(path)
        except SourceError:
            continue  # not a statute; a gold in it will be reported as missing
        held = newest.get(statute.edition.key)
        if held is None or held.edition.version < statute.edition.version:
            newest[statute.edition.key] = statute
    return newest


def statute_book(folder: Path) -> dict[ArticleKey, str]:
    """Return article -> its text without marks ('' where it is deleted), of the newest edition of every statute."""
    return {
        article_key(key, article.label): "" if article.deleted else strip_marks(article.text)
        for key, statute in newest_statutes(folder).items()
        for article in statute.articles
    }


def problems(rows: Sequence[Row], book: Mapping[ArticleKey, str]) -> Iterator[str]:
    """Yield what is wrong with single rows and pairs of rows, in English, each with its place."""
    ids = Counter(row.id for row in rows)
    yield from (f"id {name} is given {count} times" for name, count in ids.items() if count > 1)
    primaries = Counter((row.domain, row.gold[0]) for row in rows if row.gold)
    for (domain, key), count in primaries.items():
        if count > MOST_AS_PRIMARY:
            yield f"{domain}: {' '.join(key)} is primary {count} times"
    for row in rows:
        yield from (f"{row.place}: {problem}" for problem in _row_problems(row, book))
    yield from (f"{a.place}: nearly the same question as {b.place}" for a, b in near_duplicates(rows))


def _row_problems(row: Row, book: Mapping[ArticleKey, str]) -> Iterator[str]:
    if len(row.gold) > MOST_GOLDS:
        yield f"{len(row.gold)} golds"
    asked = normalize_title(row.question).rstrip("?.!")
    for key in row.gold:
        text = book.get(key)
        if text is None:
            yield f"{' '.join(key)} is not in the statute book"
        elif not text:
            yield f"{' '.join(key)} is deleted"
        elif len(asked) >= 6 and asked in normalize_title(text):
            yield f"the question stands in {' '.join(key)}"


def near_duplicates(rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
    """Yield pairs of questions (later, earlier) that share most of their character trigrams."""
    holders: dict[str, list[int]] = defaultdict(list)
    grams: list[set[str]] = []
    for number, row in enumerate(rows):
        text = normalize_title(row.question)
        own = {text[i : i + 3] for i in range(len(text) - 2)}
        shared = Counter(other for gram in own for other in holders[gram])
        for other, count in shared.items():
            if count / (len(own) + len(grams[other]) - count) > NEAR_DUPLICATE:
                yield row, rows[other]
        for gram in own:
            holders[gram].append(number)
        grams.append(own)


def counts(rows: Sequence[Row]) -> dict[str, object]:
    """Return the bank's size: questions, distinct gold articles and statutes, by style, domain and split."""
    articles = {key for row in rows for key in row.gold}
    return {
        "questions": len(rows),
        "articles": len(articles),
        "statutes": len({law for law, _ in articles}),
        "unanswerable": sum(not row.gold for row in rows),
        "styles": dict(Counter(row.style for row in rows)),
        "domains": dict(Counter(row.domain for row in rows)),
        "splits": dict(Counter(row.split for row in rows)),
    }


def split_by_article(rows: Sequence[Row]) -> dict[str, str]:
    """Return question id -> split so that no two splits share a gold article.

    Questions that share an article, directly or through others, form a group; the hash of the group's smallest name
    decides where all of it goes, so that adding questions moves as few others as can be.
    """
    parents: dict[ArticleKey, ArticleKey] = {}

    def root(key: ArticleKey) -> ArticleKey:
        while (parent := parents.setdefault(key, key)) != key:
            parents[key] = parents[parent]
            key = parents[key]
        return key

    for row in rows:
        for key in row.gold:
            low, high = sorted((root(row.gold[0]), root(key)))
            parents[high] = low
    return {row.id: _place(" ".join(root(row.gold[0])) if row.gold else row.id) for row in rows}


def _place(group: str) -> str:
    share = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") / 2**32
    if share < _TEST_SHARE:
        return "test"
    return "dev" if share < _TEST_SHARE + _DEV_SHARE else "train"


def write_splits(folder: Path = FOLDER) -> None:
    """Write every row's split into the bank's files."""
    splits = split_by_article(read_bank(folder))
    for path in files(folder):
        rows = [json.loads(line) for line in _lines(path)]
        placed = ({**row, "split": splits[row["id"]]} for row in rows)
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in placed), "utf-8")


def select(folder: Path, split: str, book: Container[ArticleKey] | None = None) -> Iterator[str]:
    """Yield the lines of a split as they stand; with `book` only those whose golds are all in it."""
    for path in files(folder):
        for row, line in zip(_read_file(path), _lines(path), strict=True):
            if row.split == split and (book is None or all(key in book for key in row.gold)):
                yield line


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line.strip()]
