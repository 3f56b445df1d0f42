"""Characters that are no text: those that steer a terminal or turn a line's direction, halves of characters."""

from __future__ import annotations

import os
import re
import unicodedata

_DIRECTIONS = "\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"
_HALVES = "\ud800-\udfff"
# Everything a terminal would obey instead of showing it; tab and line feed apart.
_STEERING = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_DIRECTIONS}{_HALVES}]")
# What has no place in a statute; white space of every kind stays, for readers to make something of.
_NO_TEXT = re.compile(f"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufeff{_DIRECTIONS}{_HALVES}]")
_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]+")


def visible(text: str) -> str:
    """Return text with what would steer a terminal spelt out, ESC as \\u001b; JSON stays the same JSON."""
    return _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def clean(text: str) -> str:
    """Return a source's text without characters that are no text, Hangul that is spelt in jamo (macOS) composed."""
    text = _JAMO.sub(lambda match: unicodedata.normalize("NFC", match[0]), text)
    return _NO_TEXT.sub("", text)


def file_name(name: str) -> str:
    """Return a file's name as it was meant: composed, and read as CP949 where its bytes are no UTF-8."""
    data = os.fsencode(name)
    try:
        said = data.decode("utf-8")
    except UnicodeDecodeError:
        said = data.decode("cp949", "replace")
    return unicodedata.normalize("NFC", said)
