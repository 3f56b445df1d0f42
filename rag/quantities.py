"""Numbers, amounts and periods in a text, in one form whatever way they are written.

'2천만원', '이천만원' and '20,000,000원' are one quantity, and so are '100분의 5' and '5%', '1년' and '12개월'. Numbers
that merely name something (제3조, 제1심, '1.' before an item) are none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

_DIGITS = dict(zip("일이삼사오육칠팔구", range(1, 10), strict=True))
_SMALL = {"십": 10, "백": 100, "천": 1000}
_LARGE = {"만": 10**4, "억": 10**8, "조": 10**12}
_NATIVE = {
    "한": 1,
    "두": 2,
    "세": 3,
    "석": 3,
    "네": 4,
    "넉": 4,
    "다섯": 5,
    "여섯": 6,
    "일곱": 7,
    "여덟": 8,
    "아홉": 9,
    "열": 10,
}

# unit as written -> (unit, factor)
_UNITS: dict[str, tuple[str, Fraction]] = {
    "년": ("개월", Fraction(12)), "개년": ("개월", Fraction(12)), "개월": ("개월", Fraction(1)),
    "월": ("개월", Fraction(1)), "달": ("개월", Fraction(1)), "주일": ("일", Fraction(7)), "주": ("일", Fraction(7)),
    "주간": ("일", Fraction(7)), "일": ("일", Fraction(1)), "시간": ("시간", Fraction(1)), "분": ("분", Fraction(1)),
    "원": ("원", Fraction(1)), "퍼센트": ("비율", Fraction(1, 100)), "프로": ("비율", Fraction(1, 100)),
    "%": ("비율", Fraction(1, 100)), "％": ("비율", Fraction(1, 100)), "할": ("비율", Fraction(1, 10)),
    "명": ("명", Fraction(1)), "인": ("명", Fraction(1)), "사람": ("명", Fraction(1)), "세": ("세", Fraction(1)),
    "살": ("세", Fraction(1)), "배": ("배", Fraction(1)), "회": ("회", Fraction(1)), "번": ("회", Fraction(1)),
    "차례": ("회", Fraction(1)), "킬로미터": ("미터", Fraction(1000)), "㎞": ("미터", Fraction(1000)),
    "km": ("미터", Fraction(1000)), "미터": ("미터", Fraction(1)), "m": ("미터", Fraction(1)),
    "제곱미터": ("제곱미터", Fraction(1)), "㎡": ("제곱미터", Fraction(1)),
    **{
        unit: (unit, Fraction(1))
        for unit in "기 개 건 대 층 마리 가구 세대 학점 점 톤 그램 킬로그램 리터 척 필지 가지 급 시".split()
    },
}  # fmt: skip
_UNIT = rf"(?:{'|'.join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))})(?!째)"
_NATIVE_UNIT = "달|명|사람|살|배|번|차례|시간"
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_SCALED = rf"(?:{_NUMBER})(?:\s*[십백천만억조]+)?(?:\s*\d[\d,]*\s*[십백천만억]+)*"
_QUANTITY = re.compile(
    rf"(?P<whole>{_NUMBER})\s*분의\s*(?P<part>{_NUMBER})"
    rf"|(?<![\d/.])(?P<over>\d+)\s*/\s*(?P<under>\d+)(?![\d/.])"
    rf"|(?<![0-9A-Za-z제.,])(?P<from>{_SCALED})\s*[-~〜～∼–]\s*(?=(?:{_SCALED})\s*(?P<shared>{_UNIT}))"
    rf"|(?<![0-9A-Za-z.,])(?P<number>{_SCALED})\s*(?P<unit>{_UNIT})?"
    rf"|(?<![가-힣0-9])(?P<words>[일이삼사오육칠팔구십백천만억]+)\s?(?P<word_unit>원|개월|년)(?![가-힣]*만원)"
    rf"|(?<![가-힣])(?P<native>{'|'.join(_NATIVE)})\s?(?P<native_unit>{_NATIVE_UNIT})(?![성정째])"
    rf"|(?<![가-힣])(?P<half>절반)"
)
_YEARS = range(1900, 2200)
_AFTER = re.compile(r"\s*(?:의\s*|간\s*)?(이상|이하|미만|초과)")
_NAMING = re.compile(r"제\s*$")
_ORDINAL = re.compile(r"\s*(?:번째|심|자(?=[가-힣\s])|종|류|차(?!례)|호|항|조(?!\s*원)|목|편|장|절|급)")
_ITEM_MARK = re.compile(r"(?m)^\s*(?:[-*•]\s*)?(?:\(?\d{1,3}[.)])(?=\s)|[①-⑳㉑-㉟]")
_NUMBERED = re.compile(r"(?m)^\s*\(?(\d{1,3})[.)](?=\s)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit in canonical form; `bound` is 이상, 이하, 미만, 초과 or ''. `text` is how it is written.

    Units: 개월 (years too), 일 (weeks too), 시간, 원, 비율 (of one), 명, 세, 배, 회 …; '' where none is known.
    """

    value: Fraction
    unit: str
    bound: str
    text: str


