"""HWP 5 files, made from their published format: a compound file and the records in its streams."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

COMPRESSED = 1
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SECTOR, _MINI, _CUTOFF = 512, 64, 4096


@dataclass
class _Entry:
    """A storage (kind 1), stream (2) or the root (5) of a compound file."""

    name: str
    kind: int
    data: bytes = b""
    child: int = _FREE
    right: int = _FREE
    start: int = _END
    size: int = 0


def _padded(data: bytes, to: int) -> bytes:
    return data + bytes(-len(data) % to)


def _chain(start: int, count: int) -> list[int]:
    return [*range(start + 1, start + count), _END] if count else []


def _entries(streams: dict[str, bytes]) -> list[_Entry]:
    entries = [_Entry("Root Entry", 5)]
    inside: dict[str, list[int]] = {"": []}
    for path, data in streams.items():
        folder, _, name = path.rpartition("/")
        if folder not in inside:
            inside[folder] = []
            inside[""].append(len(entries))
            entries.append(_Entry(folder, 1))
        inside[folder].append(len(entries))
        entries.append(_Entry(name, 2, data, size=len(data)))
    for folder, places in inside.items():
        places.sort(key=lambda place: (len(entries[place].name), entries[place].name.upper()))
        parent = next(entry for entry in entries if (entry.kind == 5 if not folder else entry.name == folder))
        parent.child = places[0] if places else _FREE
        for place, following in pairwise(places):
            entries[place].right = following
    return entries


def compound(streams: dict[str, bytes]) -> bytes:
    """Return a compound file (MS-CFB, version 3) of streams named 'Storage/Stream' or 'Stream'."""
    entries = _entries(streams)
    mini, mini_fat = b"", []
    for entry in entries:
        if entry.kind == 2 and 0 < entry.size < _CUTOFF:
            entry.start = len(mini) // _MINI
            mini += _padded(entry.data, _MINI)
            mini_fat += _chain(entry.start, len(mini) // _MINI - entry.start)
    entries[0].size = len(mini)
    packed_fat = _padded(struct.pack(f"<{len(mini_fat)}I", *mini_fat), _SECTOR)
    directory = -(-len(entries) // 4)
    bodies = [packed_fat, mini, *(entry.data for entry in entries if entry.kind == 2 and entry.size >= _CUTOFF)]
    owners = [None, entries[0], *(entry for entry in entries if entry.kind == 2 and entry.size >= _CUTOFF)]
    needed = directory + sum(-(-len(body) // _SECTOR) for body in bodies)
    fats = next(count for count in range(1, 110) if count * 128 >= needed + count)
    fat = [_FAT] * fats + _chain(fats, directory)
    sectors, mini_start = b"", _END
    for body, owner in zip(bodies, owners, strict=True):
        count = -(-len(body) // _SECTOR)
        if count and owner:
            owner.start = len(fat)
        elif count:
            mini_start = len(fat)
        fat += _chain(len(fat), count)
        sectors += _padded(body, _SECTOR)
    fat += [_FREE] * (fats * 128 - len(fat))
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, fats, fats,
        0, _CUTOFF, mini_start, len(packed_fat) // _SECTOR, _END, 0, 0,
    )[:76]  # fmt: skip
    difat = struct.pack("<109I", *range(fats), *[_FREE] * (109 - fats))
    listed = b"".join(map(_directory_entry, entries))
    blank = struct.pack("<64sHBBIII16sIQQIQ", b"", 0, 0, 0, _FREE, _FREE, _FREE, b"", 0, 0, 0, 0, 0)
    listed += blank * (-len(entries) % 4)
    return header + difat + struct.pack(f"<{len(fat)}I", *fat) + listed + sectors


def _directory_entry(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ", name, len(name) + 2, entry.kind, 1, _FREE, entry.right, entry.child, b"", 0, 0, 0,
        entry.start if entry.kind != 1 else 0, entry.size,
    )  # fmt: skip


def record(tag: int, level: int, payload: bytes) -> bytes:
    if len(payload) < 0xFFF:
        return struct.pack("<I", tag | level << 10 | len(payload) << 20) + payload
    return struct.pack("<II", tag | level << 10 | 0xFFF << 20, len(payload)) + payload


def wide(code: int, name: bytes = b"") -> str:
    """Return a control character of eight code units, with the control's name in it."""
    inside = struct.unpack("<6H", (name[::-1] + bytes(12))[:12])
    return "".join(map(chr, (code, *inside, code)))


def paragraph(text: str, level: int = 0, controls: bytes = b"", shape: int = 0) -> bytes:
    """Return a paragraph; a line break in the text is a control character, as it is in the format."""
    units = (text + "\r").encode("utf-16-le", "surrogatepass")
    head = struct.pack("<IIHBBHHHIH", len(units) // 2, 0, shape, 0, 0, 1, 0, 0, 0, 0)
    return record(66, level, head) + record(67, level + 1, units) + controls


def control(name: bytes, level: int, inside: bytes) -> bytes:
    return record(71, level, name[::-1] + bytes(40)) + inside


def table(rows: Sequence[Sequence[str]], level: int = 1, caption: str = "") -> bytes:
    """Return a table control below a paragraph of level - 1."""
    inside = record(72, level + 1, struct.pack("<HIH", 1, 0, 0) + bytes(8)) + paragraph(caption, level + 1)
    inside = inside if caption else b""
    inside += record(77, level + 1, struct.pack("<IHH", 0, len(rows), len(rows[0])) + bytes(20))
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            lines = text.split("\n")
            place = struct.pack("<HIHHHHH", len(lines), 0, 0, column, row, 1, 1) + bytes(18)
            inside += record(72, level + 1, place) + b"".join(paragraph(line, level + 1) for line in lines)
    return control(b"tbl ", level, inside)


def hwp(
    sections: Iterable[bytes], *, flags: int = COMPRESSED, shapes: Sequence[int] = (0,), stated: int | None = None
) -> bytes:
    """Return a HWP 5 file of these sections' records; `stated` is how many the document says it has."""
    bodies = list(sections)
    info = record(16, 0, struct.pack("<H", len(bodies) if stated is None else stated) + bytes(24))
    info += b"".join(record(25, 0, struct.pack("<I", shape) + bytes(50)) for shape in shapes)
    streams = {"DocInfo": info, **{f"BodyText/Section{n}": body for n, body in enumerate(bodies)}}
    if flags & COMPRESSED:
        streams = {name: deflated(data) for name, data in streams.items()}
    header = b"HWP Document File".ljust(32, b"\0") + struct.pack("<II", 0x05000500, flags)
    return compound({"FileHeader": header.ljust(256, b"\0"), **streams})


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def hwp_of(lines: Sequence[str]) -> bytes:
    """Return a HWP 5 file of two sections, the first with the controls that every section begins with."""
    middle = len(lines) // 2
    settings = control(b"secd", 1, b"") + control(b"cold", 1, b"")
    first = paragraph(wide(2, b"secd") + wide(2, b"cold") + lines[0], controls=settings)
    first += b"".join(map(paragraph, lines[1:middle]))
    return hwp([first, b"".join(map(paragraph, lines[middle:]))])
