"""Text -> Markdown that shows it as it is written: whatever comes from statutes, visitors or a language model."""

from __future__ import annotations

import re

_CHARACTERS = re.compile(r"[\\`*_{}\[\]#|~$@]")
# Bare addresses become links by themselves; the answer links to articles only.
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|javascript|data|tel)(:)|\b(www)(\.)")
_INDENTED = re.compile(r"(?m)^(?: {4,}| {0,3}\t)[ \t]*")
_LINE_START = re.compile(r"(?m)^( *)(\d+(?=[.)])|(?=[-+=]))")


def escape(text: str) -> str:
    """Return text that Markdown shows letter by letter, without links, images, HTML, headings or lists."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _CHARACTERS.sub(r"\\\g<0>", text)
    text = _ADDRESS.sub(lambda match: "".join(part for part in match.groups() if part)[:-1] + "\\" + match[0][-1], text)
    return _LINE_START.sub(r"\1\2\\", _INDENTED.sub(" ", text))


def link(text: str, url: str) -> str:
    """Return a link to one of our own addresses; its text is escaped."""
    address = re.sub(r"[\s<>()\[\]\\\"']", lambda match: f"%{ord(match[0]):02X}", url)
    return f"[{escape(text)}]({address})"
