"""What stands around an article: what carries it out, what it cites, whose words it uses, what punishes breaking it.

One step along the links that were read off the statutes when they were brought in. Links name their ends by statute
and label; whatever of that is stored now, and not deleted, is what an article is related to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.statutes import Article, Edition, base_key, strip_marks
from rag.terms import most_specific, term_pattern, terms_in
from rag.texts import Texts

_ARTICLE = "a.id, json_extract(s.edition, '$.title'), a.label, a.title"
# Statute order: the statute itself, then by title, a decree before its rules; in a statute, as its articles stand.
_ORDER = "s.key <> ?, s.key LIKE '%시행규칙', s.key, a.position"

_OUT = f"""
SELECT l.kind, l.word, s.key, {_ARTICLE} FROM links l
JOIN statutes s ON s.key = l.target_statute JOIN articles a ON a.id = s.statute_id || ':' || l.target_label
WHERE l.source_statute = ? AND l.source_label = ? AND NOT a.deleted ORDER BY {_ORDER}
"""
_IN = f"""
SELECT kind, total, id, law, label, title FROM (
    SELECT l.kind, COUNT(*) OVER (PARTITION BY l.kind) AS total,
        ROW_NUMBER() OVER (PARTITION BY l.kind ORDER BY {_ORDER}) AS place,
        a.id AS id, json_extract(s.edition, '$.title') AS law, a.label AS label, a.title AS title
    FROM links l
    JOIN statutes s ON s.key = l.source_statute JOIN articles a ON a.id = s.statute_id || ':' || l.source_label
    WHERE l.target_statute = ? AND l.target_label = ? AND l.kind <> 'definition' AND NOT a.deleted)
WHERE place <= ? ORDER BY kind, place
"""
_TERMS = """
SELECT l.word, COUNT(*) AS uses, {article} FROM links l
JOIN statutes s ON s.key = l.target_statute JOIN articles a ON a.id = s.statute_id || ':' || l.target_label
WHERE l.target_statute IN ({marks}) AND l.kind = 'definition' AND NOT a.deleted
GROUP BY l.word, a.id ORDER BY uses, s.key, a.position
"""


@dataclass(frozen=True, slots=True)
class Relative:
    """An article next to another: its id, the title of its statute, its label and its own title."""

    article_id: str
    law: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Related:
    """What stands around an article; each tuple in statute order and no longer than the limit.

    `delegated` carry it out (a decree's, a rule's articles), `parents` are what it carries out, `penalties` punish its
    violation; `cites` holds what a penal clause punishes the violation of as well. `cited_by` begins the list of the
    `cited_by_total` articles that cite it. `definitions` are (word it uses, article that defines it).
    """

    delegated: tuple[Relative, ...] = ()
    parents: tuple[Relative, ...] = ()
    cites: tuple[Relative, ...] = ()
    cited_by: tuple[Relative, ...] = ()
    cited_by_total: int = 0
    definitions: tuple[tuple[str, Relative], ...] = ()
    penalties: tuple[Relative, ...] = ()


def related(texts: Texts, edition: Edition, article: Article, limit: int = 6) -> Related:
    """Return what stands around an article that is stored. Raises StoreError where the store cannot be read."""
    here = (edition.key, article.label)
    out = [(kind, word, key, Relative(*row)) for kind, word, key, *row in texts.query(_OUT, (*here, edition.key))]
    into = [(kind, total, Relative(*row)) for kind, total, *row in texts.query(_IN, (edition.key, *here, limit))]
    parents = [(key, relative) for kind, _, key, relative in out if kind == "delegation"]
    own_words = [(word, relative) for kind, word, _, relative in out if kind == "definition"]
    acts = ({base_key(edition.key)} | {key for key, _ in parents}) - {edition.key}
    words = own_words + _words_of_acts(texts, acts, article, {word for word, _ in own_words})
    return Related(
        delegated=tuple(relative for kind, _, relative in into if kind == "delegation"),
        parents=_first((relative for _, relative in parents), limit),
        cites=_first((relative for kind, _, _, relative in out if kind in ("citation", "penalty")), limit),
        cited_by=tuple(relative for kind, _, relative in into if kind == "citation"),
        cited_by_total=next((total for kind, total, _ in into if kind == "citation"), 0),
        definitions=tuple(words[:limit]),
        penalties=tuple(relative for kind, _, relative in into if kind == "penalty"),
    )


def _words_of_acts(texts: Texts, acts: set[str], article: Article, known: set[str]) -> list[tuple[str, Relative]]:
    """Return the words that the acts above a decree define and its article uses.

    They are looked for here and not at ingest, where the act may not be at hand yet or be replaced later on.
    """
    rows = _terms(texts, sorted(acts)) if acts else []
    defining = {word: Relative(*row) for word, _, *row in rows}  # of two definitions of a word, the one most used
    uses = {word: count for word, count, *_ in rows}
    words = defining.keys() - known
    if not words:
        return []
    used = terms_in(strip_marks(article.text), term_pattern(words))
    return [(word, defining[word]) for word in most_specific(used, uses)]


def _terms(texts: Texts, keys: Sequence[str]) -> list[tuple]:  # type: ignore[type-arg]
    return texts.query(_TERMS.format(article=_ARTICLE, marks=",".join("?" * len(keys))), keys)


def _first(relatives: Iterable[Relative], limit: int) -> tuple[Relative, ...]:
    return tuple(dict.fromkeys(relatives))[:limit]
