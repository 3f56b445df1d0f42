"""Statutes as HTML: a page of law.go.kr as it was saved, or any page that shows a statute's text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree  # type: ignore[import-untyped]
from lxml import html as lxml_html

from ingest.sources.hwpx import CELLS
from ingest.sources.plain import parse_lines
from ingest.sources.raw import read_text
from rag.errors import SourceError
from rag.statutes import Statute

_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd div dl dt fieldset figure form h1 h2 h3 h4 h5 h6 header "
    "hr legend li main ol p pre section summary tbody tfoot thead ul".split()
)
_APART = frozenset(
    "button footer head iframe input nav noscript object option script select style svg template textarea title".split()
)
# law.go.kr's boxes over the text: links to 별표 files, and hints at administrative rules.
_BOXES = re.compile(r"\b(?:byl_pop|rule_area)\b")
_LAYOUT_IMAGE = re.compile(r"flDownload", re.I)
_SHELL = re.compile(r"lsInfo[PR]\.do|lsSc\.do|LSW")


def read_html(path: Path) -> Statute:
    """Read one statute from a web page. Raises SourceError, naming the file, the reason and what to do."""
    text = read_text(path)
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root: Any = lxml_html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
        lines = [line for part in _parts(root) for line in _lines(part)]
    except (etree.LxmlError, ValueError, AssertionError, RecursionError) as error:
        raise SourceError(
            f"{path.name}: HTML이 손상되어 읽을 수 없습니다. 브라우저에서 쪽을 다시 저장해 주십시오."
        ) from error
    if len(lines) < 5 and any(_SHELL.search(frame.get("src") or "") for frame in root.iter("iframe", "frame")):
        raise SourceError(
            f"{path.name}: 법령 본문이 틀(iframe) 안에 있어 저장되지 않은 쪽입니다. 국가법령정보센터의 '저장' 단추로 "
            "PDF나 HWPX를 받아 넣어 주십시오."
        )
    return parse_lines(lines, path.name)


def _parts(root: Any) -> list[Any]:
    """Return the elements that hold the statute: on law.go.kr its head and its text, else the whole page."""
    found = {part.get("id"): part for part in root.iter() if part.get("id") in ("conTop", "conScroll")}
    if "conScroll" not in found:
        return [root]
    top, text = found.get("conTop"), found["conScroll"]
    return [text] if top is None or top in text.iterancestors() or text in top.iterancestors() else [top, text]


def _lines(root: Any) -> Iterator[str]:
    """Yield the lines that a browser would show, white space folded."""
    for line in "".join(_pieces(root)).split("\n"):
        if folded := re.sub(r"\s+", " ", line).strip():
            yield folded


def _pieces(root: Any) -> Iterator[str]:
    """Yield an element's text in pieces, a line end around each block. Iterative: pages nest as deep as they like."""
    stack: list[Any] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
            continue
        tag = item.tag
        # What is folded away is read too: law.go.kr folds long addenda.
        if tag in _APART or not isinstance(tag, str) or _BOXES.search(item.get("class") or ""):
            continue
        if tag == "tr":
            yield "\n" + _row(item) + "\n"
            continue
        if tag == "br":
            yield "\n"
        elif tag == "img":
            yield f"\n[그림: {src}]\n" if _LAYOUT_IMAGE.search(src := item.get("src") or "") else ""
        end = "\n" if tag in _BLOCKS else ""
        stack.append(end)
        for child in reversed(item):
            stack += [_fold(child.tail), child]
        stack += [_fold(item.text), end]


def _fold(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "")


def _row(row: Any) -> str:
    """Return a table row as one line, or as its lines where just one cell is filled: text that was only framed."""
    cells = [list(_lines(cell)) for cell in row if cell.tag in ("td", "th")]
    filled = [cell for cell in cells if cell]
    if len(filled) == 1:
        return "\n".join(filled[0])
    return CELLS.join(" ".join(cell) for cell in cells)
