"""Which lexical index finds most: BM25 on character bigrams or on morphemes, in tantivy, bm25s or SQLite.

`python -m benchmarks.lexical STATUTES [--split test]` prints a table over all articles of a folder of statutes in
Markdown and the answerable questions of the bank's split: hit@k, and build time, size and time a question relative to
the shipped index. Needs `pip install kiwipiepy==0.24.1 bm25s==0.3.16` beside requirements-dev.txt; Kiwi's morphemes of
a whole statute book take minutes and are kept in `--morphemes FILE`.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from embedder.bank import Row, newest_statutes, read_bank
from rag.evaluation import ArticleKey, article_key
from rag.lexical import LexicalIndex, bigrams
from rag.statutes import passage

DEPTH = 50
_CONTENT = ("N", "V", "MM", "MAG", "XR", "SL", "SN", "SH")
"""Tags of the Kiwi morphemes that carry meaning: nouns, verbs, adverbs, roots, foreign words, numbers, Hanja."""

Search = Callable[[str], list[ArticleKey]]


@dataclass(frozen=True, slots=True)
class Document:
    """An article as it is indexed: its key and its text under its heading."""

    key: ArticleKey
    text: str


@dataclass(frozen=True, slots=True)
class Built:
    """An index that was built in `seconds` and takes `size` bytes on disk."""

    search: Search
    seconds: float
    size: int


def documents(folder: Path) -> list[Document]:
    """Return every article in force of a folder of statutes."""
    return [
        Document(article_key(key, article.label), passage(statute.edition, article, 0, len(article.text)))
        for key, statute in newest_statutes(folder).items()
        if not statute.edition.repealed
        for article in statute.articles
        if not article.deleted
    ]


def shipped(found: Sequence[Document], folder: Path) -> Built:
    """The product's own index: tantivy over bigrams."""
    started = time.monotonic()
    index = LexicalIndex(folder)
    index.replace((), (("", str(number), document.text) for number, document in enumerate(found)))
    seconds = time.monotonic() - started
    return Built(
        lambda question: [found[int(row)].key for row, _ in index.search(question, DEPTH)], seconds, _size(folder)
    )


def with_bm25s(
    found: Sequence[Document], texts: Iterable[list[str]], cut: Callable[[str], list[str]], folder: Path
) -> Built:
    """bm25s over tokens: those of each document, and what cuts a question."""
    import bm25s

    started = time.monotonic()
    vocabulary: dict[str, int] = {}
    ids = [[vocabulary.setdefault(token, len(vocabulary)) for token in tokens] for tokens in texts]
    index = bm25s.BM25(method="lucene")
    index.index(bm25s.tokenization.Tokenized(ids, vocabulary), show_progress=False)
    seconds = time.monotonic() - started
    index.save(str(folder))

    def search(question: str) -> list[ArticleKey]:
        tokens = [token for token in cut(question) if token in vocabulary]
        if not tokens:
            return []
        rows, _ = index.retrieve([tokens], k=DEPTH, show_progress=False)
        return [found[int(row)].key for row in rows[0]]

    return Built(search, seconds, _size(folder))


def with_fts5(found: Sequence[Document], folder: Path) -> Built:
    """SQLite FTS5 over bigrams, given to it as words, ranked by its bm25()."""
    started = time.monotonic()
    db = sqlite3.connect(folder / "fts.db")
    db.execute("CREATE VIRTUAL TABLE articles USING fts5(body, content='', detail='column', tokenize='unicode61')")
    rows = ((number, " ".join(_every_bigram(document.text))) for number, document in enumerate(found))
    db.executemany("INSERT INTO articles(rowid, body) VALUES (?, ?)", rows)
    db.commit()
    seconds = time.monotonic() - started

    def search(question: str) -> list[ArticleKey]:
        grams = [gram for gram in bigrams(question) if gram.isalnum()]
        if not grams:
            return []
        asked = " OR ".join(f'"{gram}"' for gram in grams)
        sql = "SELECT rowid FROM articles WHERE articles MATCH ? ORDER BY bm25(articles) LIMIT ?"
        return [found[row].key for (row,) in db.execute(sql, (asked, DEPTH))]

    return Built(search, seconds, _size(folder))


