from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.pipeline import add
from rag.__main__ import app
from rag.embedding import StatuteEmbedder
from rag.errors import LawError
from rag.filters import Filter, kind_of, kinds_among
from rag.ranking import load_ranker
from rag.retriever import STAGES, StatuteRetriever
from rag.settings import settings
from rag.statutes import Edition
from rag.store import StatuteStore
from tests.samples import mini

QUESTION = "빨래터에서 대통령이 지켜야 할 것은 무엇인가요?"


@pytest.fixture
def retriever(constitution: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path) -> StatuteRetriever:
    add([mini(tmp_path)], constitution, embedder, window=256)
    return StatuteRetriever(
        store=constitution, embedder=embedder, ranker=load_ranker(embedder.fingerprint), abstain_below=0.0
    )


@pytest.mark.parametrize(
    ("within", "titles"),
    [
        (Filter(), {"대한민국헌법", "빨래터의 이용에 관한 법률"}),
        (Filter(statutes=("빨래터의이용에 관한 법률",)), {"빨래터의 이용에 관한 법률"}),
        (Filter(statutes=("헌법",)), {"대한민국헌법"}),
        (Filter(kinds=("법률",)), {"빨래터의 이용에 관한 법률"}),
        (Filter(kinds=("법률", "헌법")), {"대한민국헌법", "빨래터의 이용에 관한 법률"}),
        (Filter(ministries=("법무부",)), {"빨래터의 이용에 관한 법률"}),
    ],
)
def test_only_what_a_filter_lets_through_is_found(
    retriever: StatuteRetriever, within: Filter, titles: set[str]
) -> None:
    hits = retriever.search(QUESTION, 200, within=within).hits
    assert {hit.edition.title for hit in hits} == titles


@pytest.mark.parametrize("stage", ["dense", "lexical", "questions"])
def test_every_search_keeps_to_the_filter(retriever: StatuteRetriever, stage: str) -> None:
    retriever.stages = frozenset({stage})
    everywhere = retriever.search("대통령의 임기는 몇 년인가요?", 40).hits
    inside = retriever.search("대통령의 임기는 몇 년인가요?", 40, within=Filter(statutes=("헌법",))).hits
    assert {hit.edition.title for hit in inside} == {"대한민국헌법"}
    only = [hit for hit in everywhere if hit.edition.title == "대한민국헌법"]
    assert [(hit.article_id, hit.score) for hit in inside][: len(only)] == [(hit.article_id, hit.score) for hit in only]
    retriever.stages = frozenset(STAGES)


@pytest.mark.parametrize(
    ("within", "told"),
    [
        (Filter(statutes=("없는법",)), "법령 '없는법'"),
        (Filter(kinds=("조례",)), "법령 종류 '조례'"),
        (Filter(ministries=("낙타부",)), "소관부처 '낙타부'"),
        (Filter(statutes=("헌법",), kinds=("법률",)), "모두 맞는 법령이 없습니다"),
    ],
)
def test_a_filter_that_finds_no_statute_says_so(retriever: StatuteRetriever, within: Filter, told: str) -> None:
    with pytest.raises(LawError, match=told):
        retriever.search(QUESTION, within=within)


def test_an_article_cited_from_outside_the_filter_is_left_out_and_said_to_be(retriever: StatuteRetriever) -> None:
    search = retriever.search("헌법 제70조와 빨래터의 이용에 관한 법률 제2조", within=Filter(kinds=("법률",)))
    assert search.hits[0].article_id == "999001:제2조"
    assert {hit.edition.kind for hit in search.hits} == {"법률"}
    assert any("대한민국헌법 제70조" in note and "범위 밖" in note for note in search.notes)


def test_kinds_are_offered_as_they_rank() -> None:
    kinds = ("국토교통부령", "법률", "대법원규칙", "헌법", "대통령령", "법률", "", "조약")
    editions = [Edition(title=str(number), kind=kind) for number, kind in enumerate(kinds)]
    assert kinds_among(editions) == ["헌법", "법률", "대통령령", "부령", "규칙", "조약"]
    assert kind_of(editions[0]) == "부령"
    assert kind_of(Edition(title="총", kind="총리령")) == "총리령"


def test_the_command_line_narrows(
    constitution_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAW_HOME", str(constitution_home))
    settings.cache_clear()
    try:
        found = CliRunner().invoke(app, ["ask", "대통령 임기", "--statute", "헌법", "--kind", "헌법", "--json"])
        refused = CliRunner().invoke(app, ["ask", "대통령 임기", "--ministry", "낙타부"])
    finally:
        settings.cache_clear()
    assert {hit["law"] for hit in json.loads(found.stdout)["hits"]} == {"대한민국헌법"}
    assert refused.exit_code == 1
    assert "낙타부" in refused.output
