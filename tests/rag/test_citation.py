from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.citation import Citation, Laws, abbreviations, find_citations, last_law, named_laws
from rag.laws import renamed
from rag.statutes import Edition, normalize_title

TITLES = (
    "민법", "형법", "상법", "형사소송법", "근로기준법", "근로기준법 시행령", "도로교통법", "도로교통법 시행규칙",
    "주택임대차보호법", "주택임대차보호법 시행령", "개인정보 보호법", "대한민국헌법",
    "남녀고용평등과 일ㆍ가정 양립 지원에 관한 법률",
)  # fmt: skip
LAWS = Laws.of(Edition(title, law_id=str(number)) for number, title in enumerate(TITLES))


Cited = tuple[str, str, int | None, str | None, str | None]


def what(citation: Citation) -> Cited:
    return (citation.key, citation.label, citation.paragraph, citation.subparagraph, citation.item)


def rendered(text: str, laws: Laws = LAWS) -> list[str]:
    return [citation.render() for citation in find_citations(text, laws)]


@pytest.fixture(scope="module")
def whole_book(statute_book: Path) -> Laws:
    """The titles of the whole statute book."""
    return Laws.of(Edition(title) for title in titles_of(statute_book, "*"))


def titles_of(statute_book: Path, kind: str) -> list[str]:
    heads = (path.read_text("utf-8")[:400] for path in sorted(statute_book.glob(f"*/{kind}.md")))
    lines = (line for head in heads for line in head.splitlines()[:3])
    return [line.split(":", 1)[1].strip().strip("'\"") for line in lines if line.startswith("제목:")]


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


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("상법 399~401조", ["상법 제399조", "상법 제400조", "상법 제401조"]),
        ("상법 제399조부터 제401조까지", ["상법 제399조", "상법 제400조", "상법 제401조"]),
        ("상법 399 - 400조", ["상법 제399조", "상법 제400조"]),
        ("상법 제399조 내지 제400조의2", ["상법 제399조", "상법 제400조", "상법 제400조의2"]),
        ("주임법 제3조의2~제3조의4", ["주임법 제3조의2", "주임법 제3조의3", "주임법 제3조의4"]),
        ("민법 839-2", ["민법 제839조의2"]),
        ("민법 839-2조", ["민법 제839조의2"]),
        ("민법 839조2는?", ["민법 제839조의2"]),
        ("민법 제839조의 2 제1항", ["민법 제839조의2제1항"]),
        ("민법 제750조, 제751조", ["민법 제750조", "민법 제751조"]),
        ("민법 750, 751조", ["민법 제750조", "민법 제751조"]),
        ("민법 750·751조", ["민법 제750조", "민법 제751조"]),
        ("민법제750조와형법제250조", ["민법 제750조", "형법 제250조"]),
        ("도로교통법 44조 ②", ["도로교통법 제44조제2항"]),
        ("도교법 제44조제1항제2호가목", ["도교법 제44조제1항제2호가목"]),
        ("도교법 4조 1항 2호 및 3호, 2항", ["도교법 제4조제1항제2호", "도교법 제4조제1항제3호", "도교법 제4조제2항"]),
        ("근기법 2조 1항 1호부터 3호까지", [f"근기법 제2조제1항제{n}호" for n in (1, 2, 3)]),
        ("개보법 제2조제1호 가목 내지 다목", [f"개보법 제2조제1호{letter}목" for letter in "가나다"]),
        ("개보법 제2조제1호의2 나목", ["개보법 제2조제1호의2나목"]),
        ("민법 제5조제1항과 같은 조 제2항", ["민법 제5조제1항", "민법 제5조제2항"]),
        ("근기법 시행령 제7조, 법 제5조", ["근기법 시행령 제7조", "근로기준법 제5조"]),
        ("근기법 제5조, 영 제8조", ["근기법 제5조", "근로기준법 시행령 제8조"]),
        ("민법에서 말하는 불법행위, 제750조", ["민법 제750조"]),
    ],
)  # fmt: skip
def test_lists_ranges_and_places(text: str, wanted: list[str]) -> None:
    assert rendered(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("민법상 3조2교대", []),
        ("민법 1,000조 원", []),
        ("민법 부칙 제3조", []),
        ("민법 2024-05", []),
        ("민법 제5조의 3가지 요건", ["민법 제5조"]),
        ("민법 5조 원칙", ["민법 제5조"]),
        ("민법 이야기인데 이 계약서 제3조", ["제3조"]),
        ("방법 5조", ["제5조"]),
    ],
)
def test_what_is_no_citation_of_that_statute(text: str, wanted: list[str]) -> None:
    assert rendered(text) == wanted


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("도로교통벌 44조", "도로교통법"),
        ("도로교퉁법 제44조", "도로교통법"),
        ("도로교법 44조", "도로교통법"),
        ("개인정보 보호벌 15조", "개인정보보호법"),
        ("근로기쥰법 시행령 3조", "근로기준법시행령"),
        ("자본시장 147조", "자본시장과금융투자업에관한법률"),
        ("국토의 계획 및 이용법 36조", "국토의계획및이용에관한법률"),
        ("정보통신망 이용촉진 44조의7", "정보통신망이용촉진및정보보호등에관한법률"),
    ],
)
def test_beginnings_and_slips_of_the_pen_are_guesses(whole_book: Laws, text: str, key: str) -> None:
    (citation,) = find_citations(text, whole_book)
    assert (citation.key, citation.guessed) == (key, True)


