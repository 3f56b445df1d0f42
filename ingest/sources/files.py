"""Files on disk: which ones are statutes, and which reader takes each."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ingest.sources.docx import read_docx
from ingest.sources.html import read_html
from ingest.sources.hwp import read_hwp
from ingest.sources.hwpx import read_hwpx
from ingest.sources.lawgokr import read_json, read_xml
from ingest.sources.markdown import read_markdown
from ingest.sources.pdf import OnPage, read_pdf
from ingest.sources.plain import read_plain
from ingest.sources.raw import check_file
from ingest.sources.stated import NOTHING, complete
from rag.characters import clean, file_name
from rag.errors import SourceError
from rag.statutes import Statute

log = logging.getLogger(__name__)

READERS: dict[str, Callable[[Path], Statute]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".pdf": read_pdf,
    ".hwpx": read_hwpx,
    ".hwp": read_hwp,
    ".docx": read_docx,
    ".html": read_html,
    ".htm": read_html,
    ".txt": read_plain,
    ".xml": read_xml,
    ".json": read_json,
}

READER_VERSION = 3
"""Raise it when a reader reads the same bytes differently; files are then read anew."""


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files named, and below each folder those that a reader takes (READMEs aside), in path order."""
    for path in paths:
        if _is_folder(path):
            yield from sorted(
                file
                for file in path.rglob("*")
                if file.is_file() and file.suffix.lower() in READERS and file.stem.lower() != "readme"
            )
        else:
            yield path


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name too long: `check_file` says so
        return False


def read_file(path: Path, on_page: OnPage = lambda done, total: None) -> Statute:
    """Read a statute file; `on_page` is told of pages read from their picture.

    Raises SourceError, naming the file, the reason and what to do.
    """
    return complete(read_untitled(path, on_page), NOTHING, file_name(path.name))


def read_untitled(path: Path, on_page: OnPage = lambda done, total: None) -> Statute:
    """Read a statute file that may lack a title, which then is ''. Raises SourceError, as `read_file` does."""
    try:
        return _checked(_read(path, on_page))
    except SourceError as error:
        # A name that is no UTF-8 on the disk could be neither shown nor stored.
        raise SourceError(str(error).replace(path.name, file_name(path.name))) from error


def _checked(statute: Statute) -> Statute:
    """Return a statute whose edition cannot be taken for another's, whatever its file says."""
    edition, warnings = statute.edition, statute.warnings
    title, law_id = clean(edition.title).strip(), edition.law_id
    if not re.fullmatch(r"[0-9]{0,12}", law_id):  # an id that could be a title's
        warnings = (*warnings, f"법령ID '{clean(law_id)[:40]}'은(는) 숫자가 아니라서 비워 두었습니다.")
        law_id = ""
    source = file_name(edition.source)
    return replace(statute, edition=replace(edition, title=title, law_id=law_id, source=source), warnings=warnings)


def _read(path: Path, on_page: OnPage) -> Statute:
    check_file(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(sorted(READERS))
        raise SourceError(f"{path.name}: 읽을 수 없는 형식입니다. 지금 읽을 수 있는 형식: {known}")
    try:
        return read_pdf(path, on_page=on_page) if reader is read_pdf else reader(path)
    except OSError as error:
        raise SourceError(f"{path.name}: 파일을 열 수 없습니다({error.strerror}).") from error
    except SourceError:
        raise
    except Exception as error:
        # A file that trips a reader up must not take the rest of its batch along; the log has the trace.
        log.exception("reading %s", path)
        raise SourceError(f"{path.name}: 읽는 중에 예기치 못한 문제가 생겼습니다({type(error).__name__}).") from error


def hash_file(path: Path) -> str:
    """Return what tells whether a file has to be read again. Raises SourceError."""
    sha = hashlib.sha256(f"{READER_VERSION}{path.suffix.lower()}".encode())
    check_file(path)
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                sha.update(block)
    except OSError as error:
        raise SourceError(f"{path.name}: 파일을 열 수 없습니다({error.strerror}).") from error
    return sha.hexdigest()
