"""Brings the editions read from files together with those in the store: which one is answered from, which are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from pathlib import Path

from ingest.changes import Change, changes, summary
from ingest.chunking import CountTokens, chunk_statute
from ingest.items import missing_items, name_places
from ingest.links import links_of
from ingest.versions import Choice, choose
from rag.characters import file_name
from rag.errors import SourceError
from rag.statutes import Edition, Statute
from rag.texts import Texts


class Result(Enum):
    """What became of a file."""

    ADDED = "추가"
    UPDATED = "갱신"
    COMING = "시행 전"
    UNCHANGED = "그대로"
    OLDER = "건너뜀"
    REMOVED = "삭제"
    FAILED = "실패"


_ORDER = (Result.FAILED, Result.REMOVED, Result.UPDATED, Result.ADDED, Result.COMING, Result.UNCHANGED, Result.OLDER)
"""Of the several editions a file can hold the one that is told of: the first of these."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file, said in Korean by `message`; `changes` are against the edition it took the place of."""

    name: str
    result: Result
    message: str
    edition: Edition | None = None
    articles: int = 0
    warnings: tuple[str, ...] = ()
    path: Path | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """An edition at hand, in a file (`path`) or in the store; `load` reads its text.

    Only this is kept while files are read; the texts of a whole statute book would fill the memory.
    """

    edition: Edition
    fingerprint: str
    load: Callable[[], Statute]
    path: Path | None = None

    @classmethod
    def read(cls, statute: Statute, path: Path | None = None) -> Held:
        """Return an edition whose text stays in memory."""
        return cls(statute.edition, statute.fingerprint(), lambda: statute, path)

    @property
    def name(self) -> str:
        """The name of its file, '' for one in the store."""
        return file_name(self.path.name) if self.path else ""


def group_by_statute(held: Iterable[Held]) -> list[list[Held]]:
    """Group editions by title, in the order they come."""
    groups: dict[str, list[Held]] = {}
    for each in held:
        groups.setdefault(each.edition.key, []).append(each)
    return list(groups.values())


def bring_in(
    offered: Sequence[Held], texts: Texts, count_tokens: CountTokens, window: int, today: date, origin: str = ""
) -> list[Outcome]:
    """Bring editions of one statute in and return what became of each file, the one answered from first.

    The edition in force on `today` is answered from; coming ones and the one before are kept with it. `origin` is the
    source they came from, '' for a user's own files.
    """
    try:
        plan = _plan(offered, texts, today)
    except _RefusedError as refused:
        rest = [held for held in offered if held.path != refused.held.path]
        return [refused.outcome(), *(bring_in(rest, texts, count_tokens, window, today, origin) if rest else [])]
    if plan.stored and not texts.origin(plan.stored):
        origin = ""  # what a user brought in stays the user's, whoever has a newer text of it
    _write(plan, texts, count_tokens, window, origin)
    outcomes = _outcomes(offered, plan, today)
    if plan.stored and not origin and any(outcome.result in (Result.UNCHANGED, Result.COMING) for outcome in outcomes):
        texts.own(plan.stored)
    return outcomes


def weigh(offered: Sequence[Held], texts: Texts, today: date) -> Outcome:
    """Return what would become of a file that holds these editions, without bringing it in."""
    try:
        return _outcomes(offered, _plan(offered, texts, today), today)[0]
    except _RefusedError as refused:
        return refused.outcome()


def due(texts: Texts, today: date) -> list[Edition]:
    """Return the kept editions that have to take the place of the one answered from, since their day has come."""
    kept = texts.kept()
    editions = {edition.key: edition for edition in texts.editions()} if kept else {}
    choices = (
        (editions[key], choose([editions[key], *(k.edition for k in found)], today).current)
        for key, found in kept.items()
        if key in editions
    )
    return [chosen for current, chosen in choices if chosen is not current]


def promote(texts: Texts, count_tokens: CountTokens, window: int, today: date) -> list[Outcome]:
    """Let every kept edition whose day has come take the place of the one answered from; return which did."""
    outcomes = []
    for edition in due(texts, today):
        plan = _plan([], texts, today, edition)
        _write(plan, texts, count_tokens, window)
        if plan.statute:
            said = f"{edition.title}: {edition.effective_text}에 시행된 내용으로 바꾸었습니다({summary(plan.changes)})."
            counted = plan.articles
            outcomes.append(Outcome(edition.source, Result.UPDATED, said, edition, counted, changes=plan.changes))
    return outcomes