def test_a_decree_of_a_misspelt_act_is_not_that_of_the_act_named_before(whole_book: Laws) -> None:
    for text in ("민법 이야기. 근로기준볍 시행령 제7조", "민법과 「근로기준볍」 시행령 제7조"):
        assert read_with(whole_book, text) == [("근로기준법시행령", "제7조")]
    assert read_with(whole_book, "민법과 달나라이주법 시행령 제7조") == [("", "제7조")]


@pytest.mark.parametrize("text", ["우주항공법 제3조", "행정법 제5조", "소비자법 3조", "임대차계약 제3조", "민벌 5조"])
def test_what_could_be_several_statutes_or_none_is_not_guessed(whole_book: Laws, text: str) -> None:
    assert [citation.key for citation in find_citations(text, whole_book)] == [""]


def test_what_a_name_could_stand_for_is_told(whole_book: Laws) -> None:
    assert whole_book.guess("행정법") == ("", ("행정사법", "행정기본법", "행정소송법"))


def test_every_title_of_the_book_is_read_as_itself(whole_book: Laws) -> None:
    for key, edition in whole_book.editions.items():
        assert named_laws(edition.title, whole_book) == (key,)
        assert read_with(whole_book, f"{edition.title} 제3조의2는?") == [(key, "제3조의2")]
        assert read_with(whole_book, f"{edition.title.replace('ㆍ', '·').replace(' ', '')}제3조") == [(key, "제3조")]


def read_with(laws: Laws, text: str) -> list[tuple[str, str]]:
    return [(citation.key, citation.label) for citation in find_citations(text, laws)]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("근로기준법에서 연차는?", ["근로기준법"]),
        ("주임법상 대항력과 민법이랑 뭐가 달라요", ["주택임대차보호법", "민법"]),
        ("도로교통법위반으로 벌금", ["도로교통법"]),
        ("근기법시행령은?", ["근로기준법시행령"]),
        ("헌법 제10조, 헌법 제11조", ["대한민국헌법"]),
        ("청소년의 성보호에 관한 법률 위반", ["아동ㆍ청소년의성보호에관한법률"]),
        ("이 방법이 불법인가요? 그 법이 궁금해요", []),
        ("헌법재판소에 위헌법률심판을", []),
        ("라면 끓이는 법", []),
        ("절차 상 법을 어기면", []),
        ("민법률", []),
        ("", []),
    ],
)
def test_statutes_named_without_an_article(text: str, keys: list[str]) -> None:
    assert list(named_laws(text, LAWS)) == keys


def test_the_last_statute_of_a_conversation() -> None:
    assert last_law(["민법 제750조는?", "근로기준법에서 연차는?"], LAWS) == "근로기준법"
    assert last_law(["근로기준법 60조", "같은 법 시행령 7조는?", "고마워요"], LAWS) == "근로기준법시행령"
    assert last_law([], LAWS) == ""


def test_abbreviations_stand_for_statutes_of_the_book(statute_book: Path) -> None:
    titles = {normalize_title(title) for title in titles_of(statute_book, "법률*")} | {"대한민국헌법"}
    assert set(abbreviations().values()) <= titles
    assert not set(abbreviations()) & titles
    assert len(abbreviations()) >= 150


def test_old_titles_stand_for_statutes_of_the_book(statute_book: Path) -> None:
    titles = {normalize_title(title) for title in titles_of(statute_book, "*")}
    assert {normalize_title(now.title) for now in renamed().values()} <= titles
    assert not set(renamed()) & (titles | set(abbreviations()))


