from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ingest import pipeline
from ingest.pipeline import Outcome, Progress, Result, add, resume
from rag.embedding import StatuteEmbedder
from rag.errors import LawError, StoreBusyError
from rag.settings import ROOT, Settings
from rag.store import StatuteStore, open_store
from tests.samples import mini

TITLE = "빨래터의 이용에 관한 법률"


class Counting(StatuteEmbedder):
    """The shipped model, noting what it is asked to embed."""

    def __init__(self, inner: StatuteEmbedder):
        self.__dict__.update(inner.__dict__)
        self.passages: list[str] = []

    def passage_vectors(self, texts):  # type: ignore[no-untyped-def]
        self.passages += texts
        return super().passage_vectors(texts)


@pytest.fixture
def counting(embedder: StatuteEmbedder) -> Counting:
    return Counting(embedder)


def bring(store: StatuteStore, embedder: StatuteEmbedder, *paths: Path) -> list[Outcome]:
    return add(paths, store, embedder, window=256)


def vectors(store: StatuteStore) -> dict[str, np.ndarray]:
    stored = store._collection.get(include=["embeddings"])
    return dict(zip(stored["ids"], np.asarray(stored["embeddings"]), strict=True))


def consistent(store: StatuteStore) -> bool:
    """Whether every chunk of the texts has its vector and every vector its chunk."""
    chunks = {row[0] for row in store.texts._all("SELECT id FROM chunks")}
    return chunks == set(vectors(store)) and store.texts.counts()[3] == 0


def test_a_statute_goes_in_with_its_articles(store: StatuteStore, counting: Counting, tmp_path: Path) -> None:
    (outcome,) = bring(store, counting, mini(tmp_path))
    assert (outcome.result, outcome.articles) == (Result.ADDED, 3)
    assert [label for label, _, _ in store.texts.outline(outcome.edition)] == ["제1조", "제2조", "제3조", "제3조의2"]  # type: ignore[arg-type]
    assert consistent(store)
    embedded = "\n".join(counting.passages)
    assert "<개정" not in embedded
    assert "부칙" not in embedded


def test_the_same_input_twice_changes_nothing(store: StatuteStore, counting: Counting, tmp_path: Path) -> None:
    path = mini(tmp_path)
    bring(store, counting, path)
    before = vectors(store)
    counting.passages.clear()
    (outcome,) = bring(store, counting, path)
    assert outcome.result is Result.UNCHANGED
    assert counting.passages == []
    assert vectors(store).keys() == before.keys()


def test_only_the_chunks_of_a_changed_article_are_embedded_again(
    store: StatuteStore, counting: Counting, tmp_path: Path
) -> None:
    bring(store, counting, mini(tmp_path))
    counting.passages.clear()
    newer = mini(tmp_path, effective="2021-01-01", penalty="위반한 사람에게는 20만원 이하의 과태료를 부과한다.")
    (outcome,) = bring(store, counting, newer)
    assert outcome.result is Result.UPDATED
    assert [passage.splitlines()[0] for passage in counting.passages] == [f"{TITLE} 제3조의2(벌칙)"]
    assert consistent(store)


def test_an_article_that_is_gone_takes_its_vectors_along(
    store: StatuteStore, counting: Counting, tmp_path: Path
) -> None:
    bring(store, counting, mini(tmp_path))
    newer = mini(tmp_path, effective="2021-01-01", penalty="삭제 <2021.1.1>")
    bring(store, counting, newer)
    assert not [chunk for chunk in vectors(store) if "제3조의2" in chunk]
    assert consistent(store)


def test_an_older_version_never_replaces_a_newer(store: StatuteStore, counting: Counting, tmp_path: Path) -> None:
    bring(store, counting, mini(tmp_path, effective="2021-01-01"))
    (outcome,) = bring(store, counting, mini(tmp_path, "옛.md", effective="2020-01-01", penalty="옛 벌칙"))
    assert outcome.result is Result.OLDER
    assert "2021-01-01" in outcome.message
    assert "옛 벌칙" not in str(store.texts.article("999001:제3조의2"))


def test_of_two_files_of_one_title_the_one_in_force_wins(
    store: StatuteStore, counting: Counting, tmp_path: Path
) -> None:
    old = mini(tmp_path, "a.md", law_id="111111", effective="1997-03-13", penalty="옛 벌칙")
    new = mini(tmp_path, "b.md", law_id="222222", effective="2027-01-01", penalty="새 벌칙")
    for order in ((old, new), (new, old)):
        bring(store, counting, *order)
        (stored,) = store.texts.statutes()
        assert stored.edition.law_id == "222222"
    assert consistent(store)


def test_the_living_labour_standards_act_wins_over_the_repealed_one(
    store: StatuteStore, counting: Counting, statute_book: Path
) -> None:
    outcomes = bring(store, counting, statute_book / "헌법재판소법")
    living = {stored.edition.title: stored.edition for stored in store.texts.statutes()}
    assert "헌법재판소법" in living
    assert not living["헌법재판소법"].repealed
    assert {outcome.result for outcome in outcomes} <= {Result.ADDED, Result.OLDER}


def test_a_source_without_a_law_id_keeps_the_ids_that_are_known(
    store: StatuteStore, counting: Counting, tmp_path: Path
) -> None:
    bring(store, counting, mini(tmp_path))
    bring(store, counting, mini(tmp_path, law_id="", effective="2022-01-01"))
    assert {chunk.split(":")[0] for chunk in vectors(store)} == {"999001"}
    (again,) = bring(store, counting, mini(tmp_path, law_id="", effective="2022-01-01"))
    assert again.result is Result.UNCHANGED


