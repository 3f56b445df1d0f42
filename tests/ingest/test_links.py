from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.links import links_of
from ingest.sources.files import read_file
from rag.statutes import Article, Edition, Line, Link, Paragraph, Statute


def article(label: str, text: str, title: str = "", divisions: tuple[str, ...] = ()) -> Article:
    lines = tuple(Line(0, "", line) for line in text.splitlines())
    return Article(label, title, (Paragraph(None, lines),), divisions)


def statute(*articles: Article, title: str = "우물법", kind: str = "법률") -> Statute:
    """A statute of 제1조 to 제39조, the given articles among plain ones."""
    plain = {f"제{n}조": article(f"제{n}조", "우물은 깨끗이 쓴다.") for n in range(1, 40)}
    return Statute(Edition(title, kind), tuple((plain | {made.label: made for made in articles}).values()))


def found(of: Statute, label: str, kind: str = "citation") -> list[tuple[str, str]]:
    return [link.target for link in links_of(of) if link.source[1] == label and link.kind == kind]


def cited(text: str, **how: str) -> list[str]:
    """The targets that the text of an article 제9조 cites, 우물법's own without its name."""
    made = statute(article("제9조", text), **how)
    return [label if key == made.edition.key else f"{key} {label}" for key, label in found(made, "제9조")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("제3조에 따른다.", ["제3조"]),
        ("제3조제1항제2호 및 제5조의 규정에 의한다.", ["제3조", "제5조"]),
        ("제3조부터 제5조까지를 준용한다.", ["제3조", "제4조", "제5조"]),
        ("제3조 내지 제5조의 규정을 준용한다.", ["제3조", "제4조", "제5조"]),
        ("제9조제2항과 제99조", []),
        ("제3조에 따라 한다. <개정 2020.1.1, 제7조>", ["제3조"]),
        ("「민법」 제3조ㆍ제4조", ["민법 제3조", "민법 제4조"]),
        ("「민법」 제3조에 따른 사람은 제4조에 따라 신고한다.", ["민법 제3조", "제4조"]),
        ("「민법」 제3조(제1호는 제외한다) 및 제750조의2", ["민법 제3조", "민법 제750조의2"]),
        ("「민법」에 따른 법인 또는 같은 법 제32조에 따른 자", ["민법 제32조"]),
        ("「도로법」 제2조 및 같은 법 시행령 제3조", ["도로법 제2조", "도로법시행령 제3조"]),
        ("「도로법 시행령」 제3조 및 같은 영 제4조", ["도로법시행령 제3조", "도로법시행령 제4조"]),
        ("「도로법 시행령」 제3조, 같은 법 제5조", ["도로법시행령 제3조", "도로법 제5조"]),
        ("제3조를 준용한다. 이 경우 같은 조 제2항은 제외한다.", ["제3조"]),
        ("같은 조직에 속한 제3조의 사람과 같은 조건", ["제3조"]),
        ("「형법」 제2편제24장 살인의 죄 중 제250조(살인) 및 제252조(촉탁)의 죄", ["형법 제250조", "형법 제252조"]),
        ("「형법」 제250조의 죄, 제252조의 죄 및 제255조의 죄", ["형법 제250조", "형법 제252조", "형법 제255조"]),
        ("헌법 제11조와 민법 제3조", ["대한민국헌법 제11조", "민법 제3조"]),
        ("부칙 제3조에 따른다.", []),
        ("「국가재정법」(제3조는 제외한다)을 준용한다.", ["국가재정법 제3조"]),
        ("같은 법 제70조 중 \"제3조\"는 \"우물 제5조\"로 본다.", []),
    ],
)  # fmt: skip
def test_citations(text: str, expected: list[str]) -> None:
    assert cited(text) == expected


def test_a_range_is_no_longer_than_twenty_articles() -> None:
    assert cited("제10조부터 제39조까지") == [f"제{n}조" for n in range(10, 30)]
    assert len(cited("「상법」 제10조부터 제300조까지")) == 20


def test_a_deleted_article_is_not_cited() -> None:
    made = statute(article("제9조", "제3조에 따른다."), article("제3조", "삭제 <2020.1.1>"))
    assert found(made, "제9조") == []


def test_short_names_are_learnt_from_the_text() -> None:
    made = statute(
        article("제1조", '이 규칙은 「우물법」(이하 "법"이라 한다) 및 같은 법 시행령(이하 "영"이라 한다)을 시행한다.'),
        article("제2조", "법 제3조 및 영 제4조에 따라 한다."),
        article(
            "제3조", '법 제5조제1항에서 "제6조에 따른 것 등 총리령으로 정하는 것"이란 법 제7조에 따른 것을 말한다.'
        ),
        article("제4조", '「논법」(이하 이 조에서 "법"이라 한다) 제1조에 따른다. 법 제2조에 따른다.'),
        article("제5조", '「논법」(이하 "법"이라 한다) 제9조에 따른다.'),
        article("제6조", "군수는 법 제8조에 따라 한다."),
        title="우물의 관리에 관한 규칙",
        kind="총리령",
    )
    assert found(made, "제2조", "delegation") == [("우물법", "제3조"), ("우물법시행령", "제4조")]
    assert found(made, "제3조", "delegation") == [("우물법", "제5조")]
    assert found(made, "제3조") == [("우물법", "제6조"), ("우물법", "제7조")]
    assert found(made, "제4조") == [("논법", "제1조"), ("논법", "제2조")]
    assert found(made, "제6조", "delegation") == [("우물법", "제8조")]


