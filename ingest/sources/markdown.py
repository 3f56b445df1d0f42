"""Statutes as Markdown, in the notation that the public mirror legalize-kr publishes.

YAML front matter (제목, 법령ID, 법령구분, 소관부처, 공포일자, 공포번호, 시행일자, 상태), `#` headings for 편 to 관,
`##### 제750조 (불법행위의 내용)` for an article, `**①**` for a 항, `  1\\.` for a 호, `    가\\.` for a 목, and the
addenda after `## 부칙`.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from ingest.grammar import StatuteBuilder, annex_label, division_rank, is_addendum, split_heading, split_label
from ingest.items import warn_of_missing_items
from ingest.sources.stated import gap_warnings
from rag.characters import clean
from rag.errors import SourceError
from rag.statutes import PREAMBLE, Edition, Statute

_IMAGE = re.compile(r'<img\b(?:[^>]*?src="([^"]*)")?[^>]*>')
_UNESCAPE = re.compile(r"\\([.\-*_~#>|()\[\]제])")
_BOLD_LABEL = re.compile(r"\*\*(\S)\*\*")


def read_markdown(path: Path) -> Statute:
    """Read one Markdown statute. Raises SourceError, naming the file, where it is none."""
    try:
        text = decode(path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path.name}: 글자를 읽을 수 없습니다(UTF-8 또는 CP949가 아닙니다).") from error
    return parse_markdown(text, path.name)


def stated_title(head: bytes) -> str:
    """Return the 제목 in the front matter that a file begins with, '' where there is none."""
    text = head.decode("utf-8", "replace")
    found = re.match(r"(?s)\ufeff?---\r?\n(?:[^\n]*\n){0,20}?(제목:.*?)\n(?=\S)", text)
    try:
        header = yaml.load(found[1], Loader=yaml.CBaseLoader) if found else {}
    except yaml.YAMLError:
        return ""
    return _value(header, "제목")


def decode(data: bytes) -> str:
    """Decode UTF-8 (with or without a mark), UTF-16 with a mark, or CP949; raises UnicodeDecodeError.

    What is no text is dropped, see `rag.characters.clean`.
    """
    return clean(_decode(data))


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    if b"\x00" in data:
        raise UnicodeDecodeError("utf-8", data[:64], 0, 1, "binary data")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp949")


def parse_markdown(text: str, name: str) -> Statute:
    """Parse the text of a Markdown statute; `name` stands in messages. Raises SourceError."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise SourceError(f"{name}: 빈 파일입니다.")
    header, body = _split_front_matter(text, name)
    edition, warnings = _edition(header, body, name)
    builder = StatuteBuilder(edition, warnings)
    for line in body.splitlines():
        _read_line(builder, line)
    _read_attachments(builder, header)
    statute = builder.build()
    if not statute.articles:
        raise SourceError(f"{name}: 조문을 찾지 못했습니다. '##### 제1조 (제목)' 꼴의 조문이 있는지 확인해 주십시오.")
    if not header and not any(article.label.startswith("제") for article in statute.articles):
        raise SourceError(f"{name}: 법령으로 볼 수 없습니다(머리말도 조문도 없습니다).")
    return replace(statute, warnings=(*statute.warnings, *warn_of_missing_items(statute.articles)))


def _read_line(builder: StatuteBuilder, raw: str) -> None:
    line = _IMAGE.sub(lambda m: f"[그림: {m[1] or ''}]", raw).replace("</img>", "")
    stripped = line.strip()
    if builder.in_addenda:
        if is_addendum(stripped):
            builder.addendum(stripped)
        elif not re.fullmatch(r"#+ 부칙", stripped):
            builder.addendum_line(_unescape(line))
    elif not stripped or stripped == PREAMBLE:
        return  # 전문 alone on its line only names what follows
    elif re.fullmatch(r"#+\s*부칙.*", stripped) or is_addendum(stripped):
        builder.addendum(stripped.lstrip("# "))
    elif stripped.startswith("#"):
        _read_heading(builder, stripped)
    elif division := re.fullmatch(r"\*\*(.+)\*\*", stripped):
        builder.division(division[1]) if division_rank(division[1]) else builder.text(division[1], deeper=False)
    elif line.startswith("\t"):
        # Tables and formulas: their inner spacing is their layout.
        builder.text(line.lstrip("\t").rstrip())
    else:
        _read_text(builder, line)


