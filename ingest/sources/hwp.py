"""Statutes as HWP 5, the binary format of 한글: a compound file whose BodyText sections are streams of records.

Written from the format that Hancom publishes (한글 문서 파일 형식 5.0), over olefile, which gives the container. Of the
libraries that read HWP some are under the AGPL; others drop tabs, or stop at a damaged record without a word.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import olefile  # type: ignore[import-untyped]

from ingest.sources.hwpx import read_hwpx, row_lines
from ingest.sources.plain import parse_lines
from ingest.sources.raw import HWP_ADVICE, MAX_TEXT, OLE, max_bytes, read_bytes
from rag.errors import SourceError
from rag.statutes import Statute

_SIGNATURE = b"HWP Document File"
_COMPRESSED, _CHANGES = 1 << 0, 1 << 14
_LOCKED = {
    1 << 1: "암호가 걸린 문서입니다. 암호를 풀어 저장한 파일을 넣어 주십시오.",
    1 << 2: "배포용 문서라 읽을 수 없습니다. 배포용으로 저장하기 전의 파일을 넣어 주십시오.",
    1 << 4: "DRM으로 보호된 문서입니다. 보호를 푼 파일을 넣어 주십시오.",
    1 << 8: "인증서로 암호화된 문서입니다. 암호를 풀어 저장한 파일을 넣어 주십시오.",
    1 << 10: "인증서 DRM으로 보호된 문서입니다. 보호를 푼 파일을 넣어 주십시오.",
}
_PROPERTIES, _PARA_SHAPE = 16, 25
_PARAGRAPH, _TEXT, _CONTROL, _LIST, _TABLE = 66, 67, 71, 72, 77
_APART = frozenset((b"head", b"foot", b"tcmt", b"secd", b"cold", b"pgnp", b"atno", b"nwno"))
"""Controls with text that is no part of the document's own: running heads, hidden comments, numbers of pages."""
_WIDE = frozenset((*range(1, 10), 11, 12, *range(14, 24)))  # control characters of eight code units; others have one
_SHOWN = {9: " ", 10: "\n", 24: "-", 30: " ", 31: " "}
_MAX_DEPTH = 100
_NUMBERED = "자동으로 매긴 번호가 있습니다. 글자가 아닌 번호는 읽지 못하므로 조ㆍ항ㆍ호를 확인해 주십시오."
_TRACKED = "변경 추적이 남아 있어, 지운 글도 함께 읽었을 수 있습니다. 변경 내용을 적용해 저장해 주십시오."


class _DamagedError(Exception):
    """The bytes are not what the format says."""


@dataclass(slots=True)
class _Record:
    """A record and those below it."""

    tag: int
    payload: bytes
    children: list[_Record] = field(default_factory=list)


def read_hwp(path: Path) -> Statute:
    """Read one HWP 5 statute, or HWPX under that name. Raises SourceError, naming the file, the reason, what to do."""
    data = read_bytes(path, max_bytes())
    if data.startswith(b"PK\x03\x04"):
        return read_hwpx(path)
    if not data.startswith(OLE):
        old = "HWP 3 이전 형식은" if data.startswith(_SIGNATURE) else "HWP 문서가 아니거나 손상되어"
        raise SourceError(f"{path.name}: {old} 읽을 수 없습니다. {HWP_ADVICE}")
    try:
        streams, warnings = _open(data, path.name)
        sections = [_tree(section) for section in streams]
        lines = [line for section in sections for line in _paragraphs(section.children, 0)]
    except (_DamagedError, struct.error, zlib.error, RecursionError) as error:
        raise SourceError(f"{path.name}: HWP 파일이 손상되어 읽을 수 없습니다. {HWP_ADVICE}") from error
    return parse_lines(lines, path.name, warnings)


def _open(data: bytes, name: str) -> tuple[list[bytes], list[str]]:
    """Return the sections' records, unpacked, and what is odd about the document."""
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            numbers = sorted(int(m[1]) for entry in ole.listdir() if (m := _section("/".join(entry))))
            found = {part: ole.openstream(part).read() for part in ("FileHeader", "DocInfo") if ole.exists(part)}
            found |= {f"BodyText/Section{n}": ole.openstream(f"BodyText/Section{n}").read() for n in numbers}
    except Exception as error:
        # What olefile trips over in a damaged container is anybody's guess: IndexError, struct.error, RecursionError …
        raise _DamagedError from error
    header = found.pop("FileHeader", b"")
    if not header.startswith(_SIGNATURE):
        raise SourceError(f"{name}: HWP 문서가 아니라 옛 형식의 다른 문서입니다. {HWP_ADVICE}")
    (flags,) = struct.unpack_from("<I", header, 36)
    if locked := next((why for flag, why in _LOCKED.items() if flags & flag), ""):
        raise SourceError(f"{name}: {locked}")
    if flags & _COMPRESSED:
        found = _unpacked(found, name)
    info = _tree(found.pop("DocInfo", b"")).children
    stated = [struct.unpack_from("<H", record.payload)[0] for record in info if record.tag == _PROPERTIES]
    if not numbers or numbers != list(range(len(numbers))) or stated != [len(numbers)]:
        raise _DamagedError  # a section that is missing is text that is missing
    sections = [found[f"BodyText/Section{number}"] for number in numbers]
    odd = {_TRACKED: bool(flags & _CHANGES), _NUMBERED: _numbers_itself(info, sections)}
    return sections, [warning for warning, applies in odd.items() if applies]


