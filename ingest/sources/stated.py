"""What a person says of a statute file that the file does not say itself, or says wrongly: title, kind, dates."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePath

from rag.errors import LawError, SourceError
from rag.statutes import Edition, Statute

_LEFT_EMPTY = "을(를) 알 수 없어 비워 두었습니다."
_DAY = re.compile(r"(\d{4})\s*[-./년]\s*(\d{1,2})\s*[-./월]\s*(\d{1,2})\s*[.일]?|(\d{4})(\d\d)(\d\d)")
_NUMBER = re.compile(r"제?\s*([\d-]{1,20})\s*호?")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Stated:
    """What is said of a file; what is empty is not said. It outranks what was read."""

    title: str = ""
    kind: str = ""
    number: str = ""
    promulgated: date | None = None
    effective: date | None = None
    ministries: tuple[str, ...] = ()


NOTHING = Stated()


def state(title: str, kind: str, number: str, promulgated: str, effective: str, ministries: str) -> Stated:
    """Return what a person typed; dates as 2024-01-31, 2024. 1. 31. or 20240131, ministries between commas.

    Raises LawError, naming the field.
    """
    numbered = _NUMBER.fullmatch(number.strip())
    if number.strip() and not numbered:
        raise LawError(f"공포번호 '{number.strip()[:40]}'을(를) 읽을 수 없습니다. 숫자로 적어 주십시오.")
    return Stated(
        title=_line("제목", title),
        kind=re.sub(r"\s+", "", _line("종류", kind)),
        number=numbered[1].lstrip("0") if numbered else "",
        promulgated=_day("공포일", promulgated),
        effective=_day("시행일", effective),
        ministries=tuple(filter(None, (name.strip() for name in _line("소관부처", ministries).split(",")))),
    )


def outranked(edition: Edition, stated: Stated) -> Edition:
    """Return an edition with what is stated of it."""
    return replace(edition, **{field: value for field in Stated.__slots__ if (value := getattr(stated, field))})


def complete(statute: Statute, stated: Stated, name: str) -> Statute:
    """Return a statute with what is stated of it. Raises SourceError where it has no title even so."""
    edition = outranked(statute.edition, stated)
    if not any(character.isalpha() for character in edition.title):  # digits alone could be another statute's 법령ID
        raise SourceError(
            f"{name}: 법령 제목을 찾지 못했습니다. 국가법령정보센터(law.go.kr)에서 저장한 파일을 넣거나, "
            f"파일 이름을 '민법(법률)(제19409호)(20230628){PurePath(name).suffix}' 꼴로 바꾸어 주십시오."
        )
    if edition == statute.edition:
        return statute
    kept = [warning for warning in statute.warnings if not warning.endswith(_LEFT_EMPTY)]
    return replace(statute, edition=edition, warnings=(*kept, *gap_warnings(edition)))


def gap_warnings(edition: Edition) -> list[str]:
    """Return the warning of what a source ought to state of its edition and does not, if anything."""
    gaps = {"법령 종류": edition.kind, "공포번호": edition.number, "시행일": edition.effective}
    missing = [name for name, value in gaps.items() if not value]
    return [f"{'ㆍ'.join(missing)}{_LEFT_EMPTY}"] if missing else []


def _line(field: str, text: str) -> str:
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        raise LawError(f"{field}이(가) 너무 깁니다({len(text):,}자). {_LONGEST}자 안으로 적어 주십시오.")
    return text


def _day(field: str, text: str) -> date | None:
    text = text.strip()
    if not text:
        return None
    try:
        match = _DAY.fullmatch(text)
        year, month, day = (int(part) for part in match.groups() if part) if match else (0, 0, 0)
        return date(year, month, day)
    except ValueError as error:
        raise LawError(f"{field} '{text[:40]}'을(를) 읽을 수 없습니다. '2024-01-31' 꼴로 적어 주십시오.") from error