def test_a_renamed_statute_replaces_the_one_of_the_old_name(
    store: StatuteStore, counting: Counting, tmp_path: Path
) -> None:
    bring(store, counting, mini(tmp_path))
    bring(store, counting, mini(tmp_path, title="공동빨래터법", effective="2023-01-01"))
    assert [stored.edition.title for stored in store.texts.statutes()] == ["공동빨래터법"]
    assert consistent(store)


def test_a_bad_file_is_named_and_the_rest_goes_in(store: StatuteStore, counting: Counting, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    mini(folder)
    (folder / "빈.md").write_bytes(b"")
    (folder / "그림.md").write_bytes(b"\x89PNG\x00\x00")
    (folder / "가짜.pdf").write_bytes(b"no pdf at all")
    (folder / "README.md").write_text("# 읽어 보기")
    outcomes = {
        outcome.name: outcome for outcome in bring(store, counting, folder, tmp_path / "없음.pdf", folder / "x.hwp")
    }
    assert {name for name, o in outcomes.items() if o.result is Result.FAILED} == {
        "빈.md",
        "그림.md",
        "가짜.pdf",
        "없음.pdf",
        "x.hwp",
    }
    assert all(name in outcome.message for name, outcome in outcomes.items() if outcome.result is Result.FAILED)
    assert outcomes["빨래터법.md"].result is Result.ADDED
    assert consistent(store)


def test_progress_is_told_with_rate_and_time_left(store: StatuteStore, counting: Counting, tmp_path: Path) -> None:
    events: list[Progress] = []
    add([mini(tmp_path)], store, counting, 256, events.append)
    assert [e.stage for e in events] == ["읽기", "낱말", "부칙", "별표", "임베딩", "임베딩"]
    assert (events[-1].done, events[-1].total, events[-1].seconds_left) == (3, 3, 0)
    assert events[-1].rate > 0


def test_two_writers_at_once_are_kept_apart(store: StatuteStore, counting: Counting, tmp_path: Path) -> None:
    with store.writer(), pytest.raises(StoreBusyError):
        bring(store, counting, mini(tmp_path))
    assert store.texts.counts()[0] == 0


class Unplugged(LawError):
    pass


class Failing(Counting):
    """Embeds a few batches, then fails as if the power went."""

    def passage_vectors(self, texts):  # type: ignore[no-untyped-def]
        if len(self.passages) >= 64:
            raise Unplugged("전원이 나갔습니다.")
        return super().passage_vectors(texts)


def test_a_run_that_failed_half_way_is_taken_up_where_it_stopped(
    store: StatuteStore, embedder: StatuteEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 32)  # so that the small corpus takes several
    failing, counting = Failing(embedder), Counting(embedder)
    with pytest.raises(Unplugged):
        bring(store, failing, ROOT / "corpus")
    pending = store.texts.counts()[3]
    assert 0 < pending < store.texts.counts()[2]
    assert resume(store, counting, lambda _: None) == pending == len(counting.passages)
    assert consistent(store)
    assert not set(failing.passages) & set(counting.passages)


def run_ingest(home: Path, *paths: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "LAW_HOME": str(home)}
    command = [sys.executable, "-m", "ingest", "add", *map(str, paths)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for_vectors(home: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the run has begun to write."""
    while process.poll() is None and not (home / "statutes.db-wal").exists():
        time.sleep(0.05)


def test_a_killed_run_leaves_nothing_lost_or_doubled(tmp_path: Path, embedder: StatuteEmbedder) -> None:
    """SIGKILL at random moments, start again, and end up with the same store as an undisturbed run."""
    statutes = tmp_path / "in"
    shutil.copytree(ROOT / "corpus", statutes)
    for number in range(12):
        mini(statutes, f"{number}.md", title=f"제{number} 빨래터법", law_id=f"90{number:04}")
    home, moment = tmp_path / "killed", random.Random(7)
    for _ in range(2):
        process = run_ingest(home, statutes)
        wait_for_vectors(home, process)
        time.sleep(moment.uniform(0.3, 2.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert run_ingest(home, statutes).wait() == 0

    calm = open_store(Settings(_env_file=None, home=tmp_path / "calm"), embedder)
    bring(calm, embedder, statutes)
    killed = open_store(Settings(_env_file=None, home=home), embedder)
    assert consistent(killed)
    expected, actual = vectors(calm), vectors(killed)
    assert actual.keys() == expected.keys()
    assert all(np.allclose(actual[chunk], expected[chunk], atol=1e-4) for chunk in expected)
    assert [s.edition for s in killed.texts.statutes()] == [s.edition for s in calm.texts.statutes()]
    calm.close()
    killed.close()


def test_questions_are_answered_while_an_ingest_runs(
    open_at: Callable[..., StatuteStore], counting: Counting, tmp_path: Path
) -> None:
    store = open_at()
    bring(store, counting, mini(tmp_path))
    seen: list[int] = []
    question = counting.embed_query("빨래터 이용 시간")
    add([ROOT / "corpus"], store, counting, 256, lambda _: seen.append(len(store.nearest(question, 3))))
    assert seen
    assert set(seen) == {3}
