"""Whether a space stood where a line of Korean text was broken inside the text's full width.

Two witnesses: how the same characters stand elsewhere in the document, and a table of weights learnt from the statute
book (`pdf_spacing_train.py`), which answers for what the document shows nowhere else.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

TABLE = Path(__file__).with_name("pdf_spacing.tsv")

GRAMS = tuple((n, m) for n in range(5) for m in range(5) if 0 < n + m <= 5)
"""Lengths of what stands left and right of a break, as the table's weights look at it."""

_CONTEXTS = ((4, 2), (3, 3), (2, 4), (3, 2), (2, 3), (2, 2), (3, 1), (1, 3), (2, 1), (1, 2))
_TRUST = 2.0  # how much more the document's own usage counts than the table; measured on PDFs with a known text


def grams(left: str, right: str) -> Iterator[tuple[str, str]]:
    """Yield what the table has weights for, around a break between two texts; ^ and $ are the texts' ends."""
    left, right = "^" + left[-6:], right[:6] + "$"
    for n, m in GRAMS:
        if len(left) >= n and len(right) >= m:
            yield left[len(left) - n :], right[:m]


@lru_cache(maxsize=1)
def _weights() -> dict[tuple[str, str], float]:
    """Read the table: left, right, weight in tenths; the row without characters holds the bias."""
    weights = {}
    for row in TABLE.read_text("utf-8").rstrip("\n").split("\n"):
        left, right, weight = row.split("\t")
        weights[left, right] = int(weight) / 10
    return weights


@dataclass(frozen=True)
class Spacing:
    """What a document's own lines show: how often the neighbours of a break stand together, and how often apart."""

    together: Counter[tuple[str, str]]
    apart: Counter[tuple[str, str]]

    @classmethod
    def learn(cls, texts: Sequence[str]) -> Spacing:
        """Count, within lines, what stands around the ends of lines."""
        wanted = {(left[-n:], right[:m]) for left, right in pairwise(texts) for n, m in _CONTEXTS}
        borders = {left[-1:] + right[:1] for left, right in wanted}
        together: Counter[tuple[str, str]] = Counter()
        apart: Counter[tuple[str, str]] = Counter()
        for text in texts:
            for i in range(1, len(text)):
                end = i - 1 if text[i - 1] == " " else i
                if text[end - 1 : end] + text[i] not in borders:
                    continue
                counts = together if end == i else apart
                pairs = {(text[max(0, end - n) : end], text[i : i + m]) for n, m in _CONTEXTS}
                counts.update(pairs & wanted)
        return cls(together, apart)

    def space_between(self, left: str, right: str) -> bool:
        """Whether a space belongs between the end of one line and the start of the next."""
        weights = _weights()
        score = weights["", ""] + sum(weights.get(gram, 0.0) for gram in grams(left, right))
        return score + _TRUST * self._usage(left, right) > 0

    def _usage(self, left: str, right: str) -> float:
        """Log odds of a space by the longest neighbourhood that the document has elsewhere; 0 if it has none."""
        for n, m in _CONTEXTS:
            pair = (left[-n:], right[:m])
            together, apart = self.together[pair], self.apart[pair]
            if together + apart:
                return math.log((apart + 0.3) / (together + 0.3)) * min(n + m, 5) / 5
        return 0.0
