from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.markdown import escape, link

PARSER = MarkdownIt("gfm-like", {"html": True, "linkify": False})
SIGNS = "`*_{}[]()#+-.!|~$<>&\\\"'=:/@ \n\t가나1w"


def shown(markdown: str) -> tuple[str, set[str]]:
    """Return the text that is shown and the kinds of everything that is not plain text."""
    tokens = [child for token in PARSER.parse(markdown) for child in [token, *(token.children or ())]]
    text = "".join(token.content if token.type == "text" else "\n" for token in tokens if token.type in PLAIN)
    return text, {token.type for token in tokens} - PLAIN - {"inline", "paragraph_open", "paragraph_close"}


PLAIN = {"text", "text_special", "softbreak", "hardbreak"}


@settings(deadline=None)
@given(st.text(st.sampled_from(SIGNS), max_size=40) | st.text(max_size=40))
def test_any_text_is_shown_as_text(text: str) -> None:
    _, others = shown(escape(text))
    assert not others


def test_it_is_shown_letter_by_letter() -> None:
    text = "1. **굵게** <b>a & b</b> [x](y) ![z](w) #제목 2/3 5~10년 $x$ a@b.kr | _밑줄_"
    assert shown(escape(text))[0].replace("\n", "") == text


def test_bare_addresses_do_not_become_links() -> None:
    for text in ("https://evil.example", "www.evil.example", "HTTP://X.Y", "a@b.example", "mailto:a@b.example"):
        escaped = escape(text)
        assert not re.search(r"(?i)https?://|www\.|(?<!\\)@|mailto:a", escaped)


def test_a_link_cannot_be_closed_by_its_text_or_address() -> None:
    made = link("a](https://evil.example) [b", "https://www.law.go.kr/법령/x) [y](https://evil.example")
    links = [token for block in PARSER.parse(made) for token in block.children or () if token.type == "link_open"]
    assert [str(token.attrs["href"]).startswith("https://www.law.go.kr/") for token in links] == [True]
