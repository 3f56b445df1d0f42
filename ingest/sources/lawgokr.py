"""Statutes as the Open API of law.go.kr gives them: XML or JSON of `lawService.do?target=law` or `eflaw`.

Both have one tree: 기본정보, 조문 > 조문단위 > 항 > 호 > 목, 부칙 > 부칙단위, 별표 > 별표단위. Since July 2026 목 come
beside their 호, in XML after each, in JSON all after all 호.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from ingest.grammar import Depth, StatuteBuilder, annex_label, division_rank, is_addendum, split_heading, split_label
from ingest.items import warn_of_missing_items
from ingest.sources.lines import finish
from ingest.sources.raw import is_html, parse_xml, read_text
from rag.characters import clean
from rag.errors import SourceError
from rag.statutes import CIRCLED, PREAMBLE, Edition, Statute

_ADVICE = "국가법령정보 Open API의 lawService.do?target=law(또는 eflaw) 응답을 저장한 파일을 넣어 주십시오."
_MAX_DEPTH = 30  # of the tree; a statute's has nine levels
_IMAGE = re.compile(r"<img\b([^>]*)>(?:\s*</img>)?", re.IGNORECASE)
_ANNOUNCEMENTS = (
    re.compile(r"(?<!호 )(?<!호)각\s?목"),
    re.compile(r"(?<!호 )(?<!호)각\s?목|다음|아래"),
    re.compile(r"^(?!\S+\s+삭제)"),
)
"""What 호 with 목 say, surest first; the last takes every 호 that is not deleted."""
_KINDS = {
    "LawSearch": "법령 검색 목록",
    "AdmRulService": "행정규칙",
    "LawService": "자치법규",
    "PrecService": "판례",
    "ExpcService": "법령해석례",
}


@dataclass(frozen=True, slots=True)
class Node:
    """An element of either notation: its text and its children in order."""

    name: str
    text: str = ""
    children: tuple[Node, ...] = ()

    def all(self, name: str) -> list[Node]:
        """Return the children of a name."""
        return [child for child in self.children if child.name == name]

    def value(self, name: str) -> str:
        """Return the text of the first child of a name, '' where there is none."""
        return next((child.text.strip() for child in self.children if child.name == name), "")

    def lines(self, name: str) -> list[str]:
        """Return the lines of a child's text, without blank ones."""
        text = _IMAGE.sub(_show_image, "\n".join(child.text for child in self.all(name)))
        return [line.strip() for line in text.splitlines() if line.strip()]


def read_xml(path: Path) -> Statute:
    """Read one statute from the API's XML. Raises SourceError, naming the file, the reason and what to do."""
    text = _text(path)
    # The text is decoded already, so what its declaration says of its encoding does not hold any more.
    root = parse_xml(re.sub(r"^\s*<\?xml[^>]*\?>", "", text), path.name)
    try:
        return _read_tree(_from_xml(root), path.name, in_order=True)
    except RecursionError as error:
        raise SourceError(f"{path.name}: 법령이 아닌 XML입니다(너무 깊습니다). {_ADVICE}") from error


def read_json(path: Path) -> Statute:
    """Read one statute from the API's JSON. Raises SourceError, naming the file, the reason and what to do."""
    text = _text(path)
    try:
        data = json.loads(text)
        root = _from_json("", data)
    except RecursionError as error:
        raise SourceError(f"{path.name}: 법령이 아닌 JSON입니다(너무 깊습니다). {_ADVICE}") from error
    except ValueError as error:
        raise SourceError(f"{path.name}: JSON이 손상되어 읽을 수 없습니다. 파일을 다시 내려받아 주십시오.") from error
    return _read_tree(root.children[0] if len(root.children) == 1 else root, path.name, in_order=False)


