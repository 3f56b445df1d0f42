from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.sources.markdown import read_markdown
from rag.cited import MOST_ARTICLES, Cited, look_up
from rag.laws import Laws
from rag.settings import ROOT
from rag.texts import Texts
from tests.samples import mini

BOOK = (
    "민법/법률.md", "상법/법률.md", "형법/법률.md", "도로교통법/법률.md", "근로기준법/법률(법률).md",
    "근로기준법/시행령.md", "아동ㆍ청소년의성보호에관한법률/법률.md", "물환경보전법/법률.md", "개인정보보호법/법률.md",
)  # fmt: skip


@pytest.fixture(scope="module")
def book(statute_book: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Texts]:
    """Real statutes: nine of the statute book."""
    texts = Texts(tmp_path_factory.mktemp("cited") / "texts.sqlite3")
    for name in BOOK:
        texts.put(read_markdown(statute_book / name), [])
    yield texts
    texts.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Texts]:
    """The constitution, and a statute of four articles one of which is deleted."""
    texts = Texts(tmp_path / "texts.sqlite3")
    for path in (*sorted((ROOT / "corpus").glob("**/*.md")), mini(tmp_path)):
        texts.put(read_markdown(path), [])
    yield texts
    texts.close()


def ask(texts: Texts, question: str, *history: str) -> Cited:
    return look_up(question, history, Laws.of(texts.editions()), texts)


def labels(cited: Cited) -> list[str]:
    return [f"{found.edition.title} {found.article.label}" for found in cited.articles]


def marked(cited: Cited) -> list[str]:
    return [found.article.text[start:end] for found in cited.articles for start, end in found.spans]


def test_a_cited_article_is_found_with_nothing_to_say_of_it(book: Texts) -> None:
    cited = ask(book, "민법 750조가 뭐예요?")
    assert labels(cited) == ["민법 제750조"]
    assert cited.articles[0].article_id == "001706:제750조"
    assert cited.articles[0].article.title == "불법행위의 내용"
    assert (cited.articles[0].spans, cited.notes, cited.missing) == ((), (), False)


def test_the_cited_paragraph_subparagraph_and_item_are_marked(book: Texts) -> None:
    (paragraph,) = marked(ask(book, "도로교통법 제44조 ②"))
    assert paragraph.startswith("②")
    (subparagraph,) = marked(ask(book, "근기법 제2조제1항제2호"))
    assert subparagraph.startswith("2.")
    assert "사용자" in subparagraph
    (item,) = marked(ask(book, "개인정보보호법 제2조 제1호 나목"))
    assert item.startswith("나.")
    assert "쉽게 결합하여" in item
    (whole,) = marked(ask(book, "개보법 2조 1호"))
    assert item in whole
    assert whole.startswith("1.")


def test_several_places_of_an_article_are_marked_in_one(book: Texts) -> None:
    cited = ask(book, "도로교통법 제44조제1항부터 제3항까지와 같은 조 제5항, 그리고 제44조제1항")
    assert labels(cited) == ["도로교통법 제44조"]
    assert [text[0] for text in marked(cited)] == list("①②③⑤")


def test_a_range_holds_the_articles_between_its_ends(book: Texts) -> None:
    assert labels(ask(book, "상법 399~401조")) == [f"상법 제{n}조" for n in (399, 400, 401)]
    assert labels(ask(book, "형법 제297조부터 제299조까지")) == [
        "형법 제297조", "형법 제297조의2", "형법 제298조", "형법 제299조",
    ]  # fmt: skip


def test_a_range_as_wide_as_a_code_is_cut_and_said_to_be(book: Texts) -> None:
    cited = ask(book, "민법 제1조~제1118조")
    assert len(cited.articles) == MOST_ARTICLES
    assert any("앞의 50개" in note for note in cited.notes)


def test_an_article_that_does_not_exist_is_said_not_to_with_the_range_that_does(book: Texts) -> None:
    cited = ask(book, "민법 제1200조")
    assert cited == Cited((), ("「민법」에 제1200조는 없습니다. 제1조부터 제1118조까지 있습니다.",), True)
    several = ask(book, "민법 제750조, 제1201조, 제1202조")
    assert labels(several) == ["민법 제750조"]
    assert several.notes == ("「민법」에 제1201조, 제1202조는 없습니다. 제1조부터 제1118조까지 있습니다.",)


def test_a_place_that_does_not_exist_is_said_not_to(book: Texts) -> None:
    cited = ask(book, "민법 제750조 제2항")
    assert (labels(cited), marked(cited)) == (["민법 제750조"], [])
    assert cited.notes == ("「민법」 제750조에 제2항은 없습니다. 항이 나뉘어 있지 않습니다.",)
    assert (
        ask(book, "도로교통법 제44조제9항")
        .notes[0]
        .startswith("「도로교통법」 제44조에 제9항은 없습니다. 제1항부터 제")
    )
    assert ask(book, "근로기준법 제2조제1항제99호").notes == ("「근로기준법」 제2조제1항에 제99호는 없습니다.",)
    assert ask(book, "개인정보 보호법 제2조제1호하목").notes == ("「개인정보 보호법」 제2조제1호에 하목은 없습니다.",)


