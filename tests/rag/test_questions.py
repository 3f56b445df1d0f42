from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rag.errors import SettingsError
from rag.questions import (
    EMPTY,
    Asked,
    KnownQuestion,
    QuestionIndex,
    Vectors,
    load_questions,
    read_known,
    write_questions,
)

NEAR = KnownQuestion("형법", "제250조", "train", "사람을 죽이면 어떻게 되나요")
ALSO = KnownQuestion("형법", "제250조", "train", "살인하면 몇 년인가요")
TEST = KnownQuestion("민법", "제750조", "test", "옆집 개가 물었어요")
IDS = {("형법", "제250조"): "001692:제250조", ("민법", "제750조"): "001706:제750조"}


class Toy:
    """Embeds a text as a direction of its own, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        vectors = np.array(
            [[len(text), text.count("요"), sum(map(ord, text)) % 97] for text in texts], dtype=np.float32
        )
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def written(path: Path, known: Sequence[KnownQuestion], embed: Toy) -> QuestionIndex:
    write_questions(path, "f", known, IDS, embed)
    return load_questions(path, "f")


def test_an_article_is_found_by_its_nearest_question(tmp_path: Path) -> None:
    embed = Toy()
    index = written(tmp_path / "q.npz", [NEAR, ALSO, TEST], embed)
    (vector,) = embed([TEST.text])
    (best, score), *others = index.find(TEST.text, index.compare(vector), 5).nearest
    assert best == "001706:제750조"
    assert score == pytest.approx(1, abs=1e-3)
    assert [name for name, _ in others] == ["001692:제250조"], "an article comes once, however many questions it has"


def test_a_row_can_be_passed_over(tmp_path: Path) -> None:
    embed = Toy()
    index = written(tmp_path / "q.npz", [NEAR, TEST], embed)
    (vector,) = embed([TEST.text])
    asked = index.find(TEST.text, index.compare(vector, [1]), 5, without=[1])
    assert [name for name, _ in asked.nearest] == ["001692:제250조"]
    assert asked.words == [], "the words of a row passed over do not count either"
    assert asked.votes == {"001692:제250조": 1}
    assert index.closeness(index.compare(vector, [1]), ["001706:제750조"]) == [-1.0]


def test_an_article_is_found_by_the_words_of_its_questions(tmp_path: Path) -> None:
    index = written(tmp_path / "q.npz", [NEAR, ALSO, TEST], Toy())
    asked = index.find("개가 물었는데", index.compare(np.array([0, 0, 1], dtype=np.float32)), 5)
    assert [name for name, _ in asked.words] == ["001706:제750조"]
    assert asked.votes == {"001692:제250조": 2, "001706:제750조": 1}, "each of the nearest questions is a vote"


def test_closeness_is_known_of_every_article_that_has_questions(tmp_path: Path) -> None:
    embed = Toy()
    index = written(tmp_path / "q.npz", [NEAR, ALSO, TEST], embed)
    (vector,) = embed([ALSO.text])
    murder, other, stranger = index.closeness(index.compare(vector), ["001692:제250조", "001706:제750조", "없는 조문"])
    assert murder == pytest.approx(1, abs=1e-3)
    assert -1 < other < 1
    assert stranger == -1


def test_only_what_is_new_is_embedded(tmp_path: Path) -> None:
    embed = Toy()
    written(tmp_path / "q.npz", [NEAR], embed)
    written(tmp_path / "q.npz", [NEAR], embed)
    written(tmp_path / "q.npz", [NEAR, TEST], embed)
    assert embed.asked == [NEAR.text, TEST.text]


def test_questions_of_articles_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    stranger = KnownQuestion("없는법", "제1조", "train", "누구세요")
    assert len(written(tmp_path / "q.npz", [NEAR, stranger], Toy())) == 1


def test_splits_can_be_left_out(tmp_path: Path) -> None:
    index = written(tmp_path / "q.npz", [NEAR, ALSO, TEST], Toy())
    part = index.only({"train"})
    assert part.texts == [NEAR.text, ALSO.text]
    assert part.articles == ["001692:제250조"] * 2


def test_vectors_of_another_embedder_are_not_used(tmp_path: Path) -> None:
    written(tmp_path / "q.npz", [NEAR], Toy())
    assert load_questions(tmp_path / "q.npz", "another") is EMPTY


def test_a_missing_or_broken_file_means_no_known_questions(tmp_path: Path) -> None:
    assert load_questions(tmp_path / "none.npz", "f") is EMPTY
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 not really")
    assert len(load_questions(tmp_path / "broken.npz", "f")) == 0
    assert EMPTY.find("무엇", EMPTY.compare(np.ones(3, dtype=np.float32)), 5) == Asked()


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "questions.tsv"
    file.write_text("민법\t제750조\ttrain\t옆집 개가 물었어요\n민법\t제750조\t개\n", "utf-8")
    with pytest.raises(SettingsError, match=r"questions\.tsv:2"):
        read_known(file)
    with pytest.raises(SettingsError, match="LAW_QUESTIONS"):
        read_known(tmp_path / "none.tsv")
