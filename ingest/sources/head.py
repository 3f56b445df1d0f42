"""What identifies a statute, read from what stands above its text or, failing that, from its file name.

law.go.kr prints, above the first article: the title with its abbreviation, `[시행 2023. 7. 19.] [법률 제19356호,
2023. 4. 18., 일부개정]`, and a line for each ministry in charge with its telephone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePath
from typing import Protocol

from ingest.grammar import division_rank, split_heading
from ingest.sources.stated import gap_warnings
from rag.statutes import Edition, normalize_title

_DATE = r"(?P<{0}y>\d{{4}})\s*\.\s*(?P<{0}m>\d{{1,2}})\s*\.\s*(?P<{0}d>\d{{1,2}})\s*\.?"
_EFFECTIVE = re.compile(r"\[?\s*시행일?\s*:?\s*" + _DATE.format("e"))
_PROMULGATED = (
    re.compile(
        r"\[\s*(?P<kind>[가-힣ㆍ·,\s]+?)\s*제?\s*(?P<number>[\d-]+)\s*호\s*,\s*" + _DATE.format("p") + r"\s*,?"
        r"(?P<change>[^\[\]]*)\]"
    ),
    # As older prints have it: [일부개정 2007. 12. 21. 법률 제8723호]
    re.compile(
        r"[\[(]\s*(?P<change>[가-힣\s]*?(?:개정|제정|폐지))\s*" + _DATE.format("p") + r"\s*,?\s*"
        r"(?P<kind>[가-힣ㆍ·\s]+?)\s*제?\s*(?P<number>[\d-]+)\s*호[^\[\]()]*[\])]"
    ),
)
_FIRST = re.compile(
    r"\[\s*시행|[\[(]\s*(?:(?:일부|전부|전문|타법)?(?:개정|제정|폐지)\s*\d{4}|[가-힣ㆍ]+\s*제\s*[\d-]+호\s*,)"
)
_ABBREVIATION = re.compile(r"\(\s*약칭\s*:\s*(.+?)\s*\)\s*$")
_FILE_NAME = re.compile(
    r"(?P<title>.+?)\s*\((?P<kind>[^()\d]+)\)\s*\(제?(?P<number>\d+)호\)\s*\((?P<ey>\d{4})(?P<em>\d\d)(?P<ed>\d\d)\)"
)
_MINISTRY = re.compile(r"([가-힣][가-힣ㆍ·,\s]*?)\s*\((?:[^()]|\([^()]*\))*\)[\s\d~,-]*")
_PHONES = re.compile(r"[\d~,\s-]+")
_TITLE = re.compile(r"\S.{0,120}(?:헌법|법|법률|특례법|령|규칙|규정|규약|협정|조례)")
_LOOK_AT = 60  # lines among which the edition is sought


class HeadLine(Protocol):
    """A line above a statute's text, with its size where the source shows one."""

    @property
    def text(self) -> str:
        """The line's text."""

    @property
    def size(self) -> float:
        """The size of its characters; equal for all lines where the source does not say."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of a source that shows no sizes."""

    text: str
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class PageHead:
    """What stands above a statute's text; `length` counts its lines. Texts are '' where there is none."""

    title: str
    abbreviation: str
    edition: str
    ministries: tuple[str, ...]
    length: int


def read_head(lines: Sequence[HeadLine]) -> PageHead:
    """Find title, abbreviation, edition and ministries above the statute's text."""
    first = next((i for i, line in enumerate(lines[:_LOOK_AT]) if _begins_text(line)), min(_LOOK_AT, len(lines)))
    start = next((i for i, line in enumerate(lines[:first]) if _FIRST.match(line.text)), None)
    if start is None:
        return _bare_head(lines[:first])
    end, edition = start, ""
    while end < min(len(lines), start + 4) and not any(pattern.search(edition) for pattern in _PROMULGATED):
        if end > start and _begins_text(lines[end]):
            break
        edition = f"{edition} {lines[end].text}".strip()
        end += 1
    title, abbreviation = _read_title(lines[:start])
    ministries, end = _read_ministries(lines, end)
    return PageHead(title, abbreviation, edition, ministries, end)