def _section(entry: str) -> re.Match[str] | None:
    return re.fullmatch(r"BodyText/Section(\d{1,4})", entry)


def _unpacked(streams: dict[str, bytes], name: str) -> dict[str, bytes]:
    left = MAX_TEXT
    unpacked = {}
    for part, packed in streams.items():
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        unpacked[part] = stream.decompress(packed, left + 1)
        left -= len(unpacked[part])
        if left < 0:
            raise SourceError(
                f"{name}: 압축을 풀면 {MAX_TEXT // 2**20} MB가 넘어 너무 큽니다. 나누어서 저장해 주십시오."
            )
        if not stream.eof:
            raise _DamagedError
    return unpacked


def _records(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (tag, level, payload) of every record."""
    place = 0
    while place < len(stream):
        (header,) = struct.unpack_from("<I", stream, place)
        place, size = place + 4, header >> 20
        if size == 0xFFF:
            (size,) = struct.unpack_from("<I", stream, place)
            place += 4
        if place + size > len(stream):
            raise _DamagedError
        yield header & 0x3FF, header >> 10 & 0x3FF, stream[place : place + size]
        place += size


def _tree(stream: bytes) -> _Record:
    """Return a root over the records of a stream, each below the last one of a lower level."""
    root = _Record(0, b"")
    above = [root]
    for tag, level, payload in _records(stream):
        del above[level + 1 :]
        if len(above) != level + 1:
            raise _DamagedError
        above.append(_Record(tag, payload))
        above[level].children.append(above[-1])
    return root


def _numbers_itself(info: Sequence[_Record], sections: Sequence[bytes]) -> bool:
    """Whether a paragraph's shape has 한글 put a number before it, which is no text then."""
    shapes = [struct.unpack_from("<I", record.payload)[0] for record in info if record.tag == _PARA_SHAPE]
    numbering = {place for place, shape in enumerate(shapes) if shape >> 23 & 3 in (1, 2)}
    paragraphs = (payload for section in sections for tag, _, payload in _records(section) if tag == _PARAGRAPH)
    return bool(numbering) and any(struct.unpack_from("<H", shown, 8)[0] in numbering for shown in paragraphs)


def _paragraphs(records: Sequence[_Record], depth: int) -> Iterator[str]:
    """Yield the lines of a list's paragraphs: of each its text, then what is anchored in it."""
    if depth > _MAX_DEPTH:
        raise _DamagedError
    for record in records:
        if record.tag == _PARAGRAPH:
            yield from "".join(_decode(part.payload) for part in record.children if part.tag == _TEXT).split("\n")
            yield from _paragraphs([part for part in record.children if part.tag == _CONTROL], depth + 1)
        elif record.tag == _CONTROL and record.payload[3::-1] == b"tbl ":
            yield from _table(record.children, depth + 1)
        elif record.tag != _CONTROL or record.payload[3::-1] not in _APART:
            yield from _paragraphs(record.children, depth + 1)


def _table(records: Sequence[_Record], depth: int) -> Iterator[str]:
    """Yield a table's caption, then a line a row; the cells are lists that each state their row."""
    start = next((i for i, record in enumerate(records) if record.tag == _TABLE), len(records))
    yield from _paragraphs(records[:start], depth)
    rows: dict[int, list[list[str]]] = {}
    row = -1
    for record in records[start + 1 :]:
        if record.tag == _LIST:
            (row,) = struct.unpack_from("<H", record.payload, 10)
            rows.setdefault(row, []).append([])
        elif row >= 0:
            rows[row][-1] += filter(str.strip, _paragraphs([record], depth))
    for row in sorted(rows):
        yield from row_lines(rows[row])


def _decode(payload: bytes) -> str:
    """Return a paragraph's text, UTF-16 with control characters in it."""
    units = struct.unpack(f"<{len(payload) // 2}H", payload)
    text, place = [], 0
    while place < len(units):
        unit = units[place]
        if unit >= 32:
            text.append(unit)
        elif unit in _SHOWN:
            text.append(ord(_SHOWN[unit]))
        place += 8 if unit in _WIDE else 1
    return struct.pack(f"<{len(text)}H", *text).decode("utf-16-le", "replace")
