from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np

from rag.questions import Asked
from rag.ranking import FEATURES, WEIGHTS, About, Evidence, features, fuse, load_ranker
from rag.statutes import Edition

ACT = Edition("주택임대차보호법", "법률", "1", effective=date(2026, 1, 1))
DECREE = Edition("주택임대차보호법 시행령", "대통령령", "2")
EDITIONS = {edition.key: edition for edition in (ACT, DECREE)}
ABOUT = {
    "a": About(ACT.key, "임차권등기명령", 400),
    "b": About(ACT.key, "목적", 90),
    "c": About(DECREE.key, "보증금 중 일정액의 범위 등", 300),
}
EVIDENCE = Evidence(
    "보증금을 못 받았는데 이사가도 되나요",
    dense=[("a", 0.7), ("c", 0.6)],
    lexical=[("c", 20.0), ("b", 10.0)],
    asked=Asked(nearest=[("a", 0.9)], words=[("a", 30.0), ("b", 15.0)], votes={"a": 3, "elsewhere": 1}),
    named=frozenset([ACT.key]),
)


CLOSENESS = {"a": 0.9, "b": 0.5, "c": 0.9}


def column(name: str) -> list[float]:
    inputs = features(EVIDENCE, ["a", "b", "c"], ABOUT, EDITIONS, CLOSENESS)
    return [round(float(value), 4) for value in inputs[:, FEATURES.index(name)]]


def test_every_candidate_has_a_value_for_every_feature() -> None:
    inputs = features(EVIDENCE, ["a", "b", "c"], ABOUT, EDITIONS, CLOSENESS)
    assert inputs.shape == (3, len(FEATURES))
    assert np.isfinite(inputs).all()


def test_features_say_what_their_names_say() -> None:
    assert column("dense") == [0.7, 0.6, 0.6], "what was not found counts as the last that was"
    assert column("dense lead") == [0.1, -0.1, -0.1], "the first as far before the second as the others behind it"
    assert column("question rank") == [1.0, 0.0, 0.0]
    assert column("question lead") == [0.0, -0.4, 0.0]
    assert column("asked words") == [1.0, 0.5, 0.5]
    assert column("votes") == [0.75, 0.0, 0.0]
    assert column("statute votes") == [0.75, 0.75, 0.0]
    assert column("lexical") == [0.5, 0.5, 1.0]
    assert column("act") == [1.0, 1.0, 0.0]
    assert column("decree") == [0.0, 0.0, 1.0]
    assert column("named") == [1.0, 1.0, 0.0]
    assert column("below named") == [0.0, 0.0, 1.0], "the decree of a statute that the question names"
    assert column("purpose") == [0.0, 1.0, 0.0]
    assert column("statute share") == [0.5, 0.5, 0.5]


def test_nothing_found_is_no_error() -> None:
    nothing = Evidence("음", [], [])
    assert features(nothing, [], {}, {}, {}).shape == (0, len(FEATURES))
    assert fuse(nothing) == {}


def test_fusion_prefers_what_several_searches_found() -> None:
    scores = fuse(EVIDENCE)
    assert max(scores, key=lambda name: scores[name]) in ("a", "c")
    assert scores["b"] < scores["a"]


def test_weights_of_another_embedder_are_not_used() -> None:
    assert load_ranker("some other embedder") is None


def test_weights_of_other_features_are_not_used(tmp_path: Path) -> None:
    stored = json.loads(WEIGHTS.read_text("utf-8"))
    assert load_ranker(stored["embedder"]) is not None
    stored["features"] = stored["features"][1:]
    file = tmp_path / "ranking.json"
    file.write_text(json.dumps(stored), "utf-8")
    assert load_ranker(stored["embedder"], file) is None