@given(
    title=st.sampled_from(TITLES),
    main=st.integers(1, 1500),
    branch=st.none() | st.integers(2, 30),
    paragraph=st.none() | st.integers(1, 30),
    subparagraph=st.none() | st.tuples(st.integers(1, 40), st.none() | st.integers(2, 9)),
    item=st.none() | st.sampled_from("가나다라마바사아자차카타파하"),
    before=st.sampled_from(["", "그러면 ", "이 경우 ", "("]),
    after=st.sampled_from(["", "은 무엇인가요?", "에 따르면", ")"]),
)
def test_what_is_rendered_is_read_back(
    title: str,
    main: int,
    branch: int | None,
    paragraph: int | None,
    subparagraph: tuple[int, int | None] | None,
    item: str | None,
    before: str,
    after: str,
) -> None:
    label = f"제{main}조" + (f"의{branch}" if branch else "")
    wanted = title + " " + label
    wanted += f"제{paragraph}항" if paragraph else ""
    if subparagraph:
        wanted += f"제{subparagraph[0]}호" + (f"의{subparagraph[1]}" if subparagraph[1] else "")
        wanted += f"{item}목" if item else ""
    (citation,) = find_citations(before + wanted + after, LAWS)
    assert citation.key == normalize_title(title)
    assert citation.render() == wanted
    assert (before + wanted + after)[citation.start :].startswith("제")


@given(st.text(max_size=200))
def test_any_text_is_read_without_failing_and_spans_are_in_order(text: str) -> None:
    spans = [(c.start, c.end) for c in find_citations(text, LAWS)]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)


NAMES = (*TITLES, "주임법", "형소법", "근기법 시행령", "도로교통벌", "달나라이주법")
PLACES = ("", "제1항", "제2항제3호", "제1호의2", "제2호가목", "제1항 및 제2항", "제1항제1호부터 제3호까지", "②")
ARTICLES = ("제{n}조", "{n}조", "제{n}조의2", "{n}조의3", "제{n}조부터 제{m}조까지", "{n}~{m}조", "제{n}조, 제{m}조")


@st.composite
def questions(draw: st.DrawFn) -> str:
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        number = draw(st.integers(1, 900))
        article = draw(st.sampled_from(ARTICLES)).format(n=number, m=number + draw(st.integers(1, 5)))
        parts.append(f"{draw(st.sampled_from(NAMES))} {article}{draw(st.sampled_from(PLACES))}")
    return draw(st.sampled_from(["", "그럼 ", "("])) + draw(st.sampled_from([", ", "와 ", " 및 "])).join(parts)


@given(questions())
def test_what_is_found_is_found_again_when_rendered(text: str) -> None:
    for citation in find_citations(text, LAWS):
        (again,) = find_citations(citation.render(), LAWS)
        assert what(again) == what(citation)
        assert again.render() == citation.render()


@given(questions())
def test_every_article_is_found_and_none_twice(text: str) -> None:
    found = find_citations(text, LAWS)
    assert {int(n) for n in re.findall(r"(\d+)(?=조|~)", text)} <= {int(re.findall(r"\d+", c.label)[0]) for c in found}
    places = [(c.start, *what(c)) for c in found]
    assert len(places) == len(set(places))
    assert {c.name for c in found} <= {*NAMES}


TOKENS = re.compile(r"\d+|[가-힣]+|[^\d가-힣]")


@given(questions(), st.data())
def test_spaces_between_words_and_kinds_of_dots_do_not_matter(text: str, data: st.DataObject) -> None:
    spaced = ""
    for token in TOKENS.findall(text):
        space = data.draw(st.sampled_from(["", "", " ", "  "]))
        spaced += space + (data.draw(st.sampled_from("ㆍ·‧•・")) if token == "ㆍ" else token)
    assert [what(c) for c in find_citations(spaced, LAWS)] == [what(c) for c in find_citations(text, LAWS)]


@given(st.sampled_from(TITLES), st.data())
def test_a_title_is_read_with_spaces_anywhere_or_nowhere(title: str, data: st.DataObject) -> None:
    letters = title.replace(" ", "").replace("ㆍ", data.draw(st.sampled_from(["", " ", "·", "ㆍ"])))
    spaced = letters[0] + "".join(data.draw(st.sampled_from(["", "", " "])) + letter for letter in letters[1:])
    assert read(f"{spaced} 제3조") == [(normalize_title(title), "제3조", None, None)]


@given(st.text(alphabet="민형상근로기준법시행령제조의항호목가나0123456789 ,~-·②「」()부터까지같은동원억", max_size=60))
def test_any_mixture_of_its_words_is_read_without_failing(text: str) -> None:
    for citation in find_citations(text, LAWS):
        assert re.fullmatch(r"제[1-9]\d*조(의\d+)*", citation.label)
    assert set(named_laws(text, LAWS)) <= {*LAWS.editions, *(key + "시행령" for key in LAWS.editions)}


@pytest.mark.parametrize(
    "text",
    ["1조 " + "1" * 5000 + "x", "1조 " + "1," * 5000, "1조" + " " * 5000 + "x",
     "민법 " + "가나 " * 5000 + "! 5조",
     "민법" + " " * 5000 + "x 5조", "「" * 5000 + "5조", "1" * 5000 + "조", "제3조의" + "1의" * 5000],
)  # fmt: skip
def test_long_nonsense_is_read_to_its_end(text: str) -> None:
    assert len(find_citations(text, LAWS)) <= 2
