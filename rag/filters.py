"""What a question is narrowed to: some statutes, some kinds of them, those of some ministries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rag.errors import LawError
from rag.laws import Laws
from rag.statutes import Edition, normalize_title

CODES = ("헌법", "법률", "대통령령", "총리령", "부령", "규칙")
"""Kinds as they rank. 부령 and 규칙 stand for those of every ministry and body (국토교통부령, 대법원규칙)."""

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Filter:
    """What may be among the hits: every side that is not empty has to hold.

    `statutes` are titles or abbreviations, `kinds` as editions state them or as in `CODES`, `ministries` as editions
    state them.
    """

    statutes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    ministries: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.statutes or self.kinds or self.ministries)


EVERYTHING = Filter()


def kind_of(edition: Edition) -> str:
    """Return the one of `CODES` that an edition's kind belongs to, or the kind itself."""
    return next((code for code in CODES if edition.kind == code), "") or next(
        (code for code in CODES[-2:] if edition.kind.endswith(code)), edition.kind
    )


def kinds_among(editions: Iterable[Edition]) -> list[str]:
    """Return the kinds that can be chosen among some editions, as they rank."""
    found = {kind_of(edition) for edition in editions} - {""}
    return [code for code in CODES if code in found] + sorted(found - set(CODES))


def admitted(wanted: Filter, laws: Laws) -> frozenset[str] | None:
    """Return the keys of the statutes a filter lets through, None where it lets everything through.

    Raises LawError where it names a statute, kind or ministry that none at hand has, or where nothing is left: a
    filter that finds nothing is never passed over.
    """
    if not wanted:
        return None
    editions = laws.editions
    keys = [(name, laws.resolve(name) or normalize_title(name)) for name in wanted.statutes]
    _complain("법령", (name for name, key in keys if key not in editions))
    kinds = {edition.kind for edition in editions.values()} | {kind_of(edition) for edition in editions.values()}
    _complain("법령 종류", (kind for kind in wanted.kinds if kind not in kinds))
    ministries = {ministry for edition in editions.values() for ministry in edition.ministries}
    _complain("소관부처", (name for name in wanted.ministries if name not in ministries))
    named = {key for _, key in keys}
    left = frozenset(key for key, edition in editions.items() if _passes(edition, wanted, named))
    if not left:
        raise LawError("고른 범위(법령, 종류, 소관부처)에 모두 맞는 법령이 없습니다. 범위를 넓혀 다시 물어보십시오.")
    return left


def _passes(edition: Edition, wanted: Filter, named: set[str]) -> bool:
    return (
        (not named or edition.key in named)
        and (not wanted.kinds or edition.kind in wanted.kinds or kind_of(edition) in wanted.kinds)
        and (not wanted.ministries or not set(wanted.ministries).isdisjoint(edition.ministries))
    )


def _complain(what: str, missing: Iterable[str]) -> None:
    names = list(missing)
    if names:
        more = f" 외 {len(names) - _MOST_NAMED}개" if len(names) > _MOST_NAMED else ""
        raise LawError(f"고른 {what} '{', '.join(names[:_MOST_NAMED])}'{more}이(가) 수록되어 있지 않습니다.")
