"""Packs a character map into sentencepiece's "precompiled charsmap", which `tokenizers` reads.

Layout: uint32 size of the trie in bytes, the trie as uint32 units, then the replacements as UTF-8,
each ended by a zero byte. The trie is a double array in darts-clone's unit encoding; a leaf's value
is the byte position of its replacement.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

_HAS_LEAF = 1 << 8
_LEAF = 1 << 31
_OFFSET_SHIFT = 10
_OFFSET_LIMIT = 1 << 21
_TERMINATOR = 0

_Node = dict[int, "_Node | int"]


def pack(mapping: Mapping[str, str]) -> bytes:
    """Character map -> charsmap bytes.

    Keys are single characters other than NUL (the trie uses zero bytes as terminators); values may
    be empty or several characters. Raises ValueError for any other key or value.
    """
    replacements = bytearray()
    positions: dict[str, int] = {}
    root: _Node = {}
    for source in sorted(mapping):
        target = mapping[source]
        if len(source) != 1 or source == "\0" or "\0" in target:
            raise ValueError(f"cannot pack {source!r} -> {target!r}")
        if target not in positions:
            positions[target] = len(replacements)
            replacements += target.encode("utf-8") + b"\0"
        node = root
        for byte in source.encode("utf-8"):
            child = node.setdefault(byte, {})
            assert isinstance(child, dict)
            node = child
        node[_TERMINATOR] = positions[target]
    units = _DoubleArray().build(root)
    trie = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(trie)) + trie + bytes(replacements)


@dataclass
class _DoubleArray:
    """First-fit placement of trie nodes; child of node n under byte b sits at offset(n) ^ b."""

    units: list[int] = field(default_factory=list)
    used: list[bool] = field(default_factory=list)
    bases: set[int] = field(default_factory=set)
    first_free: int = 1

    def build(self, root: _Node) -> list[int]:
        self._grow(256)
        self.used[0] = True
        self._place(0, 0, root)
        # A reader may look up any byte under the last node, so the array ends on a full block.
        self._grow((max(self.bases) | 0xFF) + 1)
        return self.units

    def _grow(self, size: int) -> None:
        missing = size - len(self.units)
        if missing > 0:
            self.units += [0] * missing
            self.used += [False] * missing

    def _place(self, at: int, label: int, node: _Node) -> None:
        base = self._find_base(at, sorted(node))
        self.bases.add(base)
        leaf = _HAS_LEAF if _TERMINATOR in node else 0
        self.units[at] = ((at ^ base) << _OFFSET_SHIFT) | leaf | label
        for byte in node:
            self.used[base ^ byte] = True
        for byte, child in sorted(node.items()):
            if isinstance(child, int):
                self.units[base ^ byte] = _LEAF | child
            else:
                self._place(base ^ byte, byte, child)

    def _find_base(self, at: int, labels: list[int]) -> int:
        while self.first_free < len(self.used) and self.used[self.first_free]:
            self.first_free += 1
        slot = self.first_free
        while True:
            base = slot ^ labels[0]
            self._grow((slot | 0xFF) + 1)
            # Two nodes on one base would see each other's children, hence the set.
            if base not in self.bases and not any(self.used[base ^ label] for label in labels):
                if at ^ base >= _OFFSET_LIMIT:
                    raise ValueError("character map too large for 21-bit offsets")
                return base
            slot += 1
