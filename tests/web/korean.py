"""The Korean texts that the source code can show, read off it, and whether the page has English for them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

from web.look import ENGLISH

HANGUL = re.compile("[가-힣]")
SAID = re.compile(r"니다|십시오|까요|니까")
"""In what is said to a reader; names and patterns of the law have none of these."""

ATTRIBUTES = ("aria-label", "title", "placeholder", "data-name", "alt")
UNMARKED = """
const kept = '[lang="ko"]:not(html), script, style, .law-language';
// A name in an attribute cannot be marked: "「우물 관리법」 별표 1의2(두레박 사용료), copy text".
const said = (words) =>
  words.replace(/.*」.*?, (?=[a-z])|(\\d+\\.|related to) 「.*|^e\\.g\\. .*|^Rank \\d+, .*?, (?=[a-z])/, '');
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = [];
while (walker.nextNode()) {
  const node = walker.currentNode, parent = node.parentElement;
  if (/[가-힣]/.test(node.data) && !parent.closest(kept) && parent.checkVisibility()) found.push(node.data);
}
for (const named of document.querySelectorAll('[aria-label], [placeholder], [title]')) {
  if (named.closest(kept) || named.matches('#chat .message *, #chat .message') || !named.checkVisibility()) continue;
  for (const name of ['aria-label', 'placeholder', 'title']) {
    const words = named.getAttribute(name) ?? '';
    if (/[가-힣]/.test(said(words))) found.push(name + ': ' + words);
  }
}
return found;
"""
"""Returns the Korean that a page in English shows without marking it as Korean."""

_SAMPLES = ("1", "2020-01-01", "가")
_KNOWN = json.loads(ENGLISH.read_text("utf-8"))


def templates(path: Path) -> list[str]:
    """Return the strings of a module that have Hangul, {} for what is put into them; no docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    left_out = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    left_out |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = [_text(node) for node in ast.walk(tree) if _is_string(node) and id(node) not in left_out]
    return [text for text in dict.fromkeys(found) if HANGUL.search(text)]


def _is_string(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    return re.sub(r"\{\w+\}", "{}", str(node.value)) if isinstance(node, ast.Constant) else "{}"


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, as the page takes them apart."""
    return [sentence.strip() for sentence in re.findall(r"(?s).+?(?:[다오요)]\.(?=\s)|$)", text.strip())]


def shown(html: str) -> Iterator[str]:
    """Yield the Korean texts and attributes of a piece of HTML that are not marked as Korean."""
    reader = _Shown(html)
    yield from (text for text in reader.found if HANGUL.search(text))


class _Shown(HTMLParser):
    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._kept: list[bool] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kept = ("lang", "ko") in attrs or any(self._kept)
        self._kept += [] if tag in ("br", "img", "input") else [kept]
        if not kept:
            self.found += [(value or "").strip() for name, value in attrs if name in ATTRIBUTES]

    def handle_endtag(self, tag: str) -> None:
        del self._kept[-1:]

    def handle_data(self, data: str) -> None:
        if not any(self._kept):
            self.found.append(data.strip())


def in_english(text: str) -> bool:
    """Whether the page has English for a text, whole or sentence by sentence."""
    return _known(text) or all(map(_known, sentences(text)))


def _known(text: str) -> bool:
    bare = re.sub(r"^\{\}: |(?<=\.)\{\}$", "", text.strip())
    if not HANGUL.search(bare) or bare in _KNOWN["texts"]:
        return True
    if any(f"{before}{bare}" in _KNOWN["messages"] for before in ("", "{}", "{} ")):  # it may go on after something
        return True
    filled = [bare.replace("{}", sample) for sample in _SAMPLES]
    return any(re.fullmatch(pattern, one) for pattern, _ in _KNOWN["patterns"] for one in filled)


def lacking(texts: Iterable[str]) -> list[str]:
    """Return the texts for which the page has no English."""
    return [text for text in texts if not in_english(text)]
