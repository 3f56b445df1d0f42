from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from embedder.bank import Row
from embedder.comparing import bootstrap, figures_of, read_run, table

GOLD = (("민법", "제750조"), ("민법", "제751조"))
OTHER = ("형법", "제1조")


def test_figures_of_one_question() -> None:
    assert figures_of([GOLD[1], OTHER, GOLD[0]], GOLD) == pytest.approx((1, 1, 1, 1, 1.5 / 1.6309), abs=1e-3)
    assert figures_of([OTHER] * 5 + [GOLD[0]], GOLD)[:4] == pytest.approx((0, 0, 1, 1 / 6))
    assert figures_of([OTHER] * 10 + [GOLD[0]], GOLD) == (0, 0, 0, 0, 0)
    assert figures_of([], GOLD) == (0, 0, 0, 0, 0)


def test_an_interval_holds_its_mean_and_narrows_with_more_questions() -> None:
    few, many = (bootstrap(np.array([0.0, 1.0] * count)) for count in (10, 1000))
    for interval in (few, many):
        assert interval.low <= interval.value <= interval.high
        assert interval.value == 0.5
    assert many.high - many.low < few.high - few.low


def test_runs_are_compared_on_the_questions_they_share(tmp_path: Path) -> None:
    rows = [Row(f"q{n}", "질문", GOLD, "계약", "plain", "test", "") for n in range(4)]
    rows.append(Row("none", "라면", (), "무응답", "unanswerable", "test", ""))
    ranked = [{"law": "민법", "article": "제750조", "score": 0.9}]
    for name, count in (("good", 4), ("bad", 3)):
        lines = [{"id": f"q{n}", "ranked": ranked if name == "good" else []} for n in range(count)]
        (tmp_path / name).write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    lines = table(rows, {name: read_run(tmp_path / name) for name in ("bad", "good")})
    assert lines[0] == "3 questions"
    assert any(line.startswith("| good | 1.000") and "1.000 [1.000, 1.000] |" in line for line in lines)
    assert any(line.startswith("| bad | 0.000") for line in lines)
    assert "plain (3)" in "\n".join(lines)
