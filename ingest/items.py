"""An invariant of statute texts: where 목 are announced, they follow. Sources have lost all of them before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from ingest.grammar import Depth
from rag.statutes import Article

_ANNOUNCED = re.compile(r"다음 각\s?목")
_FEW = 5


def missing_items(articles: Iterable[Article]) -> list[str]:
    """Return the places (제2조 6.) whose 호 says '다음 각 목' and is followed by none.

    All 11,824 such 호 of the statute book of 2026-06-08 are followed by theirs.
    """
    found = []
    for article in articles:
        lines = [line for paragraph in article.paragraphs for line in paragraph.lines]
        for line, following in zip_longest(lines, lines[1:]):
            announced = line.depth == Depth.SUBPARAGRAPH and _ANNOUNCED.search(line.text)
            if announced and (following is None or (following.label and following.depth <= line.depth)):
                found.append(f"{article.label} {line.label}")
    return found


def warn_of_missing_items(articles: Iterable[Article]) -> list[str]:
    """Return a warning, in Korean, where 목 are announced and none follow."""
    places = missing_items(articles)
    return [f"'다음 각 목'이라 하고 목이 없는 곳이 있습니다: {name_places(places)}"] if places else []


def name_places(places: Sequence[str]) -> str:
    """Return the first few places, and how many there are where there are more."""
    return ", ".join(places[:_FEW]) + (f" 등 {len(places)}곳" if len(places) > _FEW else "")
