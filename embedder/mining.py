"""Training pairs mined from the statutes themselves: what one article says of another, and titles and definitions.

Nothing here is committed as text: `python -m embedder mine` makes the pairs anew from a folder of statutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rag.evaluation import ArticleKey, article_key
from rag.statutes import Article, Statute, base_key, strip_marks

KINDS = ("content", "title", "delegation", "penalty", "reference", "definition")

_LONGEST_QUERY = 160
_SHORTEST_QUERY = 8
_NUMBER = r"제\d+조(?:의\d+)?"
_DELEGATED = re.compile(
    rf"법 (?P<label>{_NUMBER})(?:제\d+항)?(?:제\d+호)?[^.\n]{{0,40}}?"
    r"(?:에서|에 따라|에 따른|본문에서|단서에서)\s*[\"“'‘]?(?P<what>[^\"”'’\n]{4,120}?)"
    r"[\"”'’]?(?:이란|란|은|는|을|를|의|에|이|가|로|으로)?\s"
)
_PENALTY_TITLE = re.compile(r"(벌칙|과태료)")
_VIOLATED = re.compile(
    rf"(?<!법 )(?<!법률 )(?P<label>{_NUMBER})(?:제\d+항)?(?:제\d+호)?(?:[^.\n]{{0,30}}?)(?:을|를)\s*위반"
    r"(?:하여|한|하거나)\s*(?P<what>[^.\n]{6,120}?(?:한|된|인|는)\s*(?:자|사람|경우))"
)
_REFERRED = re.compile(
    rf"(?<![가-힣」] )(?P<label>{_NUMBER})(?:제\d+항)?에 따른 "
    r"(?P<what>[가-힣ㆍ ]{4,40}?)(?=[을를은는이가의,에]\s|[을를은는이가]$)"
)
_DEFINED = re.compile(
    r"[\"“](?P<what>[^\"”\n]{2,40})[\"”](?:\([^)]*\))?(?:이?란|라 함은|이라 함은)\s*(?P<how>[^\n]{10,})"
)
_NO_SUBJECT = re.compile(
    r"^(목적|시행일|적용범위|벌칙|과태료|정의|위임|벌칙 적용.*|규제의 재검토|다른 법률과의 관계|양벌규정)$"
)


@dataclass(frozen=True, slots=True)
class MinedPair:
    """A query made from statute text, and the article it should find."""

    kind: str
    query: str
    gold: ArticleKey


def mine(statutes: Iterable[Statute]) -> Iterator[MinedPair]:
    """Yield the pairs of every statute, in order. A decree's pairs point into its act: give acts along with decrees."""
    by_key = {statute.edition.key: statute for statute in statutes}
    labels = {key: {a.label for a in statute.articles if not a.deleted} for key, statute in by_key.items()}
    for key, statute in by_key.items():
        if statute.edition.repealed:
            continue
        act = base_key(key)
        for article in statute.articles:
            if article.deleted or not article.label.startswith("제"):
                continue
            yield from _own(statute, article)
            text = strip_marks(article.text)
            yield from _inward(key, article, text, labels[key])
            if act != key and act in labels:
                yield from _delegated(act, article, text, labels[act])


def _own(statute: Statute, article: Article) -> Iterator[MinedPair]:
    """Pairs of an article with its own text: its number, its title, the words it defines."""
    title = statute.edition.title
    gold = article_key(title, article.label)
    yield MinedPair("content", f"{title} {article.label}의 내용은 무엇인가?", gold)
    if article.title and not _NO_SUBJECT.match(article.title):
        yield MinedPair("title", f"{title}에서 {article.title}", gold)
    if "정의" in article.title:
        for match in _DEFINED.finditer(strip_marks(article.text)):
            yield MinedPair("definition", f"{title}에서 {match['what']}의 뜻", gold)


def _inward(key: str, article: Article, text: str, labels: set[str]) -> Iterator[MinedPair]:
    """Pairs of what an article says of another of the same statute with that other."""
    if _PENALTY_TITLE.search(article.title):
        for match in _VIOLATED.finditer(text):
            if match["label"] in labels:
                yield from _pair("penalty", match["what"], (key, match["label"]))
        return
    seen: set[tuple[str, str]] = set()
    for match in _REFERRED.finditer(text):
        found = (match["what"], match["label"])
        if match["label"] in labels and match["label"] != article.label and found not in seen:
            seen.add(found)
            yield from _pair("reference", match["what"], (key, match["label"]))


def _delegated(act: str, article: Article, text: str, labels: set[str]) -> Iterator[MinedPair]:
    """Pairs of a decree article with the act's article that it carries out."""
    for label in dict.fromkeys(match["label"] for match in _DELEGATED.finditer(text)):
        if label in labels:
            first = text.splitlines()[0]
            yield from _pair("delegation", f"{article.title} {first}" if article.title else first, (act, label))


def _pair(kind: str, query: str, gold: ArticleKey) -> Iterator[MinedPair]:
    # The number would give the answer away; what is left has to say it in words.
    words = re.sub(rf"(?:법 )?{_NUMBER}(?:의\d+)?(?:제\d+항)?(?:제\d+호)?", " ", query)
    words = " ".join(re.sub(r"[\"“”①②③④⑤]", " ", words).split())[:_LONGEST_QUERY]
    if len(words) >= _SHORTEST_QUERY:
        yield MinedPair(kind, words, gold)