def test_a_deleted_article_is_shown_and_said_to_be_deleted(small: Texts) -> None:
    cited = ask(small, "빨래터의 이용에 관한 법률 제3조")
    assert labels(cited) == ["빨래터의 이용에 관한 법률 제3조"]
    assert cited.notes == ("「빨래터의 이용에 관한 법률」 제3조는 삭제된 조문입니다.",)
    assert not cited.missing


def test_a_repealed_statute_is_shown_and_said_to_be_repealed(small: Texts, tmp_path: Path) -> None:
    statute = read_markdown(mini(tmp_path))
    small.put(replace(statute, edition=replace(statute.edition, repealed=True)), [])
    cited = ask(small, "빨래터의 이용에 관한 법률 1조")
    assert labels(cited) == ["빨래터의 이용에 관한 법률 제1조"]
    assert cited.notes == ("「빨래터의 이용에 관한 법률」은 폐지된 법령입니다.",)


def test_of_a_statute_that_is_no_more_than_its_repeal_nothing_exists(statute_book: Path, tmp_path: Path) -> None:
    texts = Texts(tmp_path / "texts.sqlite3")
    texts.put(read_markdown(statute_book / "근로기준법/법률.md"), [])
    cited = ask(texts, "근로기준법 제60조")
    texts.close()
    assert cited.articles == ()
    assert cited.notes == ("「근로기준법」에 제60조는 없습니다.", "「근로기준법」은 폐지된 법령입니다.")


def test_a_statute_that_is_not_in_the_store_is_said_not_to_be(book: Texts) -> None:
    cited = ask(book, "주임법 3조의3")
    assert cited == Cited((), ("「주택임대차보호법」은(는) 지금 들어 있는 법령 가운데 없습니다.",), True)
    assert ask(book, "도로교통법 시행규칙 제3조").notes == (
        "'도로교통법 시행규칙'은(는) 지금 들어 있는 법령 가운데 없습니다.",
    )
    assert ask(book, "달나라이주법 제3조").notes == ("'달나라이주법'은(는) 지금 들어 있는 법령 가운데 없습니다.",)


def test_a_statute_that_became_another_is_not_replaced_silently(book: Texts) -> None:
    cited = ask(book, "청소년의 성보호에 관한 법률 제10조")
    assert cited.articles == ()
    assert cited.missing
    (note,) = cited.notes
    assert "「아동ㆍ청소년의 성보호에 관한 법률」로 바뀌거나 대체되었습니다" in note
    assert "같은 번호의 조문을 대신 보이지 않습니다" in note
    (note,) = ask(book, "호적법 시행령 제3조").notes
    assert "「호적법 시행령」은 지금은 없는 법령으로, 「가족관계의 등록 등에 관한 법률」로" in note


def test_a_statute_that_only_changed_its_title_is_found_under_the_new_one(book: Texts) -> None:
    cited = ask(book, "수질 및 수생태계 보전에 관한 법률 제1조")
    assert labels(cited) == ["물환경보전법 제1조"]
    assert cited.notes == ("「수질 및 수생태계 보전에 관한 법률」은 이름이 「물환경보전법」으로 바뀌었습니다.",)


def test_an_old_title_without_an_article_gets_a_note_and_misses_nothing(book: Texts) -> None:
    cited = ask(book, "증권거래법에서 내부자거래는 어떻게 되나요?")
    assert not cited.missing
    assert "「자본시장과 금융투자업에 관한 법률」" in cited.notes[0]


@pytest.mark.parametrize(
    ("question", "label", "note"),
    [
        ("도로교통벌 제44조", "도로교통법 제44조", "'도로교통벌'을 「도로교통법」으로 읽었습니다."),
        (
            "근로기쥰법 시행령 7조",
            "근로기준법 시행령 제7조",
            "'근로기쥰법 시행령'을 「근로기준법 시행령」으로 읽었습니다.",
        ),
        ("근로기준 60조", "근로기준법 제60조", "'근로기준'을 「근로기준법」으로 읽었습니다."),
    ],
)
def test_what_was_understood_is_said(book: Texts, question: str, label: str, note: str) -> None:
    cited = ask(book, question)
    assert labels(cited) == [label]
    assert cited.notes == (note,)


def test_the_conversation_says_which_law_is_meant(book: Texts) -> None:
    assert labels(ask(book, "그럼 같은 법 제60조는?", "근로기준법에서 연차는?")) == ["근로기준법 제60조"]
    assert labels(ask(book, "시행령 7조는?", "민법 750조", "근기법 60조")) == ["근로기준법 시행령 제7조"]
    alone = ask(book, "같은 법 제60조는?")
    assert alone.articles == ()
    assert "어느 법령의 조문인지 알 수 없습니다" in alone.notes[0]


@pytest.mark.parametrize(
    "question", ["연차는 며칠인가요?", "제5조가 뭐예요?", "이 계약서 제3조를 어기면?", "5조 원짜리 사업", ""]
)
def test_questions_that_cite_no_statute_get_no_note(book: Texts, question: str) -> None:
    assert ask(book, question, "") == Cited()


def test_addenda_are_not_taken_for_articles(book: Texts) -> None:
    assert ask(book, "민법 부칙 제3조") == Cited()
