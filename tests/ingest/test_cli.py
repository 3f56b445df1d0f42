"""The command lines as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag.settings import ROOT
from tests.samples import mini


def run(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "LAW_HOME": str(home), "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


def test_add_ask_status_remove(constitution_home: Path, tmp_path: Path) -> None:
    import shutil

    home = tmp_path / "home"
    shutil.copytree(constitution_home, home)
    added = run(home, "ingest", "add", str(mini(tmp_path)))
    assert added.returncode == 0
    assert "[추가] 빨래터의 이용에 관한 법률: 조문 3개" in added.stdout

    status = run(home, "ingest", "status").stdout
    assert "대한민국헌법: 헌법, 제10호, 공포 1987-10-29, 시행 1988-02-25, 조문 131" in status
    assert "남은 임베딩 0" in status

    asked = run(home, "rag", "ask", "빨래터는 언제 열어요?", "-k", "2", "--json")
    data = json.loads(asked.stdout)
    assert data["hits"][0]["law"] == "빨래터의 이용에 관한 법률"
    assert data["hits"][0]["article"] == "제2조"
    assert len(data["hits"]) == 2

    assert "뺐습니다" in run(home, "ingest", "remove", "빨래터의이용에관한법률").stdout
    assert "빨래터" not in run(home, "ingest", "status").stdout


def test_failures_are_sentences_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "빈.md").write_bytes(b"")
    failed = run(tmp_path / "home", "ingest", "add", str(tmp_path / "빈.md"))
    assert failed.returncode == 1
    assert "[실패] 빈.md: 빈 파일입니다." in failed.stderr
    unknown = run(tmp_path / "home", "ingest", "remove", "없는법")
    assert unknown.returncode == 1
    assert "'없는법'은(는) 들어 있지 않습니다" in unknown.stderr
    assert "Traceback" not in failed.stderr + unknown.stderr


@pytest.mark.parametrize(
    ("variable", "value"), [("LAW_TOP_K", "많이"), ("LAW_EMBEDDER", "./없는폴더"), ("LAW_HOME", "/dev/null/home")]
)
def test_a_bad_setting_is_named(tmp_path: Path, variable: str, value: str) -> None:
    result = run(tmp_path, "rag", "ask", "질문", **{variable: value})
    assert result.returncode == 1
    assert variable in result.stderr
    assert "Traceback" not in result.stderr


def test_eval_prints_the_metrics_and_writes_the_run(constitution_home: Path, tmp_path: Path) -> None:
    rows = [
        {"id": "1", "question": "대통령 임기는 몇 년인가요?", "primary": {"law": "대한민국헌법", "article": "제70조"}},
        {"id": "2", "question": "영토는 어디까지인가요?", "primary": {"law": "대한민국헌법", "article": "제3조"}},
        {"id": "3", "question": "김치찌개 맛있게 끓이는 법", "primary": None, "unanswerable": True},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    out = tmp_path / "run.jsonl"
    result = run(constitution_home, "rag", "eval", str(file), "--json", "--run", str(out))
    figures = json.loads(result.stdout)
    assert (figures["n"], figures["n_unanswerable"]) == (3, 1)
    assert figures["hit@1"] == figures["mrr@10"] == 1.0
    assert figures["abstention_auroc"] == 1.0
    assert 0 < figures["latency_p50_ms"] <= figures["latency_p95_ms"]
    ranked = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [line["id"] for line in ranked] == ["1", "2", "3"]
    assert len(ranked[0]["ranked"]) == 50
    assert set(ranked[0]["ranked"][0]) == {"law", "article", "score"}


def test_eval_says_which_gold_statutes_are_not_indexed(constitution_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"id": "1", "question": "보증금", "primary": {"law": "민법", "article": "제618조"}}', "utf-8")
    assert "정답 법령 1개가 색인에 없습니다(민법)" in run(constitution_home, "rag", "eval", str(file)).stderr
