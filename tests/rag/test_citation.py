from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.citation import Laws, abbreviations, find_citations
from rag.statutes import Edition, normalize_title

TITLES = (
    "민법", "형법", "상법", "형사소송법", "근로기준법", "근로기준법 시행령", "도로교통법", "도로교통법 시행규칙",
    "주택임대차보호법", "주택임대차보호법 시행령", "개인정보 보호법", "대한민국헌법",
    "남녀고용평등과 일ㆍ가정 양립 지원에 관한 법률",
)  # fmt: skip
LAWS = Laws.of(Edition(title, law_id=str(number)) for number, title in enumerate(TITLES))


def read(text: str, previous: str = "") -> list[tuple[str, str, int | None, str | None]]:
    return [(c.key, c.label, c.paragraph, c.subparagraph) for c in find_citations(text, LAWS, previous)]


@pytest.mark.parametrize(
    ("text", "key", "label", "paragraph", "subparagraph"),
    [
        ("민법 750조", "민법", "제750조", None, None),
        ("민법 제750조 제1항이 뭐예요", "민법", "제750조", 1, None),
        ("형소법 200조의2", "형사소송법", "제200조의2", None, None),
        ("주임법 3조의3 ②", "주택임대차보호법", "제3조의3", 2, None),
        ("근기법 시행령 7조", "근로기준법시행령", "제7조", None, None),
        ("「도로교통법」 제44조제1항제2호", "도로교통법", "제44조", 1, "2"),
        ("헌법10조", "대한민국헌법", "제10조", None, None),
        (
            "남녀고용평등과 일·가정 양립 지원에 관한 법률 제19조",
            "남녀고용평등과일ㆍ가정양립지원에관한법률",
            "제19조",
            None,
            None,
        ),
        ("개인정보보호법 제 15 조 제 1 항", "개인정보보호법", "제15조", 1, None),
        ("민법의 제5조", "민법", "제5조", None, None),
        ("민법 제99999조", "민법", "제99999조", None, None),
        ("그럼 민법(제103조)은?", "민법", "제103조", None, None),
    ],
)
def test_how_people_cite(text: str, key: str, label: str, paragraph: int | None, subparagraph: str | None) -> None:
    assert read(text) == [(key, label, paragraph, subparagraph)]


def test_an_article_without_a_name_belongs_to_the_statute_named_last() -> None:
    assert read("민법 제750조와 제751조, 형법 제250조") == [
        ("민법", "제750조", None, None),
        ("민법", "제751조", None, None),
        ("형법", "제250조", None, None),
    ]


def test_the_same_law_is_the_one_before() -> None:
    assert read("근로기준법 제60조와 같은 법 시행령 제33조") == [
        ("근로기준법", "제60조", None, None),
        ("근로기준법시행령", "제33조", None, None),
    ]
    assert read("같은 법 제5조", previous="상법") == [("상법", "제5조", None, None)]
    assert read("동법 제3조", previous="주택임대차보호법시행령") == [("주택임대차보호법시행령", "제3조", None, None)]


def test_a_law_that_is_not_known_stays_as_written_and_resolves_to_nothing() -> None:
    citations = find_citations("우주항공법 제3조", LAWS)
    assert [(c.name, c.key) for c in citations] == [("우주항공법", "")]
    assert [c.name for c in citations if c.name and not c.key] == ["우주항공법"]


def test_an_unknown_law_does_not_borrow_the_one_before() -> None:
    assert [c.key for c in find_citations("민법 제2조와 우주항공법 제3조", LAWS)] == ["민법", ""]


@pytest.mark.parametrize(
    "text", ["5조 원짜리 사업", "보증금 3조의2억원", "1조 2천억 원을 벌면 세금은?", "조가 뭐야", ""]
)
def test_sums_of_money_name_no_statute(text: str) -> None:
    assert all(not citation.key and not citation.name for citation in find_citations(text, LAWS))


def test_a_law_that_ends_like_another_is_not_taken_for_it() -> None:
    assert read("위헌법률 제5조") == [("", "제5조", None, None)]


def test_abbreviations_stand_for_statutes_of_the_book(statute_book: Path) -> None:
    titles = {
        normalize_title(line.split(":", 1)[1].strip().strip("'\""))
        for path in statute_book.glob("*/법률*.md")
        for line in path.read_text("utf-8").splitlines()[:3]
        if line.startswith("제목:")
    } | {"대한민국헌법"}
    assert set(abbreviations().values()) <= titles


@given(
    title=st.sampled_from(TITLES),
    main=st.integers(1, 1500),
    branch=st.none() | st.integers(2, 30),
    paragraph=st.none() | st.integers(1, 30),
    subparagraph=st.none() | st.integers(1, 40),
    before=st.sampled_from(["", "그러면 ", "이 경우 ", "("]),
    after=st.sampled_from(["", "은 무엇인가요?", "에 따르면", ")"]),
)
def test_what_is_rendered_is_read_back(
    title: str, main: int, branch: int | None, paragraph: int | None, subparagraph: int | None, before: str, after: str
) -> None:
    label = f"제{main}조" + (f"의{branch}" if branch else "")
    wanted = title + " " + label
    wanted += f"제{paragraph}항" if paragraph else ""
    wanted += f"제{subparagraph}호" if subparagraph else ""
    (citation,) = find_citations(before + wanted + after, LAWS)
    assert citation.key == normalize_title(title)
    assert citation.render() == wanted
    assert (before + wanted + after)[citation.start :].startswith("제")


@given(st.text(max_size=200))
def test_any_text_is_read_without_failing_and_spans_are_in_order(text: str) -> None:
    spans = [(c.start, c.end) for c in find_citations(text, LAWS)]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)