def _bare_head(lines: Sequence[HeadLine]) -> PageHead:
    """Read the lines above the text where none states the edition: one that reads like a title may be it."""
    title, abbreviation = _read_title(lines)
    if _TITLE.fullmatch(title):
        return PageHead(title, abbreviation, "", (), len(lines))
    return PageHead("", "", "", (), 0)


def _begins_text(line: HeadLine) -> bool:
    return division_rank(line.text) > 0 or split_heading(line.text) is not None


def _read_title(lines: Sequence[HeadLine]) -> tuple[str, str]:
    """Return title and abbreviation: the lines from the first of the largest ones on."""
    if not lines:
        return "", ""
    size = max(line.size for line in lines)
    first = next(i for i, line in enumerate(lines) if line.size > size - 0.5)
    if size - min(line.size for line in lines) < 0.5:
        first = len(lines) - 1  # nothing is larger: the title is the last line, what is above it a running head
        if first and _ABBREVIATION.fullmatch(lines[first].text):
            first -= 1
    text = " ".join(line.text for line in lines[first:])
    match = _ABBREVIATION.search(text)
    return (text[: match.start()] if match else text).strip(), match[1] if match else ""


def _read_ministries(lines: Sequence[HeadLine], start: int) -> tuple[tuple[str, ...], int]:
    """Return the ministries in charge, and the index after their lines; a line may be broken in its bracket."""
    ministries: dict[str, None] = {}
    end = start
    while end < len(lines):
        if end > start and _PHONES.fullmatch(lines[end].text):
            end += 1
            continue
        for taken in (1, 2, 3):
            text = " ".join(line.text for line in lines[end : end + taken])
            if match := _MINISTRY.fullmatch(text):
                ministries |= dict.fromkeys(name.strip() for name in match[1].split(","))
                end += taken
                break
        else:
            break
    return tuple(ministries), end


def make_edition(head: PageHead, name: str, spellings: Iterable[str], warnings: list[str]) -> Edition:
    """Return the edition that page and file name give; its title is '' where neither has one.

    `spellings` are texts among which the title may stand unbroken, so with its true spaces.
    """
    named = _FILE_NAME.match(unicodedata.normalize("NFC", PurePath(name).stem))
    title = head.title or (named["title"].strip() if named else "")
    alike = (text for text in [*spellings, named["title"] if named else ""] if _same_title(text, title))
    edition = Edition(
        title=next(alike, title).strip(), abbreviation=head.abbreviation, ministries=head.ministries, source=name
    )
    edition = _from_page(edition, head.edition)
    if named:
        return _from_name(edition, named, warnings)
    warnings += gap_warnings(edition)
    return edition


def _same_title(text: str, title: str) -> bool:
    return normalize_title(text) == normalize_title(title)


def _from_page(edition: Edition, text: str) -> Edition:
    if match := next((found for pattern in _PROMULGATED if (found := pattern.search(text))), None):
        edition = replace(
            edition,
            kind=re.sub(r"\s+", "", match["kind"]),
            number=match["number"].lstrip("0"),
            promulgated=_date(match["py"], match["pm"], match["pd"]),
            repealed="폐지" in re.sub(r"\s+", "", match["change"]),
        )
    if match := _EFFECTIVE.search(text):
        edition = replace(edition, effective=_date(match["ey"], match["em"], match["ed"]))
    return edition


def _from_name(edition: Edition, named: re.Match[str], warnings: list[str]) -> Edition:
    """Fill what the page did not give from a file name as law.go.kr makes it."""
    filled = replace(
        edition,
        kind=edition.kind or named["kind"].strip(),
        number=edition.number or named["number"].lstrip("0"),
        effective=edition.effective or _date(named["ey"], named["em"], named["ed"]),
    )
    if filled != edition:
        warnings.append("본문에 없는 법령 종류ㆍ공포번호ㆍ시행일을 파일 이름에서 읽었습니다.")
    return filled


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
