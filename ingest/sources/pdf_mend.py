"""What the grammar of statutes says about text read from a picture: circled numbers in order, digits in numbers.

Nothing is added that the picture does not show: a circle at the start of a 항 becomes the number that has to stand in
it, and letters that look like digits become digits where only digits can stand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ingest.grammar import is_addendum, is_heading, split_heading
from ingest.sources.pdf_lines import PrintedLine
from ingest.sources.pdf_ocr import CIRCLE
from rag.statutes import CIRCLED

_LIKE_DIGITS = str.maketrans({"l": "1", "I": "1", "|": "1", "i": "1", "!": "1", "O": "0", "o": "0", "ㅣ": "1"})
_NUMBER = re.compile(r"제\s?([\dlIi|!Ooㅣ]{1,4})\s?(?=[조항호편장절관]|의\s?[\dlIi|!ㅣ]+\s?[조항호])")
_BRANCH = re.compile(r"(?<=조의)\s?([\dlIi|!ㅣ]{1,2})(?![\d.a-zA-Z])")
_LABEL = re.compile(r"^[lI|!ㅣ]\s?\.\s")
_SPACED_HEAD = re.compile(r"^(제\d+조(?:의\d+)?)\s+(?=\()")


_QUOTED = (
    (re.compile(r"(?<=「)\s+|\s+(?=」)"), ""),
    (re.compile(r"(?<=」)\s+(?=(?:에|에서|에도|을|를|의|과|와|로|은|는|상)\s)"), ""),
    (re.compile(r"(?<=」)』|(?<=』)」"), ""),
)


_MISREAD = re.compile(r"[(\[]?[0-9@®©&>O°]{1,3}[)\]:”’\"]?\s+(?=[가-힣「])")
"""What Tesseract makes of ①: it cannot read it, and so says (2), @, 66 or 0)."""

_NO_TEXT = re.compile(r"[(\[]?[@®©]{1,3}[)\]:”’\"]?\s+(?=[가-힣「])")
"""That of it which no statute has at a line's start, and which so tells where 항 begin."""

_BARE = re.compile(r"\d{1,3}\s")


def mend(lines: Sequence[PrintedLine]) -> list[PrintedLine]:
    """Return the lines of a whole document, in reading order, as the grammar of statutes wants them."""
    columns = {line.x0 for line in lines if line.text.startswith(CIRCLE) or _NO_TEXT.match(line.text)}
    mended: list[PrintedLine] = []
    last = 0
    for line in lines:
        text = mend_text(line.text)
        ended = not mended or mended[-1].text[-1:] in ".>)]" or not _BARE.match(text)  # 2 이상의 goes on
        if ended and any(abs(line.x0 - column) < 2 for column in columns):
            text = _MISREAD.sub(f"{CIRCLE} ", text, count=1) if _MISREAD.match(text) else text
        if (head := split_heading(text)) and head.title and (misread := _MISREAD.match(head.rest)):
            text = text.removesuffix(head.rest) + f"{CIRCLE} {head.rest[misread.end() :]}"
        heading = split_heading(text)
        if is_addendum(text) or (heading and (is_heading(heading, text) or CIRCLE in text)):
            last = 0
        for char in text:
            if char in CIRCLED:
                last = CIRCLED.index(char) + 1
            elif char == CIRCLE:
                last += 1
                text = text.replace(CIRCLE, CIRCLED[min(last, len(CIRCLED)) - 1], 1)
        mended.append(replace(line, text=text))
    return mended


def mend_text(text: str) -> str:
    """Turn what looks like digits into digits where only a number can stand (제l조), and set 「」 close."""
    text = _NUMBER.sub(lambda match: f"제{match[1].translate(_LIKE_DIGITS)}", text)
    text = _BRANCH.sub(lambda match: match[1].translate(_LIKE_DIGITS), text)
    text = _LABEL.sub("1. ", text)
    for pattern, wanted in _QUOTED:
        text = pattern.sub(wanted, text)
    return _SPACED_HEAD.sub(r"\1", text)
