"""Statutes as PDF with text, as the National Law Information Center (law.go.kr) prints them.

pdfium is called directly and not through LangChain's PyPDFium2Loader, because that gives a page's text without the
positions that tell heads from cross-references and line ends from paragraph ends.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from ingest.grammar import StatuteBuilder
from ingest.sources.head import make_edition, read_head
from ingest.sources.lines import add_line, finish
from ingest.sources.pdf_join import join_lines
from ingest.sources.pdf_lines import Page, drop_running, read_pages, right_margins
from rag.errors import SourceError
from rag.statutes import Statute

_FROM_LAW_GO_KR = "국가법령정보센터(law.go.kr)에서 PDF로 저장한 파일을 넣어 주십시오."
_COMMON = frozenset("의다에는이을한제하조법항를사호정대자인는관가기및고지로여위")
_FEW_COMMON = 0.12  # of Hangul; no current statute has less than 0.27, and syllables at random have 0.003
_FEW_KOREAN = 0.15  # of all characters; the least of a current statute is 0.28
_MANY_BROKEN = 0.1


def read_pdf(path: Path) -> Statute:
    """Read one text PDF. Raises SourceError, naming the file, the reason and what to do."""
    printed = read_pages(path)
    pages = drop_running(printed)
    lines = [line for page in pages for line in page.lines]
    _check_text([line.text for line in lines], len(pages), path.name)
    head = read_head(lines)
    warnings: list[str] = []
    edition = make_edition(head, path.name, (line.text for line in printed[0].lines), warnings)
    builder = StatuteBuilder(edition, warnings)
    for line in join_lines(lines[head.length :], right_margins(pages)):
        add_line(builder, line)
    warnings += _empty_pages(printed)
    return finish(builder, path.name, known=bool(head.edition), advice=_FROM_LAW_GO_KR)


def _empty_pages(pages: Sequence[Page]) -> list[str]:
    empty = [str(number) for number, page in enumerate(pages, start=1) if not page.lines]
    return [f"{', '.join(empty)}쪽에서 글자를 읽지 못했습니다."] if empty else []


def _check_text(texts: Sequence[str], pages: int, name: str) -> None:
    """Raise SourceError where a PDF has no text, or none that means what it shows."""
    chars = [char for text in texts for char in text if not char.isspace()]
    if len(chars) < max(20, 3 * pages):
        raise SourceError(
            f"{name}: 글자가 없는 PDF입니다(스캔한 그림). 문자 인식(OCR)은 아직 지원하지 않습니다. {_FROM_LAW_GO_KR}"
        )
    hangul = [char for char in chars if "가" <= char <= "힣"]
    hanja = sum("\u3400" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff" for char in chars)
    latin = sum(char.isascii() and char.isalpha() for char in chars)
    broken = sum(char == "\ufffd" or unicodedata.category(char) in ("Co", "Cn", "Cc", "Cs") for char in chars)
    few_common = len(hangul) >= 100 and sum(char in _COMMON for char in hangul) < _FEW_COMMON * len(hangul)
    few_korean = len(hangul) + hanja < _FEW_KOREAN * len(chars) and latin < 0.5 * len(chars)
    if few_common or few_korean or broken > _MANY_BROKEN * len(chars) or any("(cid:" in text for text in texts):
        raise SourceError(
            f"{name}: 글자가 깨져 읽을 수 없는 PDF입니다(글꼴에 유니코드 대응표가 없거나 틀립니다). {_FROM_LAW_GO_KR}"
        )
