"""Finds defined words in running text: whole words, with the particles that Korean hangs on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MAX_TERMS = 8
"""The most defined words that an article is linked to."""

_NAME = re.compile(r"「[^「」]*」")
_ENDING = (
    r"(?:들|등)?(?:에게서|으로부터|로부터|에게는|에게도|에게|에서는|에서의|에서도|에서|에는|에도|에의|에|으로서의|로서의|으로서"
    r"|로서|으로써|로써|으로의|로의|으로|로|와의|과의|와는|과는|와|과|이란|란|이라|라|이나|나|이며|이고|이거나|이더라도"
    r"|인지|인|일|이었던|이어야|이므로|임을|까지의|까지|부터|마다|만을|만이|만|보다|별로|별|은|는|이|가|을|를|의|도)?"
)


def term_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Return what finds any of the words, the longest first, where a word begins and only a particle follows."""
    return re.compile(rf"(?<![가-힣A-Za-z0-9])(?:{_trie(sorted(set(words)))})(?={_ENDING}(?![가-힣A-Za-z0-9]))")


def terms_in(text: str, pattern: re.Pattern[str]) -> set[str]:
    """Return the words a text uses; those in another statute's 「name」 are not used."""
    return set(pattern.findall(_NAME.sub("「」", text)))


def most_specific(words: Iterable[str], uses: Mapping[str, int]) -> list[str]:
    """Return the words that tell most, the first first: those that fewest articles use, then the longest."""
    return sorted(words, key=lambda word: (uses.get(word, 0), -len(word), word))[:MAX_TERMS]


def _trie(words: list[str]) -> str:
    """Return a pattern for sorted, distinct words that tries each first letter once: lists of words are long."""
    if words == [""]:
        return ""
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(word[:1], []).append(word[1:])
    optional = groups.pop("", None) is not None
    branches = [re.escape(head) + _trie(rest) for head, rest in groups.items()]
    body = branches[0] if len(branches) == 1 and not optional else f"(?:{'|'.join(branches)})"
    return body + "?" if optional else body
