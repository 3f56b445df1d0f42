"""What is in the store and what updates changed, as lines for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from ingest.changes import Change, changes, render, summary
from ingest.editions import describe
from rag.errors import LawError
from rag.kept import KeptEdition
from rag.statutes import Edition, normalize_title
from rag.texts import StoredStatute, Texts


def find_statutes(statutes: Sequence[StoredStatute], query: str) -> list[StoredStatute]:
    """Return the statutes whose title or abbreviation holds every word of the query, or whose 법령ID it is."""
    words = [normalize_title(word) for word in query.split()]
    return [
        stored
        for stored in statutes
        if query.strip() == stored.edition.law_id
        or all(word in stored.edition.key or word in normalize_title(stored.edition.abbreviation) for word in words)
    ]


def status_lines(statutes: Sequence[StoredStatute], today: date) -> list[str]:
    """Return what is in, a statute with its editions, dates and counts, and what is pending altogether."""
    lines = [line for stored in statutes for line in _lines_of(stored, today)]
    totals = _totals(statutes, today)
    counts = f"법령 {totals['laws']}, 조문 {totals['articles']}, 조각 {totals['chunks']}"
    lines.append(f"{counts}(남은 임베딩 {totals['pending']})")
    told = (
        ("시행 전의 내용으로 답하는 법령", "answered_from_coming"),
        ("시행 전의 판이 함께 있는 법령", "with_coming"),
    )
    lines += [f"{what} {totals[name]}" for what, name in told if totals[name]]
    return lines


def status_json(statutes: Sequence[StoredStatute], today: date) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "today": today.isoformat(),
        "statutes": [
            {
                **_edition_json(stored.edition, today),
                "articles": stored.articles,
                "addenda": stored.addenda,
                "annexes": stored.annexes,
                "chunks": stored.chunks,
                "pending": stored.pending,
                "previous": _kept_json(stored.previous, today) if stored.previous else None,
                "coming": [_kept_json(kept, today) for kept in stored.coming],
            }
            for stored in statutes
        ],
        "totals": _totals(statutes, today),
    }


def differences(texts: Texts, law: str, *, coming: bool) -> tuple[Edition, Edition, list[Change]]:
    """Return (old edition, new edition, changes): the last update of a statute, or what is `coming`.

    Raises LawError where there is no such statute, or nothing to compare it with.
    """
    stored = texts.find(law)
    if stored is None:
        raise LawError(f"'{law}'은(는) 들어 있지 않습니다. `python -m ingest status`로 이름을 확인해 주십시오.")
    now = texts.statute(stored.edition)
    if coming:
        if not stored.coming:
            raise LawError(f"「{stored.edition.title}」에는 시행 전의 판이 없습니다.")
        then = stored.coming[0]
        return stored.edition, then.edition, changes(now, texts.kept_statute(then))
    if stored.previous is None:
        raise LawError(
            f"「{stored.edition.title}」에는 견줄 이전 판이 없습니다. 갱신하거나 이전 판을 넣으면 견줄 수 있습니다."
        )
    return stored.previous.edition, stored.edition, changes(texts.kept_statute(stored.previous), now)


def difference_lines(old: Edition, new: Edition, found: Sequence[Change]) -> list[str]:
    """Return what changed between two editions, an article after the other."""
    return [f"{new.title}: {describe(old)} → {describe(new)}", *map(render, found), summary(found)]


def difference_json(old: Edition, new: Edition, found: Sequence[Change], today: date) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "old": _edition_json(old, today),
        "new": _edition_json(new, today),
        "changes": [
            {
                "kind": change.kind.name.lower(),
                "article": change.label,
                "heading": change.heading,
                "was": change.was or None,
                "words": [
                    {"before": words.before, "old": words.old, "new": words.new, "after": words.after}
                    for words in change.words
                ],
            }
            for change in found
        ],
    }


def _lines_of(stored: StoredStatute, today: date) -> list[str]:
    edition = stored.edition
    facts = [
        *_facts(edition, today),
        f"조문 {stored.articles}",
        f"부칙 {stored.addenda}" if stored.addenda else "",
        f"별표ㆍ서식 {stored.annexes}" if stored.annexes else "",
        f"아직 임베딩 안 된 조각 {stored.pending}" if stored.pending else "",
    ]
    lines = [f"{edition.title}: {', '.join(fact for fact in facts if fact)}"]
    beside = [("이전 판", stored.previous)] if stored.previous else []
    for what, kept in [*beside, *(("시행 전의 판", kept) for kept in stored.coming)]:
        facts = [*_facts(kept.edition, today), f"조문 {kept.articles}"]
        lines.append(f"    {what}: {', '.join(fact for fact in facts if fact)}")
    return lines


def _facts(edition: Edition, today: date) -> list[str]:
    return [
        edition.kind,
        f"제{edition.number}호" if edition.number else "",
        f"공포 {edition.promulgated}" if edition.promulgated else "",
        f"시행 {edition.effective_text}" if edition.effective else "",
        "아직 시행 전" if edition.coming(today) else "",
        "폐지" if edition.repealed else "",
    ]


def _totals(statutes: Sequence[StoredStatute], today: date) -> dict[str, int]:
    return {
        "laws": len(statutes),
        "articles": sum(stored.articles for stored in statutes),
        "chunks": sum(stored.chunks for stored in statutes),
        "pending": sum(stored.pending for stored in statutes),
        "repealed": sum(stored.edition.repealed for stored in statutes),
        "answered_from_coming": sum(stored.edition.coming(today) for stored in statutes),
        "with_coming": sum(bool(stored.coming) for stored in statutes),
    }


def _kept_json(kept: KeptEdition, today: date) -> dict[str, Any]:
    return {**_edition_json(kept.edition, today), "articles": kept.articles}


def _edition_json(edition: Edition, today: date) -> dict[str, Any]:
    state = "repealed" if edition.repealed else "coming" if edition.coming(today) else "in_force"
    return {
        "law": edition.title,
        "law_id": edition.law_id or None,
        "kind": edition.kind or None,
        "number": edition.number or None,
        "promulgated": edition.promulgated.isoformat() if edition.promulgated else None,
        "effective": edition.effective.isoformat() if edition.effective else None,
        "state": state,
        "ministries": list(edition.ministries),
        "source": edition.source or None,
    }
