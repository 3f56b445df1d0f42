"""Reads a statute's links off its text: what its articles carry out, cite, punish the violation of, and whose words
they use. Both ends are named by statute key and label, so a link holds whichever of the two is stored first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ingest.references import LIST, Chain, Names, chains_of
from rag.statutes import Article, Link, Statute, strip_marks
from rag.terms import most_specific, term_pattern, terms_in

_PENAL = re.compile(r"벌칙|과태료|양벌|벌금|처벌")
_NOT_PENAL = re.compile(r"의제|의 적용|에 관한 규정|특례|부과|징수|병과|분리|고발|감면|절차")
_VIOLATED = re.compile(rf"{LIST}(?:(?:에 따른|의 규정에 [의따]한)\s[^.]{{0,40}}?)?(?:을|를)\s*위반")
_CARRIED_OUT = re.compile(rf"{LIST}(?:에서|에 따[라른]|에 의[하한]|에 [의따]거|의 규정에 [의따]|에도|에|의)")
_SUBJECT = re.compile(r"(?:[^.\"“]{1,40}[은는]|(?:(?![은는]\s)[^.\"“]){1,30}[이가])?")
_QUOTED = re.compile(rf"{LIST}에서\s*[\"“]")
_ACTS = ("법률", "헌법")
_DEFINITIONS = re.compile(r"\(?(?:[가-힣ㆍ\s]+의 )?(?:정의|뜻|용어)(?:\s*등)?\)?")
_DEFINED = re.compile(r"[\"“](?P<word>[^\"”\n]{2,40})[\"”]\s*(?:\([^)\n]*\))?(?:이?란|이?라\s?함은)\s")
_SCOPE = re.compile(r"\W*이 (편|장|절|관)에서")


def links_of(statute: Statute) -> Iterator[Link]:
    """Yield the links that go out from a statute's articles, article by article, each once. Never raises."""
    edition = statute.edition
    texts = [(article, strip_marks(article.text)) for article in statute.articles]
    places = {article.label: place for place, (article, text) in enumerate(texts)}
    gone = {article.label for article, text in texts if text in ("", "삭제")}
    names = Names(edition.key, places, subordinate=not edition.kind.startswith(_ACTS))
    users = _term_users(edition.key, texts)
    for article, text in texts:
        kinds: dict[tuple[str, str], str] = {}
        for chain in chains_of(text, names):
            kind = _kind(chain, article)
            for target in chain.targets:
                of = "citation" if kind == "delegation" and target[0] not in names.parents else kind
                # Of two kinds of link to one article the telling one stays.
                if of != "citation" or target not in kinds:
                    kinds[target] = of
        source = (edition.key, article.label)
        for target, kind in kinds.items():
            mine = target[0] == edition.key
            if target[0] and target != source and not (mine and (target[1] not in places or target[1] in gone)):
                yield Link(kind, source, target)
        yield from users.get(article.label, ())


def _kind(chain: Chain, article: Article) -> str:
    """Return what a chain is: a penalty, a citation, or (if its statute is a parent) a delegation."""
    if _PENAL.search(article.title) and not _NOT_PENAL.search(article.title):
        listed = chain.lead == "" and chain.label[-1:] == "."
        return "penalty" if listed or _VIOLATED.match(chain.after) else "citation"
    paragraph = chain.lead is not None and chain.label[-1:] not in (".", ")")
    carries_out = paragraph and _SUBJECT.fullmatch(chain.lead or "") and _CARRIED_OUT.match(chain.after)
    if carries_out or _QUOTED.match(chain.after):
        return "delegation"
    return "citation"


def _term_users(key: str, texts: list[tuple[Article, str]]) -> dict[str, list[Link]]:
    """Return, by label, the links of the articles that use words which this statute defines."""
    defined = _defined(texts)
    if not defined:
        return {}
    pattern = term_pattern(word for word, _, _ in defined)
    found = {article.label: terms_in(text, pattern) for article, text in texts}
    uses = Counter(word for words in found.values() for word in words)
    links: dict[str, list[Link]] = {}
    for article, _ in texts:
        for word in most_specific(found[article.label], uses):
            label = _defining(word, article, defined)
            if label and label != article.label:
                links.setdefault(article.label, []).append(Link("definition", (key, article.label), (key, label), word))
    return links


def _defined(texts: list[tuple[Article, str]]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return (word, label, divisions it is defined for) of every definition."""
    defined = []
    for article, text in texts:
        if not _DEFINITIONS.fullmatch(article.title):
            continue
        scope = article.divisions if _SCOPE.match(text) else ()
        for match in _DEFINED.finditer(text):
            word = match["word"].strip()
            if len(word) > 1 and "정하는" not in word:
                defined.append((word, article.label, scope))
    return defined


def _defining(word: str, article: Article, defined: list[tuple[str, str, tuple[str, ...]]]) -> str:
    """Return the label of the definition that holds for a word where an article stands, the narrowest; '' if none."""
    holding = [(len(s), label) for w, label, s in defined if w == word and article.divisions[: len(s)] == s]
    return max(holding, key=lambda found: found[0])[1] if holding else ""
