from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.quantities import missing, quantities


def first(text: str) -> tuple[Fraction, str]:
    quantity = quantities(text)[0]
    return quantity.value, quantity.unit


@pytest.mark.parametrize(
    "alike",
    [
        ("2천만원", "이천만원", "20,000,000원", "2,000만원", "2천만 원"),
        ("1억 2천만원", "120,000,000원", "1억2,000만원", "일억이천만원"),
        ("3천5백만원", "3,500만원", "삼천오백만원"),
        ("천만원", "1천만원", "1,000만 원"),
        ("100분의 5", "5%", "5퍼센트", "5 프로", "20분의 1", "5/100"),
        ("3분의 2", "2/3"),
        ("2분의 1", "절반", "50%"),
        ("1년", "12개월", "일년", "1개년"),
        ("3개월", "3월", "석 달", "세 달"),
        ("2주", "14일", "2주일", "2주간"),
        ("19세", "19살"),
        ("두 배", "2배"),
        ("3명", "3인", "세 사람", "세 명"),
        ("1조 2천억원", "1,200,000,000,000원"),
    ],
)
def test_one_quantity_written_in_many_ways(alike: tuple[str, ...]) -> None:
    assert len({first(text) for text in alike}) == 1, [first(text) for text in alike]


@pytest.mark.parametrize(
    "text",
    [
        "제3조제1항", "제1심 판결", "1심에서", "제2종 면허", "구원 요청", "만일 사원이", "그 이유는", "세 번째",
        "2번째", "1. 첫째 요건", "- 1) 둘째", "① 임차인은", "한 사람이라고 볼 수는 없으나 사람", "두터운", "한정한다",
        "세대주",
    ],
)  # fmt: skip
def test_what_is_no_quantity(text: str) -> None:
    assert [quantity.text for quantity in quantities(text)] in ([], ["한 사람"])


def test_both_ends_of_a_range_have_the_unit() -> None:
    assert [(q.value, q.unit) for q in quantities("5~10년")] == [(60, "개월"), (120, "개월")]


@pytest.mark.parametrize(
    ("claim", "source", "absent"),
    [
        ("3년 안에 청구해야 합니다", "그 손해 및 가해자를 안 날로부터 3년간", []),
        ("10년 안에 청구해야 합니다", "그 손해 및 가해자를 안 날로부터 3년간", ["10년"]),
        ("36개월 안에", "3년간", []),
        ("벌금은 3천만원 이하입니다", "3년 이하의 징역 또는 3천만원 이하의 벌금", []),
        ("벌금은 3천만원 이상입니다", "3년 이하의 징역 또는 3천만원 이하의 벌금", ["3천만원 이상"]),
        ("벌금은 3만원 이하입니다", "3년 이하의 징역 또는 3천만원 이하의 벌금", ["3만원 이하"]),
        ("두 명이면 됩니다", "차임액이 2기에 달하는 때", ["두 명"]),
        ("2020년에 개정되었습니다", "<개정 2020. 1. 29.>", []),
        ("2021년에 개정되었습니다", "<개정 2020. 1. 29.>", ["2021년"]),
        ("5% 더 올릴 수 없습니다", "약정한 차임이나 보증금의 20분의 1의 금액을 초과하지 못한다", []),
    ],
)
def test_what_a_claim_has_that_its_source_has_not(claim: str, source: str, absent: list[str]) -> None:
    assert missing(claim, [source]) == absent


@settings(deadline=None)
@given(st.integers(1, 10**13))
def test_an_amount_is_itself_with_commas_and_without(amount: int) -> None:
    assert first(f"{amount:,}원") == first(f"{amount}원") == (amount, "원")


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert missing(text, [text]) == []


@settings(deadline=None)
@given(st.integers(1, 9999), st.integers(1, 9999), st.sampled_from(["년", "일", "원", "%", "명"]))
def test_another_number_is_always_missing(there: int, claimed: int, unit: str) -> None:
    assert bool(missing(f"{claimed}{unit}", [f"{there}{unit}"])) == (there != claimed)