def _read_heading(builder: StatuteBuilder, line: str) -> None:
    text = line.lstrip("#").strip()
    heading = split_heading(text) if line.startswith("#####") else None
    if heading:
        builder.article(heading.label, heading.title)
        if heading.rest:
            builder.text(heading.rest)
    elif line.startswith("# ") and not division_rank(text):
        return  # the statute's title, which the front matter has too
    else:
        builder.division(text)


def _read_text(builder: StatuteBuilder, line: str) -> None:
    stripped = _BOLD_LABEL.sub(r"\1", _unescape(line.strip()))
    labelled = split_label(stripped)
    if labelled and (labelled[0] == 0 or line.startswith((" ", "\u3000"))):
        builder.line(*labelled)
    else:
        builder.text(stripped, deeper=line.startswith((" ", "\u3000")))


def _unescape(text: str) -> str:
    return _UNESCAPE.sub(r"\1", text)


def _split_front_matter(text: str, name: str) -> tuple[dict[str, Any], str]:
    if not text.startswith("---"):
        return {}, text
    parts = re.split(r"(?m)^---[ \t]*$", text, maxsplit=2)
    if len(parts) < 3:
        raise SourceError(f"{name}: 머리말(---로 감싼 YAML)이 닫히지 않았습니다.")
    try:
        header = yaml.load(parts[1], Loader=yaml.CBaseLoader)
    except yaml.YAMLError as error:
        raise SourceError(f"{name}: 머리말(YAML)을 읽을 수 없습니다: {_yaml_place(error)}") from error
    if not isinstance(header, dict):
        raise SourceError(f"{name}: 머리말(YAML)이 '이름: 값' 꼴이 아닙니다.")
    return header, parts[2]


def _yaml_place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"{mark.line + 1}번째 줄" if mark else "형식 오류"


def _edition(header: dict[str, Any], body: str, name: str) -> tuple[Edition, list[str]]:
    warnings: list[str] = []
    title = _value(header, "제목")
    if not title:
        first = re.search(r"(?m)^#\s+(.+)$", body)
        title = first[1].strip() if first else ""
    ministries = header.get("소관부처") or ()
    if isinstance(ministries, str):
        ministries = [ministries]
    edition = Edition(
        title=title,
        kind=_value(header, "법령구분"),
        law_id=_value(header, "법령ID"),
        number=_value(header, "공포번호").lstrip("0"),
        promulgated=_date(header, "공포일자", warnings),
        effective=_date(header, "시행일자", warnings),
        ministries=tuple(clean(ministry) for ministry in ministries if isinstance(ministry, str)),
        abbreviation=_value(header, "약칭"),
        repealed=_value(header, "상태") == "폐지",
        source=name,
    )
    return edition, warnings if header else gap_warnings(edition)


def _read_attachments(builder: StatuteBuilder, header: dict[str, Any]) -> None:
    """Read the annexes that the front matter lists: labels, titles and the addresses of their files, no text."""
    listed = header.get("첨부파일")
    for entry in listed if isinstance(listed, list) else ():
        if not isinstance(entry, dict):
            continue
        number, branch = (re.sub(r"\D", "", _value(entry, f"별표{key}")) for key in ("번호", "가지번호"))
        label = annex_label(_value(entry, "별표구분") or "별표", int(number[:6] or 0), int(branch[:6] or 0))
        builder.annex(
            label, html.unescape(_value(entry, "제목")), _value(entry, "PDF링크") or _value(entry, "파일링크")
        )


def _value(header: dict[str, Any], key: str) -> str:
    value = header.get(key)
    return clean(value).strip() if isinstance(value, str) else ""


def _date(header: dict[str, Any], key: str, warnings: list[str]) -> date | None:
    value = _value(header, key)
    match = re.fullmatch(r"(\d{4})-?(\d{2})-?(\d{2})", value)
    try:
        if match:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass
    if value:
        warnings.append(f"{key} '{value}'은(는) 날짜가 아니라서 비워 두었습니다.")
    return None
