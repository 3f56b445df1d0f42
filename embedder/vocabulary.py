"""Which pieces of the XLM-R vocabulary stay, and the committed list of them (`pieces.txt`)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from embedder import tokenizer as unigram

LIST = Path(__file__).with_name("pieces.txt")
PROMPTS = {"query": "query: ", "document": "passage: "}

# XLM-R ids run from frequent to rare; the Latin words up to here cost 1.4 MB and cover the English
# that Korean questions borrow.
COMMON_RANK = 5_000
# Syllables, and conjoining jamo: the normaliser turns the ㅋㅋ and ㅠㅠ people type into those.
_HANGUL = re.compile(r"[가-힣\u1100-\u11ff]")
_SHORT_LATIN = re.compile(r"[A-Za-z]{1,2}")
_ACRONYM = re.compile(unigram.METASPACE + r"[A-Z]{3,4}")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]+")
_LATIN = re.compile(r"[A-Za-z]+")
_DIGITS = re.compile(r"[0-9]+")
_BATCH = 20_000


def belongs(piece: str, rank: int) -> bool:
    """Whether a piece stays even if no statute uses it.

    Kept: Hangul, digits, ASCII punctuation, short or common Latin, acronyms, single symbols (emoji, brackets).
    """
    text = piece.removeprefix(unigram.METASPACE)
    if not text or _HANGUL.search(text) or _ACRONYM.fullmatch(piece):
        return True
    if any(kind.fullmatch(text) for kind in (_DIGITS, _PUNCTUATION, _SHORT_LATIN)):
        return True
    if _LATIN.fullmatch(text):
        return rank < COMMON_RANK
    return len(text) == 1 and unicodedata.category(text)[0] in "PS"


def select(tokenizer: Tokenizer, texts: Iterable[str]) -> list[str]:
    """Pieces to keep, in id order: special, used by the texts or prompts, or kept by rule."""
    pieces = unigram.vocabulary(tokenizer)
    keep = {rank for rank, (piece, _) in enumerate(pieces) if belongs(piece, rank)}
    keep |= {rank for rank, (piece, _) in enumerate(pieces) if piece in unigram.SPECIAL}
    # An unknown character costs the lowest score minus ten, so the lowest score has to stay.
    keep.add(min(range(len(pieces)), key=lambda rank: pieces[rank][1]))
    for batch in _batches(_words(texts)):
        for encoding in tokenizer.encode_batch(batch, add_special_tokens=False):
            keep.update(encoding.ids)
    return [piece for rank, (piece, _) in enumerate(pieces) if rank in keep]


def _words(texts: Iterable[str]) -> list[str]:
    """Distinct words: no piece spans whitespace, so each word need be tokenised once only."""
    words: set[str] = set()
    for text in (*PROMPTS.values(), *texts):
        words.update(text.split())
    return sorted(words)


def _batches(words: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(words), _BATCH):
        yield words[start : start + _BATCH]


def statute_texts(folder: Path) -> Iterator[str]:
    """Text of every Markdown file below a folder; FileNotFoundError if there is none."""
    paths = sorted(folder.rglob("*.md"))
    if not paths:
        raise FileNotFoundError(f"no Markdown files below {folder}")
    for path in paths:
        yield path.read_text(encoding="utf-8")


def write_list(pieces: Sequence[str], path: Path = LIST) -> None:
    """One piece a line, UTF-8, final newline."""
    if any("\n" in piece for piece in pieces):
        raise ValueError("a piece contains a newline")
    path.write_bytes(("\n".join(pieces) + "\n").encode("utf-8"))


def read_list(path: Path = LIST) -> list[str]:
    """The committed pieces. Splits on newline alone: some pieces are exotic line separators."""
    return path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
