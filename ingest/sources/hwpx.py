"""Statutes as HWPX, the zipped XML of 한글 (KS X 6101).

Read with zipfile and a safe XML parser: what is needed of the format is paragraphs, and the libraries for it write.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from ingest.sources.plain import parse_lines
from ingest.sources.raw import HWP_ADVICE, opened_zip, parse_xml, read_part
from rag.errors import SourceError
from rag.statutes import Statute

_SECTION = re.compile(r"Contents/section(\d+)\.xml")
_SPACES = {"lineBreak": "\n", "tab": " ", "nbSpace": " ", "fwSpace": " ", "hyphen": "-"}
_APART = frozenset({"header", "footer", "hiddenComment", "pageNum", "autoNum", "newNum"})
CELLS = " │ "
"""What stands between the cells of a table's row."""


def read_hwpx(path: Path) -> Statute:
    """Read one HWPX statute. Raises SourceError, naming the file, the reason and what to do."""
    with opened_zip(path, "HWPX") as archive:
        _check_kind(archive, path.name)
        roots = [parse_xml(read_part(archive, part, path.name), path.name) for part in _sections(archive, path.name)]
    lines = [line for root in roots for line in _block(root)]
    return parse_lines(lines, path.name, _odd(roots))


def _check_kind(archive: zipfile.ZipFile, name: str) -> None:
    if "META-INF/manifest.xml" in archive.namelist() and b"encryption-data" in read_part(
        archive, "META-INF/manifest.xml", name
    ):
        raise SourceError(f"{name}: 암호가 걸린 문서입니다. 암호를 풀어 저장한 파일을 넣어 주십시오.")


def _sections(archive: zipfile.ZipFile, name: str) -> list[str]:
    numbered = [(int(match[1]), part) for part in archive.namelist() if (match := _SECTION.fullmatch(part))]
    if not numbered:
        raise SourceError(f"{name}: HWPX 문서가 아닙니다(본문이 없습니다). {HWP_ADVICE}")
    return [part for _, part in sorted(numbered)]


def _odd(roots: list[Element]) -> list[str]:
    if any(_name(element) == "deleteBegin" for root in roots for element in root.iter()):
        return ["변경 추적이 남아 있어, 지운 글도 함께 읽었을 수 있습니다. 변경 내용을 적용해 저장해 주십시오."]
    return []


def _name(element: Element) -> str:
    """Return an element's name without its namespace, which differs by year of the format."""
    return element.tag.rpartition("}")[2]


def _block(element: Element) -> Iterator[str]:
    """Yield the lines of a section, cell, box or note: everything that holds paragraphs."""
    for child in element:
        name = _name(child)
        if name == "p":
            yield from _paragraph(child)
        elif name == "tbl":
            yield from _table(child)
        elif name not in _APART:
            yield from _block(child)


def _paragraph(paragraph: Element) -> Iterator[str]:
    """Yield a paragraph's lines, then those of the tables and boxes that are anchored in it."""
    text, anchored = "", []
    for run in paragraph:
        for child in run if _name(run) == "run" else ():
            if _name(child) == "t":
                text += _text(child)
            else:
                anchored.append(child)
    yield from text.split("\n")
    for child in anchored:
        if _name(child) == "tbl":
            yield from _table(child)
        elif _name(child) not in _APART:
            yield from _block(child)


def _table(table: Element) -> Iterator[str]:
    for row in table:
        yield from row_lines([list(filter(str.strip, _block(cell))) for cell in row if _name(row) == "tr"])


def row_lines(cells: list[list[str]]) -> Iterator[str]:
    """Yield the line of a table's row, given each cell's lines; a row with one filled cell is only framed text."""
    filled = [cell for cell in cells if cell]
    if len(filled) == 1:
        yield from filled[0]
    elif filled:
        yield CELLS.join(" ".join(cell) for cell in cells)


def _text(element: Element) -> str:
    text = element.text or ""
    for child in element:
        text += _SPACES.get(_name(child), child.text or "") + (child.tail or "")
    return text