def morphemes(found: Sequence[Document], kept: Path | None) -> Iterator[list[str]]:
    """Yield the morphemes of every document, from the file `kept` as far as it reaches."""
    done = 0
    if kept and kept.exists():
        with kept.open(encoding="utf-8") as file:
            for line in file:
                done += 1
                yield json.loads(line)
    kiwi = _kiwi()
    with (kept or Path("/dev/null")).open("a", encoding="utf-8") as file:
        for document in tqdm(found[done:], desc="Kiwi", mininterval=10):
            tokens = _content(kiwi.tokenize(document.text))
            file.write(json.dumps(tokens, ensure_ascii=False) + "\n")
            yield tokens


def _kiwi() -> Any:
    from kiwipiepy import Kiwi

    return Kiwi(num_workers=1)


def _content(tokens: Iterable[Any]) -> list[str]:
    return [f"{token.form}/{token.tag[0]}" for token in tokens if token.tag.startswith(_CONTENT)]


def _every_bigram(text: str) -> list[str]:
    dense = "".join(text.split()).lower()
    return [dense[at : at + 2] for at in range(len(dense) - 1) if dense[at : at + 2].isalnum()]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(built: Built, rows: Sequence[Row]) -> tuple[dict[str, float], float]:
    """Return (hit@1, hit@5, hit@10, hit@50, colloquial hit@5; milliseconds a question, the median)."""
    places: list[float] = []
    times: list[float] = []
    for row in rows:
        started = time.perf_counter()
        ranked = built.search(row.asked)
        times.append(1000 * (time.perf_counter() - started))
        places.append(min((ranked.index(key) for key in row.gold if key in ranked), default=float("inf")))
    figures = {f"hit@{k}": sum(place < k for place in places) / len(places) for k in (1, 5, 10, 50)}
    spoken = [place for place, row in zip(places, rows, strict=True) if row.style == "colloquial"]
    figures["colloquial hit@5"] = sum(place < 5 for place in spoken) / len(spoken)
    return figures, sorted(times)[len(times) // 2]


def main(
    statutes: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    split: str = "test",
    morphemes_file: Annotated[Path | None, typer.Option("--morphemes", help="Where Kiwi's work is kept.")] = None,
) -> None:
    """Print the table."""
    found = documents(statutes)
    rows = [row for row in read_bank() if row.split == split and row.gold]
    typer.echo(f"{len(found):,} articles, {len(rows)} questions ({split})\n")
    typer.echo(
        "| | hit@1 | hit@5 | hit@10 | hit@50 | colloquial hit@5 | build | size | a question |\n|---|" + "---|" * 8
    )
    base: tuple[Built, float] | None = None
    for name, build in _systems(found, morphemes_file).items():
        with tempfile.TemporaryDirectory() as folder:
            built = build(Path(folder))
            figures, each = measure(built, rows)
            base = base or (built, each)
            ratios = (built.seconds / base[0].seconds, built.size / base[0].size, each / base[1])
            cells = [*(f"{value:.3f}" for value in figures.values()), *(f"{ratio:.1f}x" for ratio in ratios)]
            typer.echo(f"| {name} | {' | '.join(cells)} |")


def _systems(found: Sequence[Document], kept: Path | None) -> dict[str, Callable[[Path], Built]]:
    def of_morphemes(folder: Path) -> Built:
        kiwi = _kiwi()
        return with_bm25s(found, morphemes(found, kept), lambda text: _content(kiwi.tokenize(text)), folder)

    def of_bigrams(folder: Path) -> Built:
        return with_bm25s(found, (_every_bigram(document.text) for document in found), bigrams, folder)

    return {
        "bigrams, tantivy (shipped)": lambda folder: shipped(found, folder),
        "bigrams, bm25s": of_bigrams,
        "bigrams, SQLite FTS5": lambda folder: with_fts5(found, folder),
        "morphemes (Kiwi), bm25s": of_morphemes,
    }


if __name__ == "__main__":
    typer.run(main)
