"""Runs of `python -m ingest add` that die by SIGKILL at every place where something is half done, and are run again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ingest import pipeline
from ingest.pipeline import add
from rag.embedding import StatuteEmbedder
from rag.retriever import make_retriever
from rag.settings import ROOT, Settings
from rag.store import StatuteStore, open_store
from tests.samples import mini

# The command itself, in a process that kills itself before or after the n-th call of one of its functions.
DRIVER = """
import os, signal, sys
from importlib import import_module

module, owner, name, moment, number, *arguments = sys.argv[1:]
holder = import_module(module)
holder = getattr(holder, owner) if owner else holder
function, calls = getattr(holder, name), 0

def deadly(*given, **named):
    global calls
    calls += 1
    if calls == int(number) and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = function(*given, **named)
    if calls == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(holder, name, deadly)
import ingest.pipeline
ingest.pipeline.BATCH = 32
sys.argv = ["ingest", *arguments]
from ingest.__main__ import app
app()
"""

PLACES = {
    "a statute is half written": ("rag.texts", "Texts", "_insert_texts", "after", 3),
    "the texts are in, the words are not": ("rag.lexical", "LexicalIndex", "replace", "before", 1),
    "the words are in and not recorded": ("rag.lexical", "LexicalIndex", "record", "before", 1),
    "the questions are written and not in place": ("rag.questions", "", "_save", "after", 1),
    "vectors are stored and not recorded": ("rag.texts", "Texts", "mark_embedded", "before", 2),
    "vectors are recorded": ("rag.texts", "Texts", "mark_embedded", "after", 1),
    "vectors are embedded and not stored": ("rag.store", "StatuteStore", "put_vectors", "before", 2),
}
QUESTIONS = ("대통령의 임기는 몇 년인가요?", "빨래터는 몇 시까지 여나요?", "제3 빨래터법 제2조", "국회의원은 몇 명?")


@pytest.fixture
def statutes(tmp_path: Path) -> Path:
    """The bundled corpus and six small statutes."""
    folder = tmp_path / "in"
    shutil.copytree(ROOT / "corpus", folder)
    for number in range(6):
        mini(folder, f"{number}.md", title=f"제{number} 빨래터법", law_id=f"90{number:04}")
    return folder


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """Known questions of two of them."""
    path = tmp_path / "known.tsv"
    rows = [("대한민국헌법", "제70조", "대통령은 몇 년 하나요?"), ("제3빨래터법", "제2조", "빨래터 몇 시에 닫아요?")]
    path.write_text("".join(f"{law}\t{label}\ttrain\t{text}\n" for law, label, text in rows), "utf-8")
    return path


def state(home: Path, known: Path, embedder: StatuteEmbedder) -> dict[str, object]:
    """Everything a store holds and answers, in an order that does not depend on how it came about."""
    settings = Settings(_env_file=None, home=home, questions=known)
    store: StatuteStore = open_store(settings, embedder)
    retriever = make_retriever(settings, store, embedder)
    stored = store._collection.get(include=["embeddings"])
    vectors = dict(zip(stored["ids"], np.asarray(stored["embeddings"]).tolist(), strict=True))
    questions = store.questions()
    found = {
        "texts": [store.texts.statute(s.edition) for s in store.texts.statutes()],
        "listed": store.texts.statutes(),
        "chunks": store.texts.query('SELECT id, article, start, "end", text_hash, embedded FROM chunks ORDER BY id'),
        "links": sorted(store.texts.query("SELECT * FROM links")),
        "doomed": store.texts.doomed(10),
        "ids": sorted(vectors),
        "vectors": np.array([vectors[chunk] for chunk in sorted(vectors)]),
        "words": [sorted(store.lexical.search(question, 10)) for question in QUESTIONS],
        "known": (questions.articles, questions.texts, questions.vectors.tolist()),
        "left over": [path.name for path in home.iterdir() if "partial" in path.name],
        "answers": [[(hit.article_id, hit.signals) for hit in retriever.search(q, 5).hits] for q in QUESTIONS],
    }
    store.close()
    return found


def test_killed_at_every_place_and_run_again_the_store_is_as_if_nothing_had_been(
    tmp_path: Path, statutes: Path, known: Path, embedder: StatuteEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A vector of the 8-bit model depends a little on what it is embedded with: the same batches, then, in both runs.
    monkeypatch.setattr(pipeline, "BATCH", 32)
    home = tmp_path / "killed"
    env = {**os.environ, "LAW_HOME": str(home), "LAW_QUESTIONS": str(known)}
    for place, (module, owner, name, moment, number) in PLACES.items():
        arguments = [module, owner, name, moment, str(number), "add", str(statutes)]
        process = subprocess.run(
            [sys.executable, "-c", DRIVER, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
        assert process.returncode == -signal.SIGKILL, f"{place}: {process.returncode} {process.stderr[-2000:]}"
    arguments = ["rag.texts", "Texts", "put", "after", "0", "add", str(statutes)]  # the 0th call never comes
    last = subprocess.run(
        [sys.executable, "-c", DRIVER, *arguments], cwd=ROOT, env=env, capture_output=True, check=False
    )
    assert last.returncode == 0, last.stderr.decode()

    calm = Settings(_env_file=None, home=tmp_path / "calm", questions=known)
    undisturbed = open_store(calm, embedder)
    add([statutes], undisturbed, embedder, 256)
    undisturbed.close()
    expected, found = state(calm.home, known, embedder), state(home, known, embedder)
    assert np.allclose(found.pop("vectors"), expected.pop("vectors"), atol=1e-4)  # type: ignore[arg-type]
    for part in expected:
        assert found[part] == expected[part], part


def test_a_second_process_that_would_write_is_told_and_one_that_asks_is_answered(
    constitution: StatuteStore, tmp_path: Path
) -> None:
    env = {**os.environ, "LAW_HOME": str(constitution.home), "LAW_QUESTIONS": "", "PYTHONIOENCODING": "utf-8"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", *arguments]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    with constitution.writer():
        added = run("ingest", "add", str(mini(tmp_path)))
        asked = run("rag", "ask", "대통령의 임기는 몇 년인가요?", "-k", "1")
    assert (added.returncode, asked.returncode) == (1, 0)
    assert "다른 작업이 법령을 넣거나 빼고 있습니다" in added.stderr
    assert "제70조" in asked.stdout
    assert constitution.texts.counts()[0] == 1
