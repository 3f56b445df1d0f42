"""What an edition changed against another, by article: added, removed, moved, changed, with the words that changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum

from rag.statutes import Article, Statute, fold_wording, wording, wording_key

_WORDS = re.compile(r"\s*(?:\w+|[^\w\s])|\s+$")
_CONTEXT = 6
"""Words shown before and after a change."""

_LONGEST = 6_000
"""Words of an article above which it is compared line by line."""


class ChangeKind(Enum):
    """What happened to an article."""

    ADDED = "신설"
    REMOVED = "삭제"
    MOVED = "이동"
    CHANGED = "변경"


@dataclass(frozen=True, slots=True)
class Replacement:
    """Words that were replaced, with what stands around them; `old` or `new` is '' where words only came or went."""

    before: str
    old: str
    new: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one article; `heading` is its new one, or its old one if it is gone. `was` is an old label.

    `old` and `new` are the wordings of a changed one.
    """

    kind: ChangeKind
    label: str
    heading: str
    was: str = ""
    old: str = ""
    new: str = ""

    @property
    def words(self) -> tuple[Replacement, ...]:
        """The words of a changed article that are others now."""
        return tuple(_replacements(self.old, self.new))


def changes(old: Statute, new: Statute) -> list[Change]:
    """Return what `new` changed against `old`, in the order of the articles.

    Amendment marks, spaces and kinds of quotes and dots do not count: sources print them each in their way.
    """
    before, after = ({article.label: article for article in statute.living} for statute in (old, new))
    moved = _moved(before, after)
    found: list[Change] = []
    for label, article in after.items():
        if label in moved:
            found.append(Change(ChangeKind.MOVED, label, article.heading, moved[label]))
        elif label not in before or label in moved.values():
            found.append(Change(ChangeKind.ADDED, label, article.heading))
        elif wording_key(article) != wording_key(before[label]):
            wordings = wording(before[label]), wording(article)
            found.append(Change(ChangeKind.CHANGED, label, article.heading, "", *wordings))
    gone = before.keys() - after.keys() - set(moved.values())
    found += [Change(ChangeKind.REMOVED, label, before[label].heading) for label in before if label in gone]
    places = {article.label: place for place, article in enumerate(new.articles)}
    return sorted(found, key=lambda change: places.get(change.label, len(places)))


def replacements(old: Article, new: Article) -> list[Replacement]:
    """Return the words of an article that another text of it has otherwise."""
    return list(_replacements(wording(old), wording(new)))


def summary(found: Iterable[Change]) -> str:
    """Return how many articles changed in which way: 조문 신설 2, 변경 3."""
    kinds = [change.kind for change in found]
    counts = [f"{kind.value} {kinds.count(kind)}" for kind in ChangeKind if kind in kinds]
    return "조문 " + ", ".join(counts) if counts else "조문 내용은 같음"


def render(change: Change) -> str:
    """Return a change in lines: its heading, then each replacement as … [-옛 말-] {+새 말+} …."""
    head = f"[{change.kind.value}] {change.heading}" + (f" ← {change.was}" if change.was else "")
    return "\n".join([head, *(f"    {_marked(words)}" for words in change.words)])


def _marked(words: Replacement) -> str:
    parts = [f"[-{words.old}-]" if words.old else "", f"{{+{words.new}+}}" if words.new else ""]
    return re.sub(r"\s+", " ", f"…{words.before}{''.join(parts)}{words.after}…").strip()


def _moved(before: dict[str, Article], after: dict[str, Article]) -> dict[str, str]:
    """Return new label -> old label of articles whose wording is the same under another number."""
    old = {label: wording_key(article) for label, article in before.items()}
    new = {label: wording_key(article) for label, article in after.items()}
    gone = {key: label for label, key in old.items() if new.get(label) != key}
    return {label: gone[key] for label, key in new.items() if key in gone and old.get(label) != key}


def _replacements(old: str, new: str) -> Iterator[Replacement]:
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(a), len(b)) > _LONGEST:
        a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    matcher = SequenceMatcher(None, [*map(fold_wording, a)], [*map(fold_wording, b)], autojunk=False)
    for kind, a1, a2, b1, b2 in matcher.get_opcodes():
        if kind == "equal" or fold_wording("".join(a[a1:a2])) == fold_wording("".join(b[b1:b2])):
            continue
        before, after = "".join(a[max(0, a1 - _CONTEXT) : a1]), "".join(a[a2 : a2 + _CONTEXT])
        gone, come = "".join(a[a1:a2]), "".join(b[b1:b2])
        space = re.match(r"\s*", gone or come)
        if space and (not gone or not come or (gone.startswith(space[0]) and come.startswith(space[0]))):
            cut = len(space[0])  # the space before the words stays outside the mark
            before, gone, come = before + space[0], gone[cut:], come[cut:]
        yield Replacement(before, gone, come, after)
