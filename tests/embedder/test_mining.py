from __future__ import annotations

from pathlib import Path

import pytest

from embedder.mining import MinedPair, mine
from ingest.sources.files import read_file
from rag.statutes import Article, Edition, Line, Paragraph, Statute


def statute(title: str, **articles: str) -> Statute:
    made = tuple(
        Article(label, title_, (Paragraph(None, (Line(0, "", text),)),))
        for label, (title_, _, text) in ((name, text.partition("|")) for name, text in articles.items())
    )
    return Statute(Edition(title, "법률"), made)


ACT = statute(
    "빨래터법",
    제1조="목적|이 법은 질서를 정한다.",
    제2조='정의|이 법에서 "빨래터"란 빨래를 하는 곳을 말한다.',
    제3조="이용 시간|빨래터의 이용 시간은 대통령령으로 정한다.",
    제4조="소음의 금지|누구든지 밤에 방망이를 두드려서는 아니 된다. 제3조에 따른 이용 시간을 지켜야 한다.",
    제5조="벌칙|제4조제1항을 위반하여 밤에 방망이질을 한 자는 벌금에 처한다.",
)
DECREE = statute("빨래터법 시행령", 제2조="이용 시간|법 제3조에 따른 이용 시간은 오전 6시부터 오후 9시까지로 한다.")


def of(kind: str) -> list[MinedPair]:
    return [pair for pair in mine([ACT, DECREE]) if pair.kind == kind]


def test_a_decree_leads_to_the_article_it_carries_out() -> None:
    (pair,) = of("delegation")
    assert pair.gold == ("빨래터법", "제3조")
    assert "오전 6시" in pair.query
    assert "제3조" not in pair.query, "the number would give the answer away"


def test_a_penalty_leads_to_what_it_punishes() -> None:
    (pair,) = of("penalty")
    assert pair == MinedPair("penalty", "밤에 방망이질을 한 자", ("빨래터법", "제4조"))


def test_a_defined_word_leads_to_its_definition() -> None:
    (pair,) = of("definition")
    assert pair == MinedPair("definition", "빨래터법에서 빨래터의 뜻", ("빨래터법", "제2조"))


def test_articles_lead_to_themselves_by_number_and_title() -> None:
    assert len(of("content")) == 6
    assert {pair.query for pair in of("title")} == {
        "빨래터법에서 이용 시간",
        "빨래터법에서 소음의 금지",
        "빨래터법 시행령에서 이용 시간",
    }


def test_every_gold_of_a_real_statute_exists(statute_book: Path) -> None:
    files = [statute_book / "도로교통법" / f"{kind}.md" for kind in ("법률", "시행령", "시행규칙")]
    if not all(file.exists() for file in files):
        pytest.skip("the statute book lacks 도로교통법")
    statutes = [read_file(file) for file in files]
    keys = {(one.edition.key, article.label) for one in statutes for article in one.articles}
    pairs = list(mine(statutes))
    assert {pair.gold for pair in pairs} <= keys
    assert {pair.kind for pair in pairs} >= {"content", "title", "delegation", "penalty", "definition"}
    drunk = [pair for pair in pairs if pair.kind == "penalty" and pair.gold == ("도로교통법", "제44조")]
    assert any("술에 취한" in pair.query for pair in drunk)
