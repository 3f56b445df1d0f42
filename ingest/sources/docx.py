"""Statutes as DOCX, the zipped XML of Word."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
from docx.oxml.ns import qn

from ingest.sources.hwpx import row_lines
from ingest.sources.plain import parse_lines
from ingest.sources.raw import opened_zip, read_part
from rag.errors import SourceError
from rag.statutes import Statute

_PARAGRAPH, _TABLE, _ROW, _CELL = (qn(f"w:{name}") for name in ("p", "tbl", "tr", "tc"))
_SPACES = {qn("w:tab"): " ", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
# Text that is not there any more, or stands in for a drawing that is given twice, and properties.
_APART = frozenset(map(qn, ("w:del", "w:moveFrom", "w:pPr", "w:rPr"))) | {
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
}
_MAX_DEPTH = 100


def read_docx(path: Path) -> Statute:
    """Read one DOCX statute. Raises SourceError, naming the file, the reason and what to do."""
    with opened_zip(path, "DOCX") as archive:
        _check_parts(archive, path.name)
        try:
            body: Any = docx.Document(archive.fp).element.body
        except Exception as error:
            # python-docx has no errors of its own: what a damaged document trips up is anybody's guess.
            raise SourceError(
                f"{path.name}: DOCX가 손상되었거나 Word 문서가 아닙니다. DOCX로 다시 저장해서 넣어 주십시오."
            ) from error
    if body is None:
        raise SourceError(f"{path.name}: 본문이 없는 DOCX입니다. 다시 저장해서 넣어 주십시오.")
    try:
        lines = list(_block(body, 0))
    except RecursionError as error:
        raise SourceError(f"{path.name}: 표나 상자가 너무 깊이 겹쳐 있습니다. 풀어서 저장해 주십시오.") from error
    return parse_lines(lines, path.name, _odd(body))


def _check_parts(archive: zipfile.ZipFile, name: str) -> None:
    """Read every XML part once, so that a damaged or too large one is told plainly."""
    for part in archive.namelist():
        if part.endswith((".xml", ".rels")) and b"<!ENTITY" in read_part(archive, part, name):
            raise SourceError(f"{name}: 개체(entity)를 정의하는 문서는 위험해서 읽지 않습니다. 다시 저장해 주십시오.")


def _odd(body: Any) -> list[str]:
    if next(body.iter(qn("w:numPr")), None) is not None:
        return ["Word가 자동으로 매긴 번호가 있습니다. 글자가 아닌 번호는 읽지 못하므로 항ㆍ호를 확인해 주십시오."]
    return []


def _block(element: Any, depth: int) -> Iterator[str]:
    """Yield the lines of a body, cell or control, in order."""
    if depth > _MAX_DEPTH:
        raise RecursionError
    for child in element:
        if child.tag == _PARAGRAPH:
            yield from _paragraph(child).split("\n")
        elif child.tag == _TABLE:
            yield from _table(child, depth + 1)
        elif child.tag not in _APART:
            yield from _block(child, depth + 1)


def _paragraph(element: Any, depth: int = 0) -> str:
    """Return a paragraph's text with what was inserted and without what was deleted under change tracking."""
    if depth > _MAX_DEPTH:
        raise RecursionError
    parts = []
    for child in element:
        if child.tag == qn("w:t"):
            parts.append(child.text or "")
        elif child.tag == _PARAGRAPH:
            parts.append("\n" + _paragraph(child, depth + 1))  # in a text box
        elif child.tag in _SPACES:
            parts.append(_SPACES[child.tag])
        elif child.tag not in _APART:
            parts.append(_paragraph(child, depth + 1))
    return "".join(parts)


def _table(table: Any, depth: int) -> Iterator[str]:
    for row in table.iterchildren(_ROW):
        yield from row_lines([list(filter(str.strip, _block(cell, depth + 1))) for cell in row.iterchildren(_CELL)])
