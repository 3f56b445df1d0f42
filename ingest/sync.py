"""The job of `python -m ingest sync`: statutes from a server into the store, and what changed since last time.

Downloads are kept below <LAW_HOME>/sync, so that a run that was cut goes on and an archive that has not changed is not
fetched again. What a source brought in is recorded as its own; only the whole, verified statute book removes anything.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
from filelock import FileLock, Timeout

from ingest import openapi, pipeline
from ingest.changes import render
from ingest.fetch import Patience, open_client
from ingest.mirror import check_whole, fetch_book, mirror_address
from ingest.openapi import Api, Listed, find, open_api, text_of
from ingest.pipeline import OnProgress, Outcome, Progress, Result
from rag.embedding import StatuteEmbedder
from rag.errors import LawError, NetworkError, SourceError, StoreBusyError, StoreError
from rag.laws import full_title
from rag.settings import Settings
from rag.statutes import Edition, base_key, normalize_title
from rag.store import StatuteStore

MIRROR = "mirror"
LAWGOKR = "lawgokr"

_MB = 2**20
_PROBE = 3.0
_SHOWN = 20
_GIVE_UP_AFTER = 2  # statutes in a row that the API does not give: then it is down


@dataclass(frozen=True, slots=True)
class Report:
    """What a sync did: where from, what became of each statute, and what else is to be known, in Korean."""

    source: str
    address: str
    commit: str
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()

    def of(self, result: Result) -> list[Outcome]:
        """Return the outcomes of one kind."""
        return [outcome for outcome in self.outcomes if outcome.result is result]


def sync_mirror(
    options: Settings,
    store: StatuteStore,
    embedder: StatuteEmbedder,
    only: Sequence[str] = (),
    *,
    exact: bool = False,
    ref: str = "main",
    on_progress: OnProgress = lambda _: None,
    patience: Patience = Patience(),  # noqa: B008
) -> Report:
    """Bring in the statute book of the mirror, or of it only the named statutes, with their decrees and rules unless
    `exact`.

    Raises NetworkError where the mirror cannot be reached or its archive is not to be trusted, StoreError.
    """
    url = mirror_address(options.mirror_url, ref)
    names = {name: normalize_title(full_title(name)) for name in only}

    def wanted(key: str) -> bool:
        return not names or key in names.values() or (not exact and base_key(key) in names.values())

    with _working_folder(options.home) as (folder, scratch), open_client(patience) as client:
        book = fetch_book(
            client, url, folder / "mirror.tar.gz", scratch, wanted, patience, _bytes_as_progress(on_progress)
        )
        before = len(store.texts.of_origin(MIRROR))
        lacking = [] if names else check_whole(book.keys, options.mirror_least, before)
        outcomes = pipeline.add(
            book.files, store, embedder, options.chunk_tokens, on_progress, MIRROR, whole=not names and not lacking
        )
    outcomes += [_unknown(name, key, book.keys) for name, key in names.items() if key not in book.keys]
    notes = [f"미러에 {', '.join(lacking)}이(가) 없어, 이번에는 없어진 법령을 빼지 않았습니다."] if lacking else []
    return Report(MIRROR, url, book.commit, tuple(outcomes), tuple(notes))


def mirror_answers(options: Settings) -> bool:
    """Whether the mirror can be reached, within a few seconds."""
    with open_client(Patience(silence=_PROBE)) as client:
        try:
            return client.head(mirror_address(options.mirror_url, "main")).status_code < httpx.codes.BAD_REQUEST
        except (httpx.HTTPError, httpx.InvalidURL, LawError):
            return False


def sync_lawgokr(
    options: Settings,
    store: StatuteStore,
    embedder: StatuteEmbedder,
    only: Sequence[str] = (),
    *,
    exact: bool = False,
    on_progress: OnProgress = lambda _: None,
    patience: Patience = Patience(),  # noqa: B008
) -> Report:
    """Bring in the named statutes from the Open API, with their decrees and rules unless `exact`; without names those
    it brought in before.

    Raises SettingsError without a key, NetworkError where the API answers nothing at all.
    """
    names = list(only) or [edition.title for edition in store.texts.of_origin(LAWGOKR)]
    if not names:
        raise LawError("Open API에서 받을 법령을 정해 주십시오(예: --only 민법,형법). 전체 법령집은 미러에서 받습니다.")
    address = options.lawgokr_url
    with _working_folder(options.home) as (_, scratch), open_client(patience, _origin(address)) as client:
        api = open_api(client, address, options.lawgokr_oc, patience)
        failed = _fetch_all(api, names, scratch, on_progress, exact=exact or not only)
        outcomes = pipeline.add(sorted(scratch.iterdir()), store, embedder, options.chunk_tokens, on_progress, LAWGOKR)
    return Report(LAWGOKR, address, "", (*failed, *outcomes))


def as_json(report: Report) -> dict[str, Any]:
    """Return a report for programs: the statutes by what became of them."""
    return {
        "source": report.source,
        "address": report.address,
        "commit": report.commit,
        "added": [_statute(outcome) for outcome in report.of(Result.ADDED)],
        "updated": [_statute(outcome) for outcome in report.of(Result.UPDATED)],
        "coming": [_statute(outcome) for outcome in report.of(Result.COMING)],
        "removed": [_statute(outcome) for outcome in report.of(Result.REMOVED)],
        "unchanged": [outcome.edition.title for outcome in report.of(Result.UNCHANGED) if outcome.edition],
        "passed_over": [_statute(outcome) for outcome in report.of(Result.OLDER)],
        "failed": [{"name": _name(outcome), "message": outcome.message} for outcome in report.of(Result.FAILED)],
        "notes": list(report.notes),
    }


def describe(report: Report, diff: bool = False) -> Iterator[str]:
    """Yield a report as lines: every change, as far as they are few, with `diff` by article and word; the counts."""
    for result in (Result.ADDED, Result.UPDATED, Result.COMING, Result.OLDER, Result.REMOVED, Result.FAILED):
        outcomes = report.of(result)
        shown = outcomes if result in (Result.REMOVED, Result.FAILED) else outcomes[:_SHOWN]
        for outcome in shown:
            yield f"[{result.value}] {outcome.message}"
            yield from (f"    주의: {warning}" for warning in outcome.warnings)
            yield from (textwrap.indent(render(change), "    ") for change in outcome.changes if diff)
        if len(outcomes) > len(shown):
            yield f"[{result.value}] 외 {len(outcomes) - len(shown):,}개(모두 보려면 --json)"
    yield from report.notes
    counts = [f"{result.value} {len(report.of(result)):,}" for result in Result if report.of(result)]
    where = report.address + (f"(커밋 {report.commit[:12]})" if report.commit else "")
    yield f"{where}: {', '.join(counts) or '받은 법령이 없습니다.'}"


@contextmanager
def _working_folder(home: Path) -> Iterator[tuple[Path, Path]]:
    """Yield (folder of downloads, empty folder for this run). Raises StoreBusyError where another sync runs."""
    folder = home / "sync"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock", timeout=0):
            for left in folder.glob("run-*"):  # of a run that was killed
                shutil.rmtree(left)
            with tempfile.TemporaryDirectory(prefix="run-", dir=folder) as scratch:
                yield folder, Path(scratch)
    except Timeout as error:
        raise StoreBusyError("다른 sync가 진행 중입니다. 끝난 뒤 다시 해 주십시오.") from error
    except OSError as error:
        raise StoreError(
            f"{folder}에 쓸 수 없습니다({error.strerror}). 디스크 공간과 권한을 확인해 주십시오."
        ) from error


def _bytes_as_progress(on_progress: OnProgress) -> Any:
    started = time.monotonic()

    def tell(done: int, total: int) -> None:
        rate = done / _MB / (time.monotonic() - started + 1e-9)
        on_progress(Progress("받기", done // _MB, max(total, done) // _MB if total else 0, rate))

    return tell


def _unknown(name: str, key: str, keys: frozenset[str]) -> Outcome:
    near = get_close_matches(key, keys, n=3, cutoff=0.7)
    hint = f" 비슷한 이름: {', '.join(near)}" if near else ""
    return Outcome(name, Result.FAILED, f"'{name}'이라는 법령이 미러에 없습니다.{hint}")


def _fetch_all(api: Api, names: Sequence[str], into: Path, on_progress: OnProgress, *, exact: bool) -> list[Outcome]:
    """Fetch every edition of the named statutes as files; return what failed."""
    today, started = date.today(), time.monotonic()
    failed: list[Outcome] = []
    in_a_row = 0
    for done, name in enumerate(names, 1):
        try:
            if in_a_row >= _GIVE_UP_AFTER:
                raise NetworkError(f"{openapi.NAME}가 거듭 답하지 않아 시도하지 않았습니다.")
            for _, editions in groupby(find(api, full_title(name), today, exact=exact), lambda listed: listed.key):
                in_a_row = 0 if _fetch_statute(api, list(editions), into, today, failed) else in_a_row + 1
        except SourceError as error:
            failed.append(Outcome(name, Result.FAILED, str(error)))
        except NetworkError as error:
            failed.append(Outcome(name, Result.FAILED, f"{name}: {error}"))
            in_a_row += 1
        on_progress(Progress("조회", done, len(names), done / (time.monotonic() - started + 1e-9)))
    return failed


def _fetch_statute(api: Api, editions: list[Listed], into: Path, today: date, failed: list[Outcome]) -> bool:
    """Fetch all editions of a statute, or none: without the one in force, the coming one would pass for it."""
    try:
        texts = [text_of(api, edition, today) for edition in editions]
    except NetworkError as error:
        failed.append(Outcome(editions[0].title, Result.FAILED, f"{editions[0].title}: {error}"))
        return False
    for edition, text in zip(editions, texts, strict=True):
        title = re.sub(r"[^\w ]", "", edition.title)[:40]
        (into / f"{title} {edition.serial} {edition.effective}.xml").write_bytes(text)
    return True


def _origin(address: str) -> str:
    match = re.match(r"https?://[^/]+/", address + "/")
    return match[0] if match else ""


def _name(outcome: Outcome) -> str:
    return f"{outcome.path.parent.name}/{outcome.path.name}" if outcome.path else outcome.name


def _statute(outcome: Outcome) -> dict[str, Any]:
    edition: Edition | None = outcome.edition
    if edition is None:
        return {"law": outcome.name, "message": outcome.message}
    return {
        "law": edition.title,
        "kind": edition.kind,
        "number": edition.number,
        "promulgated": edition.promulgated.isoformat() if edition.promulgated else None,
        "effective": edition.effective.isoformat() if edition.effective else None,
        "message": outcome.message,
        "warnings": list(outcome.warnings),
    }
