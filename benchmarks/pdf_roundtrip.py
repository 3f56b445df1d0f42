"""How much of a statute survives being printed as PDF and read again: `python -m benchmarks.pdf_roundtrip kr`.

Prints a sample of the statute book in the layouts of tests/ingest/pdf_print.py and compares what is read, article by
article. With `--scans N` the first pages of N of them are scanned first, at `--dpi`.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ingest.sources.markdown import read_markdown
from ingest.sources.pdf import read_pdf
from rag.errors import SourceError
from rag.statutes import Article, Statute
from tests.ingest.pdf_print import SETTINGS, print_set, printable, scan


@dataclass
class Tally:
    """What was compared in one layout, and how much of it agreed."""

    statutes: int = 0
    articles: int = 0
    found: int = 0
    exact: int = 0
    spaced: int = 0
    structure: int = 0
    characters: int = 0
    wrong: int = 0

    def row(self, name: str) -> str:
        """Return a line of a Markdown table."""
        rates = (n / max(1, self.articles) for n in (self.found, self.structure, self.exact, self.spaced))
        shown = " | ".join(f"{100 * rate:.2f} %" for rate in rates)
        error = 100 * self.wrong / max(1, self.characters)
        return f"| {name} | {self.statutes} | {self.articles:,} | {shown} | {error:.3f} % |"


def squeeze(text: str) -> str:
    """Return a text without white space."""
    return re.sub(r"\s+", "", text)


def distance(one: str, other: str) -> int:
    """Return the edit distance of two texts."""
    a, b = (np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32) for text in (one, other))
    row = np.arange(len(b) + 1)
    steps = np.arange(len(b) + 1)
    for i, char in enumerate(a, start=1):
        changed = np.minimum(row[1:] + 1, row[:-1] + (b != char))
        row = np.minimum.accumulate(np.concatenate(([i], changed)) - steps) + steps
    return int(row[-1])


def labels(article: Article) -> list[tuple[int, str]]:
    """Return depth and label of every line of an article."""
    return [(line.depth, line.label) for p in article.paragraphs for line in p.lines]


def compare(tally: Tally, wanted: Statute, got: Statute | None, only: int | None = None) -> None:
    """Count how an edition read back agrees with the one printed, up to the article of that index."""
    tally.statutes += 1
    read = {article.label: article for article in got.articles} if got else {}
    for article in wanted.articles[:only]:
        text = squeeze(article.title + article.text)
        other = read.get(article.label)
        tally.articles += 1
        tally.characters += len(text)
        if other is None:
            tally.wrong += len(text)
            continue
        same = text == squeeze(other.title + other.text)
        tally.found += 1
        tally.structure += labels(article) == labels(other)
        tally.exact += same and labels(article) == labels(other)
        tally.spaced += (article.title, article.text) == (other.title, other.text)
        tally.wrong += 0 if same else distance(text, squeeze(other.title + other.text))


def last_whole(statute: Statute, got: Statute | None) -> int:
    """Return how many articles of a statute the scanned pages show whole: all but the last one read."""
    place = {article.label: i for i, article in enumerate(statute.articles)}
    return max((place[a.label] for a in (got.articles if got else ()) if a.label in place), default=0)


def sample(folder: Path, count: int, most: int) -> list[Statute]:
    """Return statutes with articles and without tables, of at most so many articles each."""
    files = sorted(folder.glob("*/*.md"))
    random.Random(1).shuffle(files)
    found: list[Statute] = []
    for file in files:
        try:
            whole = read_markdown(file)
            statute = printable(whole)
        except SourceError:
            continue
        texts = [article.text for article in statute.articles]
        tabular = any(re.search(r"[│┃┌─|]|\[그림", text) for text in texts)
        numbered = all(re.fullmatch(r"제\d+조(의\d+)*", article.label) for article in statute.articles)
        numbered = numbered and list(map(labels, statute.articles)) == list(map(labels, whole.articles))
        if 2 <= len(texts) <= most and not tabular and numbered and statute.edition.effective:
            found.append(statute)
        if len(found) == count:
            break
    return found


def read_back(path: Path) -> Statute | None:
    """Read a PDF; None where it is refused, which is said."""
    try:
        return read_pdf(path)
    except SourceError as error:
        print(f"refused: {error}")
        return None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=320, help="statutes")
    parser.add_argument("--most", type=int, default=200, help="articles of a statute")
    parser.add_argument("--scans", type=int, default=0)
    parser.add_argument("--dpi", type=int, default=200)
    parser.add_argument("--askew", type=float, default=0.4)
    parser.add_argument("--pages", type=int, default=1)
    args = parser.parse_args()
    tallies: dict[str, Tally] = defaultdict(Tally)
    started = time.process_time()
    with TemporaryDirectory() as folder:
        for i, statute in enumerate(sample(args.folder, args.scans or args.count, args.most)):
            setting = SETTINGS[i % len(SETTINGS)]
            path = print_set(Path(folder) / f"{i}.pdf", statute, setting)
            if args.scans:
                path = scan(path, Path(folder) / f"{i} scan.pdf", dpi=args.dpi, askew=args.askew, pages=args.pages)
            got = read_back(path)
            only = last_whole(statute, got) if args.scans else None
            before = tallies[setting.name].exact, tallies[setting.name].articles
            compare(tallies[setting.name], statute, got, only)
            after = tallies[setting.name].exact, tallies[setting.name].articles
            if after[0] - before[0] < after[1] - before[1]:
                print(f"# {statute.edition.title} ({setting.name}): {after[0] - before[0]} of {after[1] - before[1]}")
            path.unlink()
            if i % 20 == 19 or args.scans:
                print(f"# {i + 1} statutes, {time.process_time() - started:.0f} s", flush=True)
    print("| layout | statutes | articles | found | 항ㆍ호ㆍ목 kept | exact | spaces, too | character errors |")
    print("|---|---|---|---|---|---|---|---|")
    total = Tally()
    for name, tally in tallies.items():
        print(tally.row(name))
        total = Tally(*(getattr(total, f) + getattr(tally, f) for f in Tally.__dataclass_fields__))
    print(total.row("all"))


if __name__ == "__main__":
    main()
