"""Whether what a PDF gives as text means what it shows: page by page, and for the whole document."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from ingest.sources.pdf_lines import Page

_COMMON = frozenset("의다에는이을한제하조법항를사호정대자인는관가기및고지로여위")
_FEW_COMMON = 0.12  # of Hangul; no current statute has less than 0.27, and syllables at random have 0.003
_FEW_KOREAN = 0.15  # of all characters; the least of a current statute is 0.28
_MANY_BROKEN = 0.03  # of all characters; one head in a font of its own is about as much
_ENOUGH = 40  # Hangul from which a page's share of common syllables says something
_SHORT = 20


def is_garbled(texts: Sequence[str], unmapped: int = 0) -> bool:
    """Whether text, read from fonts whose Unicode map is missing or wrong, is not what is printed."""
    chars = [char for text in texts for char in text if not char.isspace()]
    if not chars and unmapped < _SHORT:
        return False
    hangul = [char for char in chars if "가" <= char <= "힣"]
    few_common = len(hangul) >= _ENOUGH and sum(char in _COMMON for char in hangul) < _FEW_COMMON * len(hangul)
    broken = sum(char == "\ufffd" or unicodedata.category(char) in ("Co", "Cn", "Cc", "Cs") for char in chars)
    return few_common or max(broken, unmapped) > _MANY_BROKEN * len(chars) or any("(cid:" in text for text in texts)


def is_korean(texts: Sequence[str]) -> bool:
    """Whether text is written in Hangul or Hanja for a good part."""
    chars = [char for text in texts for char in text if not char.isspace()]
    korean = sum("가" <= char <= "힣" or "\u3400" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff" for char in chars)
    return korean >= _FEW_KOREAN * len(chars)


def is_picture(page: Page) -> bool:
    """Whether a page shows text, most likely, but has none."""
    return page.drawn and sum(len(line.text) for line in page.lines) < 2 * _SHORT


def needs_ocr(page: Page) -> bool:
    """Whether a page has to be read from its picture."""
    texts = [line.text for line in page.lines]
    long = sum(map(len, texts)) >= 2 * _SHORT
    return is_picture(page) or is_garbled(texts, page.unmapped) or (long and not is_korean(texts))
