"""Statutes as PDF: text as the National Law Information Center (law.go.kr), gazettes and word processors print it, or
pictures of text, which are recognised page by page.

pdfium is called directly and not through LangChain's PyPDFium2Loader, because that gives a page's text without the
positions that tell heads from cross-references and line ends from paragraph ends (docs/pdf.md has the comparison).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.grammar import StatuteBuilder
from ingest.sources.head import make_edition, read_head
from ingest.sources.lines import ANNEX, add_line, finish, look_at
from ingest.sources.pdf_join import join_lines
from ingest.sources.pdf_layout import lay_out, right_margins
from ingest.sources.pdf_lines import Page, read_pages, read_paths, render_page
from ingest.sources.pdf_mend import mend
from ingest.sources.pdf_ocr import INSTALL, ocr_is_ready, recognise
from ingest.sources.pdf_quality import is_garbled, is_korean, is_picture, needs_ocr
from ingest.sources.pdf_tables import tabulate
from rag.errors import SourceError
from rag.settings import Settings, settings
from rag.statutes import Statute

_FROM_LAW_GO_KR = "국가법령정보센터(law.go.kr)에서 PDF로 저장한 파일을 넣어 주십시오."

OnPage = Callable[[int, int], None]
"""Is told how many pages were recognised, and of how many."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """The pages of a PDF, with the numbers of those that were recognised and of those that could not be read."""

    pages: list[Page]
    recognised: list[int]
    unread: list[int]


def read_pdf(path: Path, options: Settings | None = None, on_page: OnPage = lambda done, total: None) -> Statute:
    """Read one PDF within the limits of `options`. Raises SourceError, naming the file, the reason and what to do."""
    reading = _read(path, options or settings(), on_page)
    pages = lay_out(_with_tables(path, reading.pages))
    lines = [line for page in pages for line in page.lines]
    if reading.recognised:
        lines = mend(lines)
    texts = [line.text for line in lines]
    if is_garbled(texts) or not is_korean(texts):
        raise SourceError(f"{path.name}: {_GARBLED} {_FROM_LAW_GO_KR}")
    head = read_head(lines)
    warnings = _warn(reading)
    edition = make_edition(head, path.name, (line.text for line in reading.pages[0].lines), warnings)
    builder = StatuteBuilder(edition, warnings)
    for line in join_lines(lines[head.length :], right_margins(pages, head.length)):
        add_line(builder, line)
    return finish(builder, path.name, known=bool(head.edition), advice=_FROM_LAW_GO_KR)


def _with_tables(path: Path, pages: Sequence[Page]) -> list[Page]:
    """Make the tables of annexes (별표) lines; an article's text has none, only what looks like one."""
    annexes = (n for n, page in enumerate(pages) if any(look_at(line.text) == ANNEX for line in page.lines))
    first = next(annexes, len(pages))
    return [
        page if number < first or page.recognised else tabulate(page, read_paths(path, number))
        for number, page in enumerate(pages)
    ]


_GARBLED = "글자가 깨져 읽을 수 없는 PDF입니다(글꼴에 유니코드 대응표가 없거나 틀립니다)."
_PICTURE = "글자가 없는 PDF입니다(스캔한 그림)."


def _read(path: Path, options: Settings, on_page: OnPage) -> _Reading:
    """Read the text of every page, or recognise it where there is none that means what it shows."""
    pages = read_pages(path, options.max_pdf_pages)
    wanted = [number for number, page in enumerate(pages) if needs_ocr(page)]
    empty = [number for number, page in enumerate(pages) if not page.lines]
    if not wanted:
        if len(empty) == len(pages):
            raise SourceError(f"{path.name}: {_PICTURE} {_FROM_LAW_GO_KR}")
        return _Reading(pages, [], empty)
    pictures = all(is_picture(pages[number]) for number in wanted)
    why = _PICTURE if pictures else _GARBLED
    if not options.max_ocr_pages or not ocr_is_ready():
        readable = len(pages) - len({*wanted, *empty})
        if readable <= len(wanted):
            advice = INSTALL if options.max_ocr_pages else "LAW_MAX_OCR_PAGES가 0이라 문자 인식(OCR)을 하지 않습니다."
            raise SourceError(f"{path.name}: {why} {advice} 또는 {_FROM_LAW_GO_KR}")
        lost = {number for number in wanted if _is_lost(pages[number])}
        kept = [replace(page, lines=()) if number in lost else page for number, page in enumerate(pages)]
        return _Reading(kept, [], sorted({*lost, *empty}))
    if len(wanted) > options.max_ocr_pages:
        raise SourceError(
            f"{path.name}: 문자 인식(OCR)이 필요한 쪽이 {len(wanted):,}쪽이라 너무 많습니다"
            f"(최대 {options.max_ocr_pages:,}쪽). 나누어서 넣거나 LAW_MAX_OCR_PAGES를 늘려 주십시오."
        )
    return _recognise(path, pages, wanted, options.ocr_seconds, on_page)


def _recognise(path: Path, pages: list[Page], wanted: Sequence[int], seconds: float, on_page: OnPage) -> _Reading:
    pages = list(pages)
    recognised, unread = [], [number for number, page in enumerate(pages) if not page.lines and number not in wanted]
    on_page(0, len(wanted))
    for done, number in enumerate(wanted, start=1):
        picture, dpi = render_page(path, number)
        page = pages[number]
        try:
            lines = recognise(picture, dpi, number, page.height, seconds)
        except TimeoutError as error:
            raise SourceError(
                f"{path.name}: {number + 1}쪽의 문자 인식(OCR)이 {seconds:.0f}초 안에 끝나지 않았습니다. "
                "LAW_OCR_SECONDS를 늘리거나 더 또렷한 파일을 넣어 주십시오."
            ) from error
        except SourceError as error:
            raise SourceError(f"{path.name}: {error}") from error
        texts = [line.text for line in lines]
        if lines and is_korean(texts):
            pages[number] = replace(page, lines=tuple(lines), recognised=True)
            recognised.append(number)
        elif _is_lost(page):
            pages[number] = replace(page, lines=())
            unread.append(number)
        on_page(done, len(wanted))
    return _Reading(pages, recognised, sorted(unread))


def _is_lost(page: Page) -> bool:
    """Whether a page that is not recognised says nothing; one in another language does."""
    return is_picture(page) or is_garbled([line.text for line in page.lines], page.unmapped)


def _warn(reading: _Reading) -> list[str]:
    warnings = []
    if reading.recognised:
        warnings.append(
            f"{_numbers(reading.recognised)}쪽은 광학 문자 인식(OCR)으로 읽었습니다. 틀린 글자가 있을 수 있고 "
            "한자는 읽지 못하니, 원문과 대조해 주십시오."
        )
    if reading.unread:
        warnings.append(f"{_numbers(reading.unread)}쪽에서 글자를 읽지 못했습니다.")
    return warnings


def _numbers(pages: Sequence[int]) -> str:
    """Return page numbers from 1, runs of them shortened: 1~3, 7."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1].append(page)
        else:
            runs.append([page])
    return ", ".join(f"{run[0] + 1}~{run[-1] + 1}" if len(run) > 1 else f"{run[0] + 1}" for run in runs)