def test_a_penal_clause_is_tied_to_what_it_punishes() -> None:
    text = "제4조제1항(제7조에서 준용하는 경우를 포함한다) 또는 제5조를 위반(고의로 한정한다)하여 판 자"
    made = statute(article("제30조", text + "로서 제6조에 따른 자는 벌금에 처한다.", "벌칙"))
    assert found(made, "제30조", "penalty") == [("우물법", "제4조"), ("우물법", "제5조")]
    assert found(made, "제30조") == [("우물법", "제7조"), ("우물법", "제6조")]
    listed = statute(article("제31조", "다음의 자\n1. 제4조에 따른 신고를 하지 아니한 자", "과태료"))
    assert found(listed, "제31조", "penalty") == [("우물법", "제4조")]


def test_words_are_tied_to_their_definition() -> None:
    made = statute(
        article("제2조", '1. "우물"이란 샘을 말한다.\n2. "공동우물"(이하 생략)이란 여럿의 우물을 말한다.', "정의"),
        article("제3조", "공동우물의 물은 나눈다."),
        article("제4조", "우물가에서 논다."),
        article("제5조", "우물에서는 놀지 않는다."),
        article("제6조", "「우물 기본법」에 따른다."),
    )
    words = {(link.source[1], link.word) for link in links_of(made) if link.kind == "definition"}
    assert {("제3조", "공동우물"), ("제5조", "우물")} <= words
    assert not {(f"제{n}조", "우물") for n in (2, 3, 4, 6)} & words


def test_a_definition_for_one_chapter_holds_there_only() -> None:
    made = statute(
        article("제2조", '"두레박"이란 통을 말한다.', "정의", ("제1장",)),
        article("제7조", '이 장에서 "두레박"이란 줄을 말한다.', "정의", ("제2장",)),
        article("제8조", "두레박을 쓴다.", divisions=("제2장",)),
        article("제9조", "두레박을 쓴다.", divisions=("제3장",)),
    )
    assert found(made, "제8조", "definition") == [("우물법", "제7조")]
    assert found(made, "제9조", "definition") == [("우물법", "제2조")]


def real(statute_book: Path, file: str) -> list[Link]:
    return list(links_of(read_file(statute_book / file)))


def test_drunk_driving_has_its_penalty(statute_book: Path) -> None:
    links = real(statute_book, "도로교통법/법률.md")
    assert Link("penalty", ("도로교통법", "제148조의2"), ("도로교통법", "제44조")) in links
    assert Link("definition", ("도로교통법", "제44조"), ("도로교통법", "제2조"), "노면전차") in links
    assert all(link.source != link.target for link in links)
    assert len(set(links)) == len(links)


def test_the_decree_names_the_articles_it_carries_out(statute_book: Path) -> None:
    links = real(statute_book, "주택임대차보호법/시행령.md")
    decree, act = "주택임대차보호법시행령", "주택임대차보호법"
    carried_out = {(link.source[1], link.target) for link in links if link.kind == "delegation"}
    assert {("제10조", (act, "제8조")), ("제11조", (act, "제8조"))} <= carried_out
    assert {link.source[0] for link in links} == {decree}


@pytest.mark.parametrize("word", ["소정근로시간", "평균임금", "단시간근로자"])
def test_the_words_of_the_labour_standards_act(statute_book: Path, word: str) -> None:
    links = real(statute_book, "근로기준법/법률(법률).md")
    users = {link.source[1] for link in links if link.word == word and link.target == ("근로기준법", "제2조")}
    assert users
    assert "제2조" not in users


PIECES = st.sampled_from(
    ["제3조", "제5조의2", "제0조", "제1항", "부터 ", "까지", " 및 ", "「민법」 ", "「", "」", "(", ")", "[", '"', "“",
     "”", "법 ", "영 ", "같은 조 ", "같은 법 ", "시행령 ", '(이하 "법"이라 한다)', "\n", "1. ", "①", "을 위반하여",
     "에서 ", '"우물"이란 ', "부칙 ", "<개정 2020.1.1>", "이 장에서 ", "\0"]
)  # fmt: skip
TEXT = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=25).map("".join))


@settings(max_examples=300, deadline=None)
@given(
    texts=st.lists(TEXT, min_size=1, max_size=6),
    title=st.sampled_from(["정의", "벌칙", "과태료", "목적", ""]),
    name=st.sampled_from(["우물법", "우물법 시행령", "우물법 시행규칙", "법", "시행령", ""]),
    kind=st.sampled_from(["법률", "대통령령", ""]),
)
def test_no_text_makes_it_raise_or_link_to_itself(texts: list[str], title: str, name: str, kind: str) -> None:
    made = statute(*(article(f"제{n}조", text, title) for n, text in enumerate(texts, 2)), title=name, kind=kind)
    links = list(links_of(made))
    assert all(link.source != link.target for link in links)
    assert len(set(links)) == len(links)