def stored_editions(texts: Texts, edition: Edition) -> tuple[list[Held], list[Held]]:
    """Return what the store has of an edition's statute: the edition answered from ([] if none) and those kept."""
    found = texts.stored_version(edition)
    if found is None:
        return [], []
    current = found[0]
    kept = [
        Held(k.edition, k.fingerprint, lambda k=k: texts.kept_statute(k))  # type: ignore[misc]
        for k in texts.kept(current).get(current.key, ())
    ]
    return [Held(current, found[1], lambda: texts.statute(current))], kept


class _RefusedError(Exception):
    """A file whose text cannot be read, or must not take the place of the stored one."""

    def __init__(self, held: Held, message: str):
        super().__init__(message)
        self.held = held

    def outcome(self) -> Outcome:
        return Outcome(self.held.name, Result.FAILED, str(self), self.held.edition, path=self.held.path)


def _by_version(stored: Iterable[Held], offered: Iterable[Held]) -> dict[tuple[object, ...], Held]:
    """Return the editions at hand, one of each version.

    Of one version the text that carries its 법령ID is the better source, then the one that comes in; the last resort
    makes runs repeat.
    """
    found: dict[tuple[object, ...], Held] = {}
    for held in sorted(offered, key=lambda held: (bool(held.edition.law_id), held.fingerprint)):
        found[held.edition.version] = held
    for held in stored:
        other = found.get(held.edition.version)
        if other is None or other.fingerprint == held.fingerprint or (held.edition.law_id and not other.edition.law_id):
            found[held.edition.version] = held
    return found


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be written: `statute` where the edition answered from changes, `others` where those kept do.

    `own` are the editions at hand by version, `stored` the one answered from so far, `changes` are against it.
    """

    own: dict[tuple[object, ...], Held]
    choice: Choice
    stored: Edition | None
    statute: Statute | None = None
    others: tuple[Statute, ...] | None = None
    changes: tuple[Change, ...] = ()

    @property
    def articles(self) -> int:
        """How many articles the edition has that is to be answered from, less the deleted ones."""
        return len(self.statute.living) if self.statute else 0


def _plan(offered: Sequence[Held], texts: Texts, today: date, of: Edition | None = None) -> _Plan:
    """Weigh the editions offered of one statute, that of `of` where none is, with those in the store."""
    stored, kept = stored_editions(texts, of or offered[0].edition)
    own = _by_version([*stored, *kept], offered)
    choice = choose([held.edition for held in own.values()], today)
    current = own[choice.current.version]
    wanted = [own[edition.version] for edition in (choice.previous, *choice.coming) if edition]
    law_id = choice.current.law_id or next((held.edition.law_id for held in wanted if held.edition.law_id), "")
    plan = _Plan(own, choice, stored[0].edition if stored else None)
    if current not in stored:
        statute = _load(current, law_id)
        if not stored or stored[0].fingerprint != statute.fingerprint():
            before = stored[0].load() if stored else None
            _check_items(current, statute, before)
            plan = replace(plan, statute=statute, changes=tuple(changes(before, statute)) if before else ())
    if plan.statute or {held.fingerprint for held in wanted} != {held.fingerprint for held in kept}:
        others = [_load(held, law_id) for held in wanted]
        for held, statute in zip(wanted, others, strict=True):
            if held.path and stored and held.edition.version > stored[0].edition.version:
                _check_items(held, statute, stored[0].load())
        plan = replace(plan, others=tuple(others))
    return plan


def _check_items(held: Held, statute: Statute, stored: Statute | None) -> None:
    """Refuse a text that lost 목 which the stored one has: sources have lost all of them before."""
    places = missing_items(statute.articles)
    if held.path and stored and len(places) > len(missing_items(stored.articles)):
        raise _RefusedError(
            held,
            f"{held.edition.title}: 새 글({describe(held.edition)})에서 '다음 각 목'의 목이 사라져"
            f"({name_places(places)}) 지금 글을 그대로 둡니다. 자료원이 고쳐진 뒤 다시 넣어 주십시오.",
        )


def _write(plan: _Plan, texts: Texts, count_tokens: CountTokens, window: int, origin: str | None = None) -> None:
    if plan.statute:
        chunks = chunk_statute(plan.statute, count_tokens, window)
        texts.put(plan.statute, chunks, links_of(plan.statute), origin, plan.others)
    elif plan.stored and plan.others is not None:
        texts.keep(plan.stored, plan.others)


def _load(held: Held, law_id: str) -> Statute:
    """Read an edition. A source without 법령ID must not change the ids of articles that have one."""
    try:
        statute = held.load()
    except SourceError as error:
        raise _RefusedError(held, str(error)) from error
    return replace(statute, edition=replace(statute.edition, law_id=statute.edition.law_id or law_id))


# What is told of a file


def _outcomes(offered: Sequence[Held], plan: _Plan, today: date) -> list[Outcome]:
    """Return what becomes of each file; of one with several editions, what becomes of the first of `_ORDER`."""
    outcomes: dict[Path | None, Outcome] = {}
    for held in offered:
        outcome = _outcome(held, plan, today)
        before = outcomes.get(held.path)
        if before is None or _ORDER.index(outcome.result) <= _ORDER.index(before.result):
            outcomes[held.path] = outcome
    return sorted(outcomes.values(), key=lambda outcome: _ORDER.index(outcome.result))


def _outcome(held: Held, plan: _Plan, today: date) -> Outcome:
    edition, choice, winner = held.edition, plan.choice, plan.own[held.edition.version]
    if winner is not held and winner.path:
        same = winner.fingerprint == held.fingerprint
        what = "같은 내용의 파일이 함께 있습니다." if same else f"같은 판이 {winner.name}에도 있어 그쪽을 씁니다."
        return Outcome(held.name, Result.OLDER, f"{edition.title}: {what}", edition, path=held.path)
    is_current = edition.version == choice.current.version
    if winner is not held or (is_current and plan.statute is None):
        message = f"{edition.title}: 이미 들어 있습니다."
        return Outcome(held.name, Result.UNCHANGED, message, edition, path=held.path)
    if is_current and plan.statute:
        result = Result.UPDATED if plan.stored else Result.ADDED
        said, warnings = _brought_in(plan, today), plan.statute.warnings
        return Outcome(held.name, result, said, edition, plan.articles, warnings, held.path, plan.changes)
    if edition in choice.coming:
        undetermined = edition.effective_text == "미정"
        when = "시행일이 정해지면 다시 받아 주십시오" if undetermined else "그날부터 이 내용으로 답합니다"
        message = f"{edition.title}: 시행 전의 판으로 함께 둡니다({describe(edition)}). {when}."
        return Outcome(held.name, Result.COMING, message, edition, path=held.path)
    together = plan.own[choice.current.version].path is not None
    why = (
        "같은 법령의 더 새로운 판이 함께 있어 건너뜁니다" if together else "더 새로운 판이 이미 들어 있어 그대로 둡니다"
    )
    beside = " 달라진 점을 견줄 수 있게 바로 앞의 판으로 둡니다." if edition == choice.previous else ""
    message = f"{edition.title}: {why}({describe(choice.current)}).{beside}"
    return Outcome(held.name, Result.OLDER, message, edition, path=held.path)


def _brought_in(plan: _Plan, today: date) -> str:
    edition, coming = plan.choice.current, plan.choice.coming
    message = f"{edition.title}: 조문 {plan.articles}개({describe(edition)})"
    if plan.stored:
        message += f", 전에는 {describe(plan.stored)}. 달라진 점: {summary(plan.changes)}"
    if edition.repealed:
        message += ". 폐지된 법령이라 조문을 들어 물을 때만 보입니다"
    if edition.coming(today):
        message += ". 시행일이 아직 오지 않은 내용이 있습니다. 시행 중인 판이 없어 이 내용으로 답합니다"
    elif coming:
        message += f". 시행 전의 판을 함께 둡니다(시행 {', '.join(each.effective_text for each in coming)})"
    return message + "."


def describe(edition: Edition) -> str:
    """Return what an edition is, as far as known: 법률 제21472호, 2027-01-01 시행."""
    parts = [edition.designation, edition.effective_phrase if edition.effective else ""]
    return ", ".join(part for part in parts if part) or "날짜를 알 수 없는 판"
