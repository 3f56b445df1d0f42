"""The service behind the app: questions, uploads and the indexing that runs meanwhile."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from ingest import pipeline
from ingest.pipeline import Progress, Result
from rag.embedding import StatuteEmbedder
from rag.errors import LawError, StoreBusyError
from rag.settings import Settings
from rag.store import StatuteStore
from tests.samples import mini
from web.conversation import turn_of
from web.service import MAX_QUESTION, STILL_INDEXING, UNEXPECTED, Job, Service


def silent(_: object) -> None:
    """Take an event and do nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus folder with one small statute."""
    mini(tmp_path / "corpus")
    return tmp_path / "corpus"


@pytest.fixture
def service(folder: Path, store: StatuteStore, embedder: StatuteEmbedder) -> Service:
    """A service over an empty store; nothing is indexed before `start`."""
    return Service(Settings(_env_file=None, corpus=folder, abstain_below=0), embedder, store)


def test_start_indexes_the_corpus_and_a_question_finds_it(service: Service) -> None:
    service.start().join()
    assert service.job == Job()
    assert [stored.edition.title for stored in service.inventory()] == ["빨래터의 이용에 관한 법률"]
    assert service.inventory()[0].pending == 0
    found = service.search("빨래터는 몇 시까지 여나요?")
    assert found.hits[0].article.label == "제2조"
    assert STILL_INDEXING not in found.notes


def test_an_addendum_shown_before_is_there_again(service: Service) -> None:
    service.start().join()
    asked = service.search("빨래터의 이용에 관한 법률 부칙")
    assert asked.hits[0].article.label.startswith("부칙")
    assert service.recall(turn_of(asked, "답")).hits[0].article == asked.hits[0].article


def test_a_question_asked_while_indexing_says_so(service: Service) -> None:
    service.job = Job(running=True)
    assert service.search("빨래터").notes[0] == STILL_INDEXING


def test_a_corpus_file_that_cannot_be_read_is_told_and_the_rest_goes_in(service: Service, folder: Path) -> None:
    (folder / "깨진.md").write_text("---\n제목: 깨진법\n", "utf-8")
    service.start().join()
    assert "깨진.md" in service.job.problems[0]
    assert len(service.inventory()) == 1


def test_a_corpus_folder_that_is_not_there_is_no_problem(service: Service, folder: Path) -> None:
    service.settings = service.settings.model_copy(update={"corpus": folder / "none"})
    service.start().join()
    assert service.job == Job()


def test_what_goes_wrong_unexpectedly_is_logged_and_told_plainly(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(pipeline, "add", fail)
    with caplog.at_level(logging.ERROR):
        service.start().join()
    assert service.job.problems == (UNEXPECTED,)
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("question", ["", "  \n", "가" * (MAX_QUESTION + 1)])
def test_questions_that_cannot_be_asked(service: Service, question: str) -> None:
    with pytest.raises(LawError):
        service.search(question)


@pytest.mark.parametrize("k", [0, -1, 51])
def test_numbers_of_articles_that_cannot_be_given(service: Service, k: int) -> None:
    with pytest.raises(LawError, match="1부터 50"):
        service.search("빨래터", k=k)


def test_add_and_remove(service: Service, tmp_path: Path) -> None:
    events: list[Progress] = []
    outcomes = service.add([mini(tmp_path / "up", title="우물법", law_id="999002")], events.append, silent)
    assert [outcome.result for outcome in outcomes] == [Result.ADDED]
    assert {event.stage for event in events} == {"읽기", "낱말", "부칙", "별표", "임베딩"}
    assert [stored.edition.title for stored in service.inventory()] == ["우물법"]
    assert service.remove("우물법").title == "우물법"
    assert service.inventory() == []
    with pytest.raises(LawError, match="우물법"):
        service.remove("우물법")


def test_an_upload_waits_for_other_indexing_and_removing_is_refused_meanwhile(service: Service, tmp_path: Path) -> None:
    waited = threading.Event()
    added: list[Result] = []
    path = mini(tmp_path / "up")

    def upload() -> None:
        added.extend(outcome.result for outcome in service.add([path], silent, lambda _: waited.set()))

    with service._writing:
        thread = threading.Thread(target=upload)
        thread.start()
        assert waited.wait(10)
        with pytest.raises(StoreBusyError):
            service.remove("빨래터의 이용에 관한 법률")
    thread.join(30)
    assert added == [Result.ADDED]


def test_closing_waits_for_the_batch_under_way_and_stops_there(
    service: Service, store: StatuteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "close", lambda: None)
    reached, go_on = threading.Event(), threading.Event()
    put = store.put_vectors

    def slow(*args: object) -> None:
        reached.set()
        go_on.wait(10)
        put(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "put_vectors", slow)
    service.start()
    assert reached.wait(30)
    closing = threading.Thread(target=service.close)
    closing.start()
    go_on.set()
    closing.join(30)
    assert service.job == Job()
    assert store.texts.counts()[3] == 0


def test_many_ask_while_files_go_in_and_out(service: Service, embedder: StatuteEmbedder, tmp_path: Path) -> None:
    """Four threads ask without pause while statutes are added, changed and removed; each gets an answer each time."""
    service.start().join()
    done, wrong, answered = threading.Event(), [], []

    def ask() -> None:
        while not done.is_set():
            try:
                found = service.search("빨래터는 몇 시까지 여나요?")
                service.around(found)
                answered.append(found.hits[0].article.label)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(4):
        files = [
            mini(tmp_path, f"{n}.md", title=f"제{n} 우물법", law_id=f"90{n:04}") for n in range(number, number + 8)
        ]
        files.append(mini(tmp_path, f"새{number}.md", effective=f"202{number + 1}-01-01", penalty=f"벌칙 {number}"))
        assert all(outcome.result is not Result.FAILED for outcome in service.add(files, silent, silent))
        service.remove(f"제{number} 우물법")
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert set(answered) == {"제2조"}
    assert [stored.pending for stored in service.inventory()] == [0] * len(service.inventory())
