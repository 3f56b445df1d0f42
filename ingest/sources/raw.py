"""Files as bytes, text, zip or XML, with the limits that hostile ones run into; every failure is a SourceError."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from ingest.sources.markdown import decode
from rag.errors import SourceError
from rag.settings import settings

MAX_TEXT = 50 * 2**20
"""Bytes of one text, or of one part of a zip; the longest statutes have less than five million."""

MAX_RATIO = 200
"""How many times its size a zip above `_SMALL` may unpack to; office documents stay below 50."""

_SMALL = 10 * 2**20
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What compound files begin with: HWP 5, DOC, encrypted DOCX."""

_AGAIN = "파일을 다시 내려받아 주십시오."
_HTML_START = re.compile(
    r"\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE | re.DOTALL
)

HWP_ADVICE = "한컴오피스에서 '다른 이름으로 저장하기'로 HWPX 또는 PDF로 저장해서 넣어 주십시오."


def check_file(path: Path) -> None:
    """Raise SourceError unless a path is a regular file of no more than LAW_MAX_FILE_MB; nothing of it is read."""
    try:
        if not path.exists():
            raise SourceError(f"{path.name}: 파일이 없습니다({path}). 경로를 확인해 주십시오.")
        if not path.is_file():
            # A pipe or device could be read without end.
            raise SourceError(f"{path.name}: 보통 파일이 아니라서 읽지 않습니다. 파일을 골라 주십시오.")
        if (size := path.stat().st_size) > max_bytes():
            raise SourceError(_too_large(path.name, size, max_bytes()))
    except (OSError, ValueError) as error:  # a name too long, or with a NUL
        raise SourceError(f"{path.name[:80]}: 파일 이름이나 경로를 쓸 수 없습니다. 이름을 바꾸어 주십시오.") from error


def max_bytes() -> int:
    """Return the most bytes of a file, and of what a zipped one unpacks to."""
    return settings().max_file_mb * 2**20


def read_bytes(path: Path, limit: int = MAX_TEXT) -> bytes:
    """Return a file's bytes. Raises SourceError where it is empty, too large or cannot be opened."""
    try:
        size = path.stat().st_size
        if size > limit:
            raise SourceError(_too_large(path.name, size, limit))
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path.name}: 파일을 열 수 없습니다({error.strerror}).") from error
    if not data.strip():
        raise SourceError(f"{path.name}: 빈 파일입니다. {_AGAIN}")
    return data


def read_text(path: Path) -> str:
    """Return a text file's text (UTF-8, UTF-16 or CP949), line ends as \\n. Raises SourceError where it is none."""
    data = read_bytes(path)
    if kind := _other_kind(data):
        raise SourceError(
            f"{path.name}: 내용이 {kind}입니다. 확장자를 바로잡거나, 내용을 글로 저장해서 다시 넣어 주십시오."
        )
    try:
        text = decode(data)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{path.name}: 글자를 읽을 수 없습니다(UTF-8, UTF-16, CP949가 아닙니다). UTF-8로 저장해서 넣어 주십시오."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_html(text: str) -> bool:
    """Whether a text is a web page, whatever its file is called."""
    return _HTML_START.match(text) is not None


def parse_xml(text: str | bytes, name: str) -> Element:
    """Parse XML without entities of its own. Raises SourceError."""
    try:
        root: Element = fromstring(text)
    except DefusedXmlException as error:
        raise SourceError(
            f"{name}: 개체(entity)를 정의하는 XML은 위험해서 읽지 않습니다. 국가법령정보센터에서 받은 파일인지 "
            "확인해 주십시오."
        ) from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise SourceError(f"{name}: XML이 손상되어 읽을 수 없습니다. {_AGAIN}") from error
    return root


@contextmanager
def opened_zip(path: Path, kind: str) -> Iterator[zipfile.ZipFile]:
    """Open a zipped document in memory after checking what it unpacks to. Raises SourceError."""
    data = read_bytes(path, max_bytes())
    if data.startswith(OLE):
        raise SourceError(f"{path.name}: {_about_ole(data, kind)}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_sizes(archive, len(data), path.name)
            yield archive
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, OSError) as error:
        found = _other_kind(data)
        said = f"{kind} 파일이 아니라 {found}입니다" if found and found != "ZIP" else f"손상되었거나 {kind}가 아닙니다"
        raise SourceError(f"{path.name}: {said}. {kind}로 다시 저장해서 넣어 주십시오.") from error


def read_part(archive: zipfile.ZipFile, part: str, name: str) -> bytes:
    """Return one part of a zip. Raises SourceError where it is too large, damaged or encrypted."""
    size = archive.getinfo(part).file_size
    if size > MAX_TEXT:
        raise SourceError(_too_large(name, size, MAX_TEXT))
    try:
        return archive.read(part)
    except RuntimeError as error:  # NotImplementedError too: a way of packing that zipfile does not know
        raise SourceError(
            f"{name}: 암호가 걸렸거나 알 수 없는 방식으로 압축한 파일입니다. 암호를 풀어 주십시오."
        ) from error
    except Exception as error:  # zlib, lzma and bz2 each have an error of their own for damaged data
        raise SourceError(f"{name}: 파일이 손상되었습니다. {_AGAIN}") from error


def _check_sizes(archive: zipfile.ZipFile, packed: int, name: str) -> None:
    # zipfile reads no more of a part than the size that is stated here, so a false one cannot do harm.
    unpacked = sum(info.file_size for info in archive.infolist())
    if unpacked > max_bytes() or unpacked > max(_SMALL, MAX_RATIO * packed):
        raise SourceError(
            f"{name}: 압축을 풀면 {unpacked / 2**20:,.0f} MB라 너무 큽니다(최대 {max_bytes() // 2**20} MB, "
            f"{MAX_RATIO}배). 그림을 빼거나 나누어서 저장해 주십시오."
        )


def _too_large(name: str, size: int, limit: int) -> str:
    return f"{name}: {size / 2**20:,.0f} MB라 너무 큽니다(최대 {limit // 2**20} MB). 나누어서 넣어 주십시오."


def _other_kind(data: bytes) -> str:
    """Return what binary format a file really has, as far as its first bytes say; '' for text."""
    starts = {b"%PDF-": "PDF", b"PK\x03\x04": "ZIP", OLE: "옛 한글(HWP)이나 Word(DOC) 문서", b"{\\rtf": "RTF"}
    return next((kind for start, kind in starts.items() if data.startswith(start)), "")


def _about_ole(data: bytes, kind: str) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "암호가 걸린 문서입니다. 암호를 풀어 저장한 파일을 넣어 주십시오."
    if b"HWP Document File" in data:
        return "HWP 5 문서입니다. 확장자를 .hwp로 바꾸어 주십시오."
    return f"옛 형식의 문서라 읽을 수 없습니다. {kind} 또는 PDF로 저장해서 넣어 주십시오."