def _text(path: Path) -> str:
    text = read_text(path)
    if is_html(text):
        raise SourceError(
            f"{path.name}: 법령 대신 HTML 쪽이 들어 있습니다. Open API가 오류 화면을 준 것일 수 있으니 "
            "다시 받아 주십시오. 저장한 법령 쪽이면 확장자를 .html로 바꾸어 주십시오."
        )
    return text


def _from_xml(element: Element, depth: int = 0) -> Node:
    if depth > _MAX_DEPTH:
        raise RecursionError
    children = tuple(_from_xml(child, depth + 1) for child in element)
    return Node(element.tag, clean(element.text or ""), children)


def _from_json(name: str, value: Any, depth: int = 0) -> Node:
    if depth > _MAX_DEPTH:
        raise RecursionError
    if not isinstance(value, dict):
        return Node(name, _json_text(value, depth))
    children: list[Node] = []
    for key, child in value.items():
        several = child if isinstance(child, list) and all(isinstance(part, dict) for part in child) else [child]
        children += [_from_json(key, part, depth + 1) for part in several]
    # An element with attributes has its text under `content`.
    return Node(name, _json_text(value.get("content"), depth), tuple(children))


def _json_text(value: Any, depth: int) -> str:
    """Return a text, or lists of lines in lists, as lines."""
    if depth > _MAX_DEPTH:
        raise RecursionError
    if isinstance(value, list):
        return "\n".join(_json_text(part, depth + 1) for part in value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return clean(str(value))  # JSON can spell everything, also halves of characters
    return ""


def _show_image(match: re.Match[str]) -> str:
    source = re.search(r"""src=["']([^"']*)["']""", match[1])
    number = re.search(r"""id=["']?(\d+)""", match[1])
    address = source[1] if source else ""
    if number and not address:
        address = f"http://www.law.go.kr/LSW/flDownload.do?flSeq={number[1]}"
    return f"[그림: {address}]"


def _read_tree(law: Node, name: str, *, in_order: bool) -> Statute:
    """Read a statute from its tree; `in_order` says that 목 stand after their 호. Raises SourceError."""
    if law.name != "법령" or not law.all("기본정보"):
        raise SourceError(f"{name}: {_what_else(law)} {_ADVICE}")
    warnings: list[str] = []
    builder = StatuteBuilder(_edition(law.all("기본정보")[0], name, warnings), warnings)
    begun = False
    for unit in [unit for group in law.all("조문") for unit in group.all("조문단위")]:
        label = _label(unit)
        if unit.value("조문여부") == "전문" or not label:
            _read_heading(builder, unit, begun)
        else:
            begun = True
            _read_article(builder, unit, label, in_order)
    _read_addenda(builder, law)
    statute = finish(builder, name, known=True, advice=_ADVICE)
    return replace(statute, warnings=(*statute.warnings, *warn_of_missing_items(statute.articles)))


def _what_else(root: Node) -> str:
    """Return what a tree is that is no statute; what the API says of a failure is passed on."""
    if root.name in _KINDS:
        return f"{_KINDS[root.name]}이라서 법령으로 읽지 않습니다."
    said = [root.value(key) for key in ("result", "msg", "message", "Law", "resultMsg")] or [root.text]
    if root.name in ("Law", "Response", "result") and (text := " ".join(filter(None, [*said, root.text])).strip()):
        return f"법령이 들어 있지 않은 응답입니다('{text[:80]}')."
    return "법령이 아닌 자료입니다('법령' 아래 '기본정보'가 없습니다)."


def _edition(info: Node, name: str, warnings: list[str]) -> Edition:
    title = info.value("법령명_한글") or info.value("법령명한글")
    if not title:
        raise SourceError(f"{name}: 법령명이 없는 응답입니다. {_ADVICE}")
    if info.value("제명변경여부") == "Y":
        warnings.append("이 개정으로 제명이 바뀌었습니다. 옛 제명으로 넣은 판이 있으면 지워 주십시오.")
    ministries = [part.strip() for node in info.all("소관부처") for part in re.split(r"[,\n]", node.text)]
    return Edition(
        title=re.sub(r"\s+", " ", title),
        kind=info.value("법종구분"),
        law_id=info.value("법령ID"),
        number=info.value("공포번호").lstrip("0"),
        promulgated=_date(info, "공포일자", warnings),
        effective=_date(info, "시행일자", warnings),
        ministries=tuple(dict.fromkeys(filter(None, ministries))),
        abbreviation=info.value("법령명약칭"),
        repealed="폐지" in info.value("제개정구분"),
        source=name,
    )


def _date(info: Node, key: str, warnings: list[str]) -> date | None:
    value = info.value(key)
    day = _day(value)
    if day is None:
        said = f"{key} '{value}'은(는) 날짜가 아니라서 비워 두었습니다." if value else f"{key}가 없습니다."
        warnings.append(said)
    return day


def _day(value: str) -> date | None:
    match = re.fullmatch(r"(\d{4})\D{0,2}(\d{2})\D{0,2}(\d{2})\.?", value)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


def _label(unit: Node) -> str:
    number, branch = unit.value("조문번호"), unit.value("조문가지번호")
    if not re.fullmatch(r"\d{1,4}", number):
        heading = split_heading(next(iter(unit.lines("조문내용")), ""))
        return heading.label if heading else ""
    return f"제{int(number)}조" + (f"의{branch.lstrip('0')}" if re.fullmatch(r"0*[1-9]\d{0,2}", branch) else "")


def _read_heading(builder: StatuteBuilder, unit: Node, begun: bool) -> None:
    """Read an entry that is no article: headings of 편 to 관, or the text before the first article."""
    for line in unit.lines("조문내용"):
        if division_rank(line) or begun:
            builder.division(line)
        elif line != PREAMBLE:
            builder.text(line, deeper=False)


def _read_article(builder: StatuteBuilder, unit: Node, label: str, in_order: bool) -> None:
    lines = unit.lines("조문내용")
    heading = split_heading(lines[0]) if lines else None
    if heading and heading.label == label:
        builder.article(label, heading.title or unit.value("조문제목"))
        lines[0] = heading.rest
    else:
        builder.article(label, unit.value("조문제목"))
    for line in filter(None, lines):
        labelled = split_label(line)
        builder.line(*labelled) if labelled else builder.text(line)
    for paragraph in unit.all("항"):
        _read_paragraph(builder, paragraph, label, in_order)
    notes = unit.lines("조문참고자료")
    for line in notes:
        builder.text(line, deeper=False)
    _read_start(builder, unit, label, stated=any("[시행일" in line for line in [*lines, *notes]))


def _read_start(builder: StatuteBuilder, unit: Node, label: str, *, stated: bool) -> None:
    """Say that an article takes effect later than its statute, in the words that law.go.kr prints, if it does not."""
    day, effective = _day(unit.value("조문시행일자")), builder.edition.effective
    if day and effective and day > effective and not stated:
        builder.text(f"[시행일: {day.year}. {day.month}. {day.day}.] {label}", deeper=False)


def _read_paragraph(builder: StatuteBuilder, paragraph: Node, article: str, in_order: bool) -> None:
    number = paragraph.value("항번호")
    _read_labelled(builder, Depth.PARAGRAPH, number if number in CIRCLED else "", paragraph.lines("항내용"))
    parts = [part for part in paragraph.children if part.name in ("호", "목")]
    ordered, aligned = _with_their_items(parts, in_order)
    if not aligned:
        where = f"{article}{number}"
        builder.warnings.append(f"{where}: 목이 어느 호에 딸린 것인지 알 수 없어 호 다음에 모아 두었습니다.")
    for part in ordered:
        if part.name == "호":
            _read_labelled(builder, Depth.SUBPARAGRAPH, _dotted(part, "호"), part.lines("호내용"))
        for item in part.all("목") if part.name == "호" else [part]:
            _read_labelled(builder, Depth.ITEM, _dotted(item, "목"), item.lines("목내용"))


def _dotted(part: Node, kind: str) -> str:
    """Return a 호's or 목's label from its numbers: 2의3."""
    number, branch = part.value(f"{kind}번호").rstrip("."), part.value(f"{kind}가지번호")
    return f"{number}{f'의{branch}' if branch.strip('0') and '의' not in number else ''}." if number else ""


def _with_their_items(parts: Sequence[Node], in_order: bool) -> tuple[Sequence[Node], bool]:
    """Return 호 and 목 in reading order, and whether every run of 목 found its 호.

    목 between 호 stand where they belong. Where all of them come last, each run from 가 on goes to the next 호 that
    announces 목; if there are more or fewer such 호 than runs, they are left where they are.
    """
    names = [part.name for part in parts]
    if "목" not in names or "호" not in names or "호" in names[names.index("목") :]:
        return parts, True
    subparagraphs, runs = parts[: names.index("목")], list(_runs(parts[names.index("목") :]))
    texts = [" ".join(part.lines("호내용")) for part in subparagraphs]
    sure = _ANNOUNCEMENTS[0].search
    if in_order and len(runs) == 1 and (sure(texts[-1]) or not any(map(sure, texts))):
        return parts, True
    for announcement in _ANNOUNCEMENTS[:1] if in_order else _ANNOUNCEMENTS:
        hosts = [i for i, text in enumerate(texts) if announcement.search(text)]
        if len(hosts) == len(runs):
            items = dict(zip(hosts, runs, strict=True))
            return [each for i, part in enumerate(subparagraphs) for each in (part, *items.get(i, ()))], True
    return parts, False


def _runs(items: Sequence[Node]) -> Iterator[list[Node]]:
    """Split 목 where their letters begin again at 가."""
    run: list[Node] = []
    for item in items:
        if run and re.match(r"가\s*\.?$|가\.", item.value("목번호") or item.value("목내용")):
            yield run
            run = []
        run.append(item)
    if run:
        yield run


def _read_labelled(builder: StatuteBuilder, depth: Depth, label: str, lines: Sequence[str]) -> None:
    """Tell the builder a division's lines: the first has its label, unless only the numbers do."""
    for i, line in enumerate(lines):
        found = split_label(line)
        if found and (found[0] == depth if i == 0 else found[0] > depth):
            builder.line(*found)
        elif i == 0 and label:
            builder.line(depth, label, line)
        else:
            builder.text(line)


def _read_addenda(builder: StatuteBuilder, law: Node) -> None:
    for group in law.all("부칙"):
        for unit in group.all("부칙단위") or [group]:
            lines = unit.lines("부칙내용")
            if lines:
                builder.addendum(lines.pop(0) if is_addendum(lines[0]) else _addendum_heading(unit))
            for line in lines:
                builder.addendum_line(line)
    for unit in [unit for group in law.all("별표") for unit in group.all("별표단위")]:
        link = unit.value("별표서식PDF파일링크") or unit.value("별표서식파일링크")
        url = f"https://www.law.go.kr{link}" if link.startswith("/") else link
        builder.annex(_annex_label(unit), unit.value("별표제목"), url)
        for line in unit.lines("별표내용"):
            builder.addendum_line(line)


def _addendum_heading(unit: Node) -> str:
    number, day = unit.value("부칙공포번호").lstrip("0"), unit.value("부칙공포일자")
    said = ",".join(filter(None, [f"제{number}호" if number else "", re.sub(r"(\d{4})(\d\d)(\d\d)", r"\1.\2.\3", day)]))
    return f"부칙 <{said}>" if said else "부칙"


def _annex_label(unit: Node) -> str:
    number, branch = (re.sub(r"\D", "", unit.value(f"별표{key}")) for key in ("번호", "가지번호"))
    return annex_label(unit.value("별표구분") or "별표", int(number[:6] or 0), int(branch[:6] or 0))
