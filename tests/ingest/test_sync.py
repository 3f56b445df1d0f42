"""A sync from start to end: a server, the shipped model, a store, and what changed since last time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ingest.mirror import MUST_HAVE
from ingest.pipeline import Result, add
from ingest.sources.files import read_file
from ingest.sync import Report, as_json, describe, sync_lawgokr, sync_mirror
from rag.embedding import StatuteEmbedder
from rag.errors import LawError, NetworkError, StoreBusyError
from rag.settings import Settings
from rag.statutes import Line, Paragraph
from rag.store import StatuteStore
from tests.ingest.site import Answer, Site, pack_book, serve
from tests.ingest.test_cli import run
from tests.ingest.test_fetch import EAGER
from tests.ingest.test_openapi import HTML, LawGoKr
from tests.samples import MINI, mini

ELDERS = "대한노인회지원에관한법률"
ACT, DECREE, RULE = (f"대한노인회 지원에 관한 법률{suffix}" for suffix in ("", " 시행령", " 시행규칙"))
Files = dict[str, str | bytes]


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


@pytest.fixture
def book(statute_book: Path) -> Files:
    """A small statute book: a real act with decree and rule, and a stub of every act that none may lack."""
    files: Files = {
        f"kr/{name}/법률.md": MINI.format(
            title=name,
            law_id=str(700_000 + n),
            number="1",
            promulgated="2020-01-01",
            effective="2020-01-01",
            penalty=".",
        ).split("##### 제2조")[0]
        for n, name in enumerate(("대한민국헌법", *MUST_HAVE))
    }
    for path in (statute_book / ELDERS).iterdir():
        files[f"kr/{ELDERS}/{path.name}"] = path.read_bytes()
    return files


@pytest.fixture
def options(site: Site, store: StatuteStore) -> Settings:
    return Settings(
        _env_file=None,
        home=store.home,
        mirror_url=site.address + "/tar.gz",
        mirror_least=40,
        lawgokr_url=site.address + "/DRF",
        lawgokr_oc="someone",
    )


@pytest.fixture
def sync(site: Site, options: Settings, store: StatuteStore, embedder: StatuteEmbedder) -> Callable[..., Report]:
    """Serves a book and syncs with it."""

    def run_it(files: Files | None = None, only: tuple[str, ...] = (), exact: bool = False) -> Report:
        if files is not None:
            data = pack_book(files)
            site.say("/tar.gz/main", Answer(data, etag=f'"{hash(data)}"'))
        return sync_mirror(options, store, embedder, only, exact=exact, patience=EAGER)

    return run_it


def told(report: Report) -> dict[Result, set[str]]:
    return {
        result: {outcome.edition.title if outcome.edition else outcome.name for outcome in report.of(result)}
        for result in Result
        if report.of(result)
    }


def titles(store: StatuteStore) -> set[str]:
    return {edition.title for edition in store.texts.editions()}


def changed(files: Files, path: str, old: str, new: str) -> Files:
    text = files[path]
    assert isinstance(text, bytes)
    assert old in text.decode()
    return files | {path: text.decode().replace(old, new).encode()}


def test_the_whole_book_and_what_changed_since(sync: Callable[..., Report], store: StatuteStore, book: Files) -> None:
    first = sync(book)
    assert first.commit == "c" * 40
    assert {result: len(found) for result, found in told(first).items()} == {Result.ADDED: len(book)}
    assert store.texts.counts()[3] == 0

    again = sync()
    assert {result: len(found) for result, found in told(again).items()} == {Result.UNCHANGED: len(book)}

    date_line = read_date(book, f"kr/{ELDERS}/법률.md")
    book = changed(book, f"kr/{ELDERS}/법률.md", date_line, "시행일자: 2026-05-01")
    del book[f"kr/{ELDERS}/시행규칙.md"]
    book["kr/새법/법률.md"] = str(book["kr/민법/법률.md"]).replace("민법", "새법").replace("7000", "8000")
    third = told(sync(book))
    unchanged = third.pop(Result.UNCHANGED)
    assert third == {Result.ADDED: {"새법"}, Result.UPDATED: {ACT}, Result.REMOVED: {RULE}}
    assert len(unchanged) == len(book) - 2
    assert RULE not in titles(store)
    assert store.vector_count() == store.texts.counts()[2]


def read_date(files: Files, path: str) -> str:
    text = files[path]
    assert isinstance(text, bytes)
    return next(line for line in text.decode().splitlines() if line.startswith("시행일자:"))


def test_a_book_that_lacks_a_great_act_removes_nothing(
    sync: Callable[..., Report], store: StatuteStore, book: Files
) -> None:
    sync(book)
    for path in (f"kr/{ELDERS}/시행규칙.md", "kr/주택법/법률.md"):
        del book[path]
    report = sync(book)
    assert Result.REMOVED not in told(report)
    assert "주택법이(가) 없어" in report.notes[0]
    assert {RULE, "주택법"} <= titles(store)


def test_a_book_that_shrank_or_is_damaged_changes_nothing(
    sync: Callable[..., Report], store: StatuteStore, book: Files, site: Site
) -> None:
    sync(book)
    before = titles(store)
    few = dict(list(book.items())[:30])
    with pytest.raises(NetworkError, match="30개뿐"):
        sync(few)
    site.say("/tar.gz/main", Answer(pack_book(book)[:-100], etag='"x"'))
    with pytest.raises(NetworkError, match="손상"):
        sync()
    site.say("/tar.gz/main", Answer(b"", 404))
    with pytest.raises(NetworkError, match="404"):
        sync()
    assert titles(store) == before
    assert not list((store.home / "sync").glob("run-*"))


def test_chosen_statutes_come_with_their_decrees_and_rules(
    sync: Callable[..., Report], store: StatuteStore, book: Files
) -> None:
    report = sync(book, only=("대한노인회 지원에 관한 법률", "주임법", "없는법", "민밥"))
    failed = [outcome.message for outcome in report.of(Result.FAILED)]
    assert told(report)[Result.ADDED] == {ACT, DECREE, RULE, "주택임대차보호법"}
    assert failed[0] == "'없는법'이라는 법령이 미러에 없습니다."
    assert failed[1].startswith("'민밥'이라는 법령이 미러에 없습니다.")
    only_it = sync(only=(DECREE,))
    assert told(only_it) == {Result.UNCHANGED: {DECREE}}


def test_only_that_one_where_exact(sync: Callable[..., Report], store: StatuteStore, book: Files) -> None:
    assert told(sync(book, only=(ACT,), exact=True)) == {Result.ADDED: {ACT}}


def test_a_broken_file_is_reported_by_its_place_and_the_rest_goes_in(
    sync: Callable[..., Report], store: StatuteStore, book: Files
) -> None:
    sync(book, only=(ACT,))
    book[f"kr/{ELDERS}/시행령.md"] = b"---\n\xff\xff"
    report = sync(book)
    assert [failure["name"] for failure in as_json(report)["failed"]] == [f"{ELDERS}/시행령.md"]
    assert DECREE in titles(store)
    assert "민법" in titles(store)


def test_a_text_that_lost_its_items_does_not_replace_one_that_has_them(
    store: StatuteStore, embedder: StatuteEmbedder, statute_book: Path, tmp_path: Path
) -> None:
    source = statute_book / "국악진흥법" / "시행령.md"
    add([source], store, embedder, 256)
    kept = {article: text for article, text in _texts(store).items() if "다음 각 목" in text}
    assert kept
    lines = [line for line in source.read_text("utf-8").splitlines() if not line.startswith("    ")]
    spoilt = tmp_path / "새.md"
    old = next(line for line in lines if line.startswith("시행일자:"))
    spoilt.write_text("\n".join(lines).replace(old, "시행일자: 2026-06-01"), "utf-8")
    (outcome,) = add([spoilt], store, embedder, 256)
    assert outcome.result is Result.FAILED
    assert "목이 사라져" in outcome.message
    assert {article: text for article, text in _texts(store).items() if article in kept} == kept


def _texts(store: StatuteStore) -> dict[str, str]:
    (edition,) = store.texts.editions()
    return {article.label: article.text for article in store.texts.statute(edition).articles}


def test_two_syncs_at_once_are_refused(sync: Callable[..., Report], store: StatuteStore, book: Files) -> None:
    from filelock import FileLock

    (store.home / "sync").mkdir()
    with FileLock(store.home / "sync" / "lock"), pytest.raises(StoreBusyError, match="다른 sync"):
        sync(book, only=(ACT,))


def test_what_a_killed_run_left_is_cleared(sync: Callable[..., Report], store: StatuteStore, book: Files) -> None:
    (store.home / "sync" / "run-x" / "1").mkdir(parents=True)
    sync(book, only=(ACT,))
    assert sorted(path.name for path in (store.home / "sync").iterdir()) == [
        "lock",
        "mirror.tar.gz",
        "mirror.tar.gz.json",
    ]


def test_a_report_names_every_removal_and_failure_and_counts_the_rest(sync: Callable[..., Report], book: Files) -> None:
    lines = list(describe(sync(book)))
    assert sum(line.startswith("[추가]") for line in lines) == 21
    assert f"외 {len(book) - 20}개(모두 보려면 --json)" in lines[20]
    assert lines[-1].endswith(f"(커밋 cccccccccccc): 추가 {len(book)}")


def test_a_report_shows_on_request_which_words_an_update_changed(
    law: LawGoKr, options: Settings, store: StatuteStore, embedder: StatuteEmbedder
) -> None:
    sync_lawgokr(options, store, embedder, [ACT], exact=True, patience=EAGER)
    (serial,) = [s for s, (statute, _) in law.laws.items() if statute.edition.title == ACT]
    act = law.laws.pop(serial)[0]
    first = act.articles[0]
    shorter = replace(first, paragraphs=(Paragraph(None, (Line(0, "", "이 법은 노인을 위한다."),)),))
    newer = replace(
        act, edition=replace(act.edition, effective=date(2026, 5, 1)), articles=(shorter, *act.articles[1:])
    )
    law.hold("999", newer)
    report = sync_lawgokr(options, store, embedder, patience=EAGER)
    assert not [line for line in describe(report) if "[변경]" in line]
    (shown,) = [line for line in describe(report, diff=True) if "[변경]" in line]
    assert shown.startswith(f"    [변경] {first.heading}")
    assert "{+노인을 위한다+}" in shown


@pytest.fixture
def law(site: Site, statute_book: Path) -> LawGoKr:
    served = LawGoKr(site)
    for serial, path in enumerate(sorted((statute_book / ELDERS).glob("*.md")), 100):
        served.hold(str(serial), read_file(path))
    return served


def test_the_open_api_brings_in_and_refreshes_what_it_brought(
    law: LawGoKr, options: Settings, store: StatuteStore, embedder: StatuteEmbedder
) -> None:
    def sync_it(*only: str) -> dict[Result, set[str]]:
        return told(sync_lawgokr(options, store, embedder, only, patience=EAGER))

    with pytest.raises(LawError, match="--only"):
        sync_it()
    assert sync_it(ACT) == {Result.ADDED: {ACT, DECREE, RULE}}
    assert {edition.title for edition in store.texts.of_origin("lawgokr")} == {ACT, DECREE, RULE}
    (serial,) = [s for s, (statute, _) in law.laws.items() if statute.edition.title == ACT]
    act = law.laws.pop(serial)[0]
    law.hold("999", replace(act, edition=replace(act.edition, effective=date(2026, 5, 1))))
    assert sync_it() == {Result.UPDATED: {ACT}, Result.UNCHANGED: {DECREE, RULE}}


def test_the_text_in_force_is_answered_from_and_every_coming_one_kept(
    law: LawGoKr, options: Settings, store: StatuteStore, embedder: StatuteEmbedder
) -> None:
    (serial,) = [s for s, (statute, _) in law.laws.items() if statute.edition.title == ACT]
    act = law.laws[serial][0]
    for year in (2098, 2099):
        law.hold(str(year), replace(act, edition=replace(act.edition, effective=date(year, 1, 1))), "시행예정")
    report = sync_lawgokr(options, store, embedder, (ACT,), exact=True, patience=EAGER)
    assert told(report) == {Result.ADDED: {ACT}, Result.COMING: {ACT}}
    assert [coming["effective"] for coming in as_json(report)["coming"]] == ["2098-01-01", "2099-01-01"]
    assert [edition.effective for edition in store.texts.editions()] == [act.edition.effective]


def test_an_outage_in_the_middle_keeps_what_came_and_stops_asking(
    law: LawGoKr, options: Settings, store: StatuteStore, embedder: StatuteEmbedder, site: Site
) -> None:
    site.say("/DRF/lawSearch.do", law.search, Answer(HTML.encode()))
    names = (ACT, "가법", "나법", "다법", "라법")
    report = sync_lawgokr(options, store, embedder, names, exact=True, patience=EAGER)
    assert told(report) == {Result.ADDED: {ACT}, Result.FAILED: {"가법", "나법", "다법", "라법"}}
    assert len(site.requests) == 2 + 2 * EAGER.attempts
    assert "시도하지 않았습니다" in report.of(Result.FAILED)[-1].message


def test_where_the_text_in_force_does_not_come_no_coming_one_passes_for_it(
    law: LawGoKr, options: Settings, store: StatuteStore, embedder: StatuteEmbedder, site: Site
) -> None:
    (serial,) = [s for s, (statute, _) in law.laws.items() if statute.edition.title == ACT]
    act = law.laws[serial][0]
    law.hold("777", replace(act, edition=replace(act.edition, effective=date(2099, 1, 1))), "시행예정")
    site.say(
        "/DRF/lawService.do",
        lambda request: Answer(HTML.encode()) if request.query["MST"] == serial else law.service(request),
    )
    report = sync_lawgokr(options, store, embedder, (ACT,), exact=True, patience=EAGER)
    assert told(report) == {Result.FAILED: {ACT}}
    assert not titles(store)


def test_the_command(site: Site, book: Files, tmp_path: Path) -> None:
    site.say("/tar.gz/main", Answer(pack_book(book), etag='"1"'))
    address = {"LAW_MIRROR_URL": site.address + "/tar.gz", "LAW_MIRROR_LEAST": "40"}
    done = run(tmp_path / "home", "ingest", "sync", "--only", "대한노인회지원에관한법률,없는법", "--json", **address)
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert sorted(added["law"] for added in report["added"]) == [ACT, RULE, DECREE]
    assert [failure["name"] for failure in report["failed"]] == ["없는법"]
    site.say("/tar.gz/main", Answer(b"", 404))
    failed = run(tmp_path / "home", "ingest", "sync", **address)
    assert failed.returncode == 1
    assert "오류:" in failed.stderr
    assert "404" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_users_own_statute_outlives_the_sync(
    sync: Callable[..., Report], store: StatuteStore, embedder: StatuteEmbedder, book: Files, tmp_path: Path
) -> None:
    add([mini(tmp_path)], store, embedder, 256)
    assert Result.REMOVED not in told(sync(book))
    assert "빨래터의 이용에 관한 법률" in titles(store)
