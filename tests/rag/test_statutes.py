from __future__ import annotations

from datetime import date

import pytest

from rag.statutes import (
    Article,
    Edition,
    Line,
    Paragraph,
    article_id,
    article_key,
    digest,
    normalize_title,
    official_url,
    passage,
    strip_marks,
)


def article(*lines: str, label: str = "제1조", title: str = "") -> Article:
    return Article(label, title, (Paragraph(None, tuple(Line(0, "", line) for line in lines)),))


def test_titles_compare_without_spaces_and_with_any_middle_dot() -> None:
    forms = [
        "남녀고용평등과 일·가정 양립 지원에 관한 법률",
        "남녀고용평등과일ㆍ가정양립지원에관한법률",
        "「남녀고용평등과 일‧가정 양립 지원에 관한 법률」",
    ]
    assert len({normalize_title(form) for form in forms}) == 1


def test_articles_sort_by_number_and_branch() -> None:
    labels = ["제10조", "제2조의10", "전문", "제2조의2", "제2조"]
    assert sorted(labels, key=article_key) == ["전문", "제2조", "제2조의2", "제2조의10", "제10조"]


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("보증금을 우선변제받을 권리가 있다.<개정 2013. 8. 13.>", "보증금을 우선변제받을 권리가 있다."),
        ("임대차(賃貸借)는 그 등기(登記)가 없는 경우", "임대차는 그 등기가 없는 경우"),
        ("[전문개정 2008. 3. 21.]", ""),
        ("삭제 <2010.5.11>", "삭제"),
        ("[2016. 12. 20. 법률 제14415호에 의하여 2015. 5. 28. 헌법재판소에서 헌법불합치 결정된 이 조를 개정함.]", ""),
        ("서명날인[기명날인(記名捺印)도 포함한다. 이하 같다]하여야", "서명날인[기명날인도 포함한다. 이하 같다]하여야"),
        ("기온이 <30도 미만>인 날", "기온이 <30도 미만>인 날"),
        ("[시행일: 2027. 1. 1.] 제5조", "제5조"),
    ],
)
def test_what_is_embedded_has_no_amendment_marks(marked: str, plain: str) -> None:
    assert strip_marks(marked) == plain


@pytest.mark.parametrize("text", ["삭제 <2010.5.11>", "", "삭제<2020. 8. 4.>"])
def test_a_deleted_article_is_recognised(text: str) -> None:
    assert article(text).deleted


@pytest.mark.parametrize("text", ["삭제를 요구할 수 있다.", "삭제된 정보는 복구할 수 없다."])
def test_an_article_about_deleting_is_not_deleted(text: str) -> None:
    assert not article(text).deleted


def test_paragraph_spans_are_the_paragraphs() -> None:
    body = Article(
        "제2조",
        "정의",
        (
            Paragraph(1, (Line(0, "①", "용어의 뜻은 다음과 같다."), Line(1, "1.", "근로자"), Line(2, "가.", "단시간"))),
            Paragraph(2, (Line(0, "②", "나머지는 따로 정한다."),)),
        ),
    )
    assert [body.text[start:end] for start, end in body.paragraph_spans()] == [p.text for p in body.paragraphs]
    assert body.text.splitlines()[2] == "    가. 단시간"


def test_ids_come_from_the_law_id_or_the_title() -> None:
    assert article_id(Edition("민법", law_id="001706"), "제750조") == "001706:제750조"
    assert article_id(Edition("마을 규약"), "제1조") == "마을규약:제1조"


def test_links_open_the_article_at_law_go_kr() -> None:
    assert official_url("개인정보 보호법", "제15조의2") == "https://www.law.go.kr/법령/개인정보보호법/제15조의2"
    assert official_url("이상한 <법>?", "전문") == "https://www.law.go.kr/법령/이상한%3C법%3E%3F"


def test_an_edition_is_in_force_from_its_effective_date() -> None:
    edition = Edition("근로기준법", effective=date(2027, 1, 1))
    assert not edition.in_force(date(2026, 12, 31))
    assert edition.in_force(date(2027, 1, 1))
    assert not Edition("옛 법", effective=date(1990, 1, 1), repealed=True).in_force(date(2026, 1, 1))


def test_a_later_effective_date_is_a_newer_version() -> None:
    old = Edition("근로기준법", effective=date(1997, 3, 13), promulgated=date(1997, 3, 13), number="5305")
    new = Edition("근로기준법", effective=date(2027, 1, 1), promulgated=date(2026, 3, 17), number="21472")
    assert Edition("근로기준법").version < old.version < new.version


def test_digest_sees_where_texts_end() -> None:
    assert digest(["ab", "c"]) != digest(["a", "bc"])


def test_a_passage_opens_with_statute_and_article() -> None:
    body = article("고의 또는 과실로 인한 위법행위", label="제750조", title="불법행위의 내용")
    assert passage(Edition("민법"), body, 0, 5) == "민법 제750조(불법행위의 내용)\n고의 또는"
