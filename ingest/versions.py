"""Which edition of a statute is answered from on a day, and the editions that one printed text holds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from rag.statutes import UNDETERMINED, Article, Edition, Statute

_STARTS = re.compile(
    r"\[\s*시행일\s*:?\s*(?:(?P<y>\d{4})\.\s*(?P<m>\d{1,2})\.\s*(?P<d>\d{1,2})\.?|미지정)\s*\](?P<what>[^\n]*)"
)
_SECOND = re.compile(r" \[\d+\]$")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of the editions at hand: one is answered from, the one before and those coming are kept."""

    current: Edition
    previous: Edition | None
    coming: tuple[Edition, ...]


def choose(editions: Sequence[Edition], today: date) -> Choice:
    """Return which of a statute's editions, each version once, is answered from on `today`.

    That is the newest that is in force; if none is, the first to come; without any date, the newest. Editions whose
    법령ID is not the newest one's are of another statute that had the same title before, and left out.
    """
    law_id = max((e for e in editions if e.law_id), key=_version, default=editions[0]).law_id
    own = sorted((e for e in editions if e.law_id in ("", law_id)), key=_version)
    dated = [edition for edition in own if edition.effective]
    in_force = [edition for edition in dated if not edition.coming(today)]
    current = in_force[-1] if in_force else dated[0] if dated else own[-1]
    older = [edition for edition in own if edition.version < current.version]
    coming = tuple(edition for edition in own if edition.version > current.version)
    return Choice(current, older[-1] if older else None, coming)


def _version(edition: Edition) -> tuple[date, date, str]:
    return edition.version


def editions_of(statute: Statute) -> list[Statute]:
    """Return the editions that a printed text holds, oldest first.

    law.go.kr prints an article twice, the second time under [시행일: 2027. 1. 1.], where its new text takes effect
    later than the edition does, and new articles under such a mark alone. Each such day begins an edition. Articles
    printed twice without days stay as they were read.
    """
    base = statute.edition.effective
    if base is None:
        return [statute]
    starts = _starts(statute, base)
    days = sorted({day for day in starts.values() if day > base})
    if not days and not any(_SECOND.search(statute.articles[place].label) for place in starts):
        return [statute]
    statutes = [_on(statute, starts, day) for day in (base, *days)]
    return statutes if all(each.articles for each in statutes) else [statute]


def _starts(statute: Statute, base: date) -> dict[int, date]:
    """Return the day from which an article's text holds, by its place, of those that do not simply hold."""
    variants: dict[str, list[int]] = defaultdict(list)
    for place, article in enumerate(statute.articles):
        variants[_SECOND.sub("", article.label)].append(place)
    starts: dict[int, date] = {}
    for label, places in variants.items():
        days = [_day(statute.articles[place], label, whole=len(places) == 1) for place in places]
        if len(places) == 1:
            if days[0] and base < days[0] < UNDETERMINED:  # a day not determined then may have come since
                starts[places[0]] = days[0]
        elif sum(day is None for day in days) <= 1:
            starts |= {place: day or date.min for place, day in zip(places, days, strict=True)}
    return starts


def _day(article: Article, label: str, *, whole: bool) -> date | None:
    """Return the day that an article's mark states; of a mark on parts of it only where `whole` is False."""
    for mark in _STARTS.finditer(article.text):
        part_only = re.search(rf"{label}\s*제\s*\d+\s*[항호]", mark["what"])
        if whole and (part_only or label not in mark["what"]):
            continue
        try:
            return date(int(mark["y"]), int(mark["m"]), int(mark["d"])) if mark["y"] else UNDETERMINED
        except ValueError:
            continue
    return None


def _on(statute: Statute, starts: dict[int, date], day: date) -> Statute:
    """Return the edition of a day: of each article the text that began last until then."""
    texts: dict[str, tuple[date, int]] = {}
    for place, start in starts.items():
        label = _SECOND.sub("", statute.articles[place].label)
        if start <= day and (label not in texts or texts[label][0] <= start):
            texts[label] = (start, place)
    holding = {place for _, place in texts.values()}
    articles = tuple(
        replace(article, label=_SECOND.sub("", article.label)) if place in starts else article
        for place, article in enumerate(statute.articles)
        if place not in starts or place in holding
    )
    warnings = _warnings(statute, starts)
    return replace(
        statute, edition=replace(statute.edition, effective=day), articles=articles, warnings=tuple(warnings)
    )


def _warnings(statute: Statute, starts: dict[int, date]) -> list[str]:
    """Return the warnings less those of articles that come twice for this reason, and say which have days."""
    labels = {_SECOND.sub("", statute.articles[place].label) for place in starts}
    twice = tuple(f"{label}가 " for label in labels)
    days: dict[date, list[str]] = defaultdict(list)
    for place, start in starts.items():
        if start > date.min:
            days[start].append(_SECOND.sub("", statute.articles[place].label))
    return [warning for warning in statute.warnings if not (warning.startswith(twice) and "번 나와" in warning)] + [
        f"{'시행일 미정' if day == UNDETERMINED else f'{day} 시행'}: {', '.join(found[:_SHOWN])}"
        + (f" 등 {len(found)}개 조문" if len(found) > _SHOWN else "")
        + "(시행일에 맞는 내용을 씁니다)"
        for day, found in sorted(days.items())
    ]
