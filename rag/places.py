"""The grammar of what follows an article: 항, 호 and 목, alone, in lists and in ranges ('제1항제2호가목 및 나목')."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.statutes import CIRCLED

ITEMS = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호"
"""The order in which 목 are lettered."""

_PARAGRAPH = re.compile(rf"\s*(?:의\s*)?(?:(?:제\s*)?(?P<number>\d{{1,2}})\s*항(?!목)|(?P<circled>[{CIRCLED}]))")
_COUNT = r"(?!\d|\s*(?:항|호|목|개|명|가지))"
_SUBPARAGRAPH = re.compile(
    rf"\s*(?:의\s*)?(?:제\s*)?(?P<number>\d{{1,3}})(?:\s*의\s*(?P<inner>\d{{1,2}}))?\s*호(?![실선텔])"
    rf"(?:\s*의\s*(?P<branch>\d{{1,2}}){_COUNT})?"
)
_ITEM = re.compile(
    rf"\s*(?:의\s*)?(?P<letter>[{ITEMS}])\s*목(?![적록표차격])(?:\s*의\s*(?P<branch>\d{{1,2}}){_COUNT})?"
)
_AND = re.compile(r"\s*(?:,\s*(?:및|또는)?|[ㆍ·]|및|와|과|또는|이나|나|하고|이랑|랑)")
_TO = re.compile(r"\s*(?:부터|내지|에서|[-~〜～∼–—‐−])")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in an article: 항 and, below it or without one, 호 ('2', '2의2') and 목 ('가', '가의2')."""

    paragraph: int | None = None
    subparagraph: str | None = None
    item: str | None = None

    def render(self) -> str:
        """Return the place as statutes write it: 제1항제2호의2가목."""
        parts = [f"제{self.paragraph}항"] if self.paragraph else []
        if self.subparagraph:
            number, _, branch = self.subparagraph.partition("의")
            parts.append(f"제{number}호" + (f"의{branch}" if branch else ""))
        if self.item:
            letter, _, branch = self.item.partition("의")
            parts.append(f"{letter}목" + (f"의{branch}" if branch else ""))
        return "".join(parts)


def read_places(text: str, start: int) -> tuple[list[tuple[Place, int]], int]:
    """Return the places that stand in `text` at `start`, each with its end, and where they end altogether."""
    first = _read_one(text, start, Place())
    if first is None:
        return [], start
    found = [first]
    while following := _following(text, *found[-1]):
        found += following
    unique = dict(reversed(found))  # the first of equal ones keeps its end
    return [(place, unique[place]) for place in dict.fromkeys(place for place, _ in found)], found[-1][1]


def _following(text: str, last: Place, end: int) -> list[tuple[Place, int]]:
    """Return what is joined to the place that ends at `end`: one place, or all of a range but its first."""
    for joint in (_AND, _TO):
        match = joint.match(text, end)
        further = _read_one(text, match.end(), last) if match else None
        if further is None:
            continue
        if joint is _AND:
            return [further]
        return [(place, further[1]) for place in _between(last, further[0])]
    return []


def _read_one(text: str, position: int, base: Place) -> tuple[Place, int] | None:
    """Read one place. What is not said of it is as in `base`: after 제1항제2호, '제3호' is in 제1항 too."""
    paragraph, subparagraph, item = base.paragraph, base.subparagraph, base.item
    start = position
    if match := _PARAGRAPH.match(text, position):
        number = CIRCLED.index(match["circled"]) + 1 if match["circled"] else int(match["number"])
        if not number:
            return None
        paragraph, subparagraph, item, position = number, None, None, match.end()
    if match := _SUBPARAGRAPH.match(text, position):
        branch = match["branch"] or match["inner"]
        subparagraph = str(int(match["number"])) + (f"의{int(branch)}" if branch else "")
        item, position = None, match.end()
    if subparagraph and (match := _ITEM.match(text, position)):
        item = match["letter"] + (f"의{int(match['branch'])}" if match["branch"] else "")
        position = match.end()
    return (Place(paragraph, subparagraph, item), position) if position > start else None


def _between(first: Place, last: Place) -> list[Place]:
    """Return the places after `first` up to `last`; `last` alone where they are not numbers of one kind."""
    if first.item and last.item and (first.paragraph, first.subparagraph) == (last.paragraph, last.subparagraph):
        letters = ITEMS[ITEMS.index(first.item[0]) + 1 : ITEMS.index(last.item[0])]
        middle = [Place(last.paragraph, last.subparagraph, letter) for letter in letters]
    elif first.subparagraph and last.subparagraph and not last.item and first.paragraph == last.paragraph:
        numbers = range(int(first.subparagraph.split("의")[0]) + 1, int(last.subparagraph.split("의")[0]))
        middle = [Place(last.paragraph, str(number)) for number in numbers]
    elif first.paragraph and last.paragraph and not last.subparagraph:
        middle = [Place(number) for number in range(first.paragraph + 1, last.paragraph)]
    else:
        middle = []
    return [*middle, last]