def quantities(text: str) -> list[Quantity]:
    """Return what numbers, amounts and periods a text has, in order."""
    text = _ITEM_MARK.sub(lambda match: " " * len(match[0]), unicodedata.normalize("NFC", text))
    return [quantity for match in _QUANTITY.finditer(text) for quantity in _read(match, text)]


def missing(claim: str, sources: list[str]) -> list[str]:
    """Return, as written, the quantities of a claim that stand in none of the sources.

    One whose bound is another in all places ('5년 이상' for '5년 이하') counts as missing. A bare number that is the
    mark of an item in a source ('3.') stands there: a claim may write the items one after the other.
    """
    there = [quantity for source in sources for quantity in quantities(source)]
    marks = {Fraction(match[1]) for source in sources for match in _NUMBERED.finditer(source)}
    absent = [
        quantity
        for quantity in quantities(claim)
        if not _stands(quantity, there) and (quantity.unit or quantity.value not in marks)
    ]
    return list(dict.fromkeys(quantity.text for quantity in absent))


def _stands(claimed: Quantity, there: list[Quantity]) -> bool:
    same = [q for q in there if q.value == claimed.value and claimed.unit in ("", q.unit)]
    if claimed.unit == "개월" and claimed.value / 12 in _YEARS:  # 2020년 may be written 2020. 1. 1.
        same += [q for q in there if q.value == claimed.value / 12 and not q.unit]
    bounds = {quantity.bound for quantity in same}
    return bool(same) and (not claimed.bound or "" in bounds or claimed.bound in bounds)


def _read(match: re.Match[str], text: str) -> Iterator[Quantity]:
    written, end = match[0].strip(), match.end()
    value, unit = _value(match)
    if value is None or _NAMING.search(text[: match.start()]) or (not unit and _ORDINAL.match(text, end)):
        return
    canonical, factor = _UNITS.get(unit, (unit, Fraction(1)))
    bound = _AFTER.match(text, end)
    yield Quantity(value * factor, canonical, bound[1] if bound else "", written + (f" {bound[1]}" if bound else ""))


def _value(match: re.Match[str]) -> tuple[Fraction | None, str]:
    """Return the number of a match and its unit as written ('비율' for a share)."""
    if match["whole"] or match["over"]:
        part, whole = (match["part"], match["whole"]) if match["whole"] else (match["over"], match["under"])
        divisor = _plain(whole)
        return (_plain(part) / divisor, "비율") if divisor else (None, "")
    if match["half"]:
        return Fraction(1, 2), "비율"
    if match["native"]:
        return Fraction(_NATIVE[match["native"]]), match["native_unit"]
    if match["words"]:
        scaled = re.search("[십백천만억]", match["words"])
        return (_in_words(match["words"]), match["word_unit"]) if scaled or match["word_unit"] != "원" else (None, "")
    if match["from"]:
        return _scaled(match["from"]), match["shared"]
    return _scaled(match["number"]), match["unit"] or ""


def _plain(number: str) -> Fraction:
    return Fraction(number.replace(",", ""))


def _scaled(number: str) -> Fraction:
    """Return what digits with 십, 백, 천, 만, 억, 조 among them stand for: 1억 2천만, 3천5백만, 20,000."""
    total = section = Fraction(0)
    pending: Fraction | None = None
    for token in re.findall(rf"{_NUMBER}|[십백천만억조]", number):
        if token in _SMALL:
            section += (Fraction(1) if pending is None else pending) * _SMALL[token]
            pending = None
        elif token in _LARGE:
            section += pending or 0
            total += (section or 1) * _LARGE[token]
            section, pending = Fraction(0), None
        else:
            pending = _plain(token)
    return total + section + (pending or 0)


def _in_words(word: str) -> Fraction:
    digits = "".join(str(_DIGITS[char]) if char in _DIGITS else char for char in word)
    return _scaled(digits)
