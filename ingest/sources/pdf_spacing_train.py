"""Makes pdf_spacing.tsv from a statute book in Markdown: `python -m ingest.sources.pdf_spacing_train kr`.

A logistic regression with an L1 penalty over breaks sampled from the articles' text; its weights that are not zero
are the table. Needs scikit-learn, which the reader itself does not.
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ingest.sources.markdown import read_markdown
from ingest.sources.pdf_lines import splits
from ingest.sources.pdf_spacing import TABLE, grams
from rag.errors import SourceError

HELD_OUT = frozenset(
    [
        "개인정보보호법",
        "근로기준법",
        "데이터기반행정활성화에관한법률",
        "부동산등기법",
        "소액사건심판법",
        "주민등록법",
        "주택임대차보호법",
        "형법",
    ]
)
"""Statutes on which the reader is measured; they teach it nothing."""

FILES, BREAKS, BREAKS_A_LINE, RARE = 2400, 2_500_000, 8, 25

Break = tuple[str, str, bool]


def statute_lines(folder: Path) -> Iterator[str]:
    """Yield lines of articles in the notation of law.go.kr's prints, from a random part of the book."""
    files = sorted(file for file in folder.glob("*/*.md") if file.parent.name not in HELD_OUT)
    random.shuffle(files)
    for file in files[:FILES]:
        try:
            statute = read_markdown(file)
        except SourceError as error:
            print(error, file=sys.stderr)
            continue
        for article in statute.articles:
            yield from (_as_printed(line) for line in article.text.splitlines() if len(line) > 20 and "│" not in line)


def _as_printed(line: str) -> str:
    line = re.sub(r"(?<=\d{4})\.(\d{1,2})\.(\d{1,2})(?=[,>\]])", r". \1. \2.", line.strip())
    return re.sub(r"(^|[\s(「ㆍ,])\"", r"\1“", line).replace('"', "”")


def breaks(lines: Iterable[str]) -> Iterator[Break]:
    """Yield places where a line could be broken, with what stands there in truth."""
    for text in lines:
        ends = (i - 1 if text[i - 1] == " " else i for i in range(2, len(text) - 1) if text[i] != " ")
        places = [end for end in ends if splits(text[end - 1])]
        for end in random.sample(places, min(len(places), BREAKS_A_LINE)):
            spaced = text[end] == " "
            yield text[max(0, end - 8) : end], text[end + spaced : end + 8], spaced


def train(samples: list[Break]) -> dict[tuple[str, str], int]:
    """Return the weights, in tenths, that are not zero; the bias under two empty texts."""
    import numpy
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
    from sklearn.linear_model import SGDClassifier  # type: ignore[import-untyped]

    counts = Counter(gram for left, right, _ in samples for gram in grams(left, right))
    index = {gram: i for i, gram in enumerate(gram for gram, count in counts.items() if count >= RARE)}
    columns: list[int] = []
    rows = [0]
    for left, right, _ in samples:
        columns += [index[gram] for gram in grams(left, right) if gram in index]
        rows.append(len(columns))
    ones = numpy.ones(len(columns), numpy.float32)
    table = csr_matrix((ones, numpy.array(columns), numpy.array(rows)), shape=(len(samples), len(index)))
    model = SGDClassifier(loss="log_loss", penalty="l1", alpha=1e-5, max_iter=6, tol=None, random_state=0)
    model.fit(table, [spaced for _, _, spaced in samples])
    weights = {gram: round(10 * model.coef_[0][i]) for gram, i in index.items()}
    kept = {gram: weight for gram, weight in sorted(weights.items()) if weight and "\t" not in "".join(gram)}
    return {("", ""): round(10 * model.intercept_[0])} | kept


def main(folder: str) -> None:
    """Train on a folder of Markdown statutes and write the table."""
    random.seed(2)
    lines = list(statute_lines(Path(folder)))
    random.shuffle(lines)
    samples = [sample for _, sample in zip(range(BREAKS), breaks(lines), strict=False)]
    weights = train(samples)
    TABLE.write_text("".join(f"{left}\t{right}\t{w}\n" for (left, right), w in weights.items()), "utf-8")
    print(f"{len(samples):,} breaks, {len(weights):,} weights -> {TABLE.name}")


if __name__ == "__main__":
    main(sys.argv[1])
