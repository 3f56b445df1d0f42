"""A written answer, sentence by sentence: what it cites, and whether that holds.

Of each citation is checked whether the article is there, was among the hits, and has the 항, 호 and 목 cited; of each
sentence whether what it quotes, and its numbers, amounts and periods, stand in the articles it cites. Whether the
sentence says what the article means is not checked: no rule can.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.citation import Citation, find_citations
from rag.cited import place_spans
from rag.laws import Laws
from rag.places import Place
from rag.quantities import missing, quantities
from rag.statutes import Article, Edition, Hit, article_id, official_url, strip_marks
from rag.texts import Texts

_END = re.compile(
    r"(?<=[가-힣)\]\"'”’」』%])[.!?。]+[\"'”’)\]]*(?:\s*(?:\([^()\n]{1,160}\)|\[[^\[\]\n]{1,160}\]))*[.]?(?=\s|$)"
)
_BULLET = re.compile(r"\s*(?:[-*•]\s+|\(?\d{1,2}[.)]\s+|[①-⑳]\s*)?")
_QUOTES = re.compile(r"[“\"]([^“”\"\n]{2,400})[”\"]|[‘']([^‘’'\n]{2,400})[’']")
_SHORTEST_QUOTE = (4, 6)
"""Characters from which words in double and in single quotes are a quotation, no mere term."""

_ONLY_SOURCE = re.compile(r"(?:근거|출처|참고|참조|관련|해당|조문|법령|규정|및|와|과|등)*")
_LONGEST_HEADING = 40


@dataclass(frozen=True, slots=True)
class Reference:
    """A citation in an answer: `start:end` in its text. `flaw` says in Korean what is wrong with it, '' if nothing."""

    start: int
    end: int
    law: str
    label: str
    place: str
    article_id: str
    among_hits: bool
    flaw: str = ""

    @property
    def url(self) -> str:
        """The official text, '' where no such article is known."""
        return official_url(self.law, self.label) if self.article_id else ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of an answer: `start:end` in its text, what it cites, and what of it stands in none of that."""

    start: int
    end: int
    references: tuple[Reference, ...] = ()
    flaws: tuple[str, ...] = ()

    @property
    def unverified(self) -> int:
        """How many of its citations do not hold; a quotation or number that is not there counts as one."""
        failed = sum(bool(reference.flaw) for reference in self.references)
        return failed or int(bool(self.references and self.flaws))


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer's text (NFC) with its sentences in order. Headings are no claims."""

    text: str
    claims: tuple[Claim, ...]

    @property
    def citations(self) -> int:
        """How many citations it has."""
        return sum(len(claim.references) for claim in self.claims)

    @property
    def unverified(self) -> int:
        """How many of them do not hold."""
        return sum(claim.unverified for claim in self.claims)

    @property
    def uncited(self) -> int:
        """How many sentences cite nothing."""
        return sum(not claim.references for claim in self.claims)


@dataclass(frozen=True, slots=True)
class _Sources:
    """What citations are compared with."""

    hits: Sequence[Hit]
    mentioned: frozenset[tuple[str, str]]
    laws: Laws
    articles: dict[str, tuple[Edition, Article]]


def check(text: str, hits: Sequence[Hit], laws: Laws, texts: Texts) -> Checked:
    """Return an answer's sentences and citations, compared with the hits it was to be written from."""
    text = unicodedata.normalize("NFC", text)
    citations = [_completed(citation, hits) for citation in find_citations(text, laws)]
    wanted = {article_id(laws.editions[c.key], c.label) for c in citations if c.key in laws.editions}
    sources = _Sources(hits, _mentioned(hits, laws), laws, texts.articles(sorted(wanted)))
    references = [_reference(citation, text, sources) for citation in citations]
    return Checked(text, tuple(_claims(text, references, sources)))


def _completed(citation: Citation, hits: Sequence[Hit]) -> Citation:
    """Return a citation without a statute ('제750조') as one of the only hit of that number, if there is one."""
    if citation.key or citation.name:
        return citation
    keys = {hit.edition.key for hit in hits if hit.article.label == citation.label}
    return replace(citation, key=keys.pop()) if len(keys) == 1 else citation


def _mentioned(hits: Sequence[Hit], laws: Laws) -> frozenset[tuple[str, str]]:
    """Return (statute key, label) of what the hits' own texts cite: an answer may repeat such a citation."""
    return frozenset(
        (citation.key, citation.label)
        for hit in hits
        for citation in find_citations(strip_marks(hit.article.text), laws, hit.edition.key)
    )


# Citations


def _reference(citation: Citation, text: str, sources: _Sources) -> Reference:
    place = Place(citation.paragraph, citation.subparagraph, citation.item)
    start = _with_name(text, citation)
    edition = sources.laws.editions.get(citation.key)
    if edition is None:
        known = sources.laws.title(citation.key) if citation.key else citation.name
        flaw = f"수록되지 않은 법령(「{known}」)이어서 확인하지 못함" if known else "어느 법령의 조문인지 알 수 없음"
        return Reference(start, citation.end, known, citation.label, place.render(), "", False, flaw)
    identity = article_id(edition, citation.label)
    among = any(hit.article_id == identity for hit in sources.hits)
    made = Reference(start, citation.end, edition.title, citation.label, place.render(), identity, among)
    if identity not in sources.articles:
        return replace(made, article_id="", flaw=f"「{edition.title}」에 없는 조문")
    article = sources.articles[identity][1]
    if article.deleted:
        return replace(made, flaw="삭제된 조문")
    if place != Place() and not place_spans(article, place):
        return replace(made, flaw=f"{citation.label}에 없는 곳({place.render()})")
    if not among and (edition.key, citation.label) not in sources.mentioned:
        return replace(made, flaw="찾은 조문이 아님")
    return made


def _with_name(text: str, citation: Citation) -> int:
    """Return where a citation begins, the statute's name before it included."""
    before = (
        re.search(rf"[「『]?{re.escape(citation.name)}[」』\s]*$", text[: citation.start]) if citation.name else None
    )
    return before.start() if before else citation.start


# Sentences


def _claims(text: str, references: Sequence[Reference], sources: _Sources) -> Iterator[Claim]:
    spans: list[tuple[int, int]] = []
    for start, end in _sentences(text):
        inside = [r for r in references if start <= r.start < end]
        rest = re.sub(r"[\W_]", "", _without(text, start, end, inside, sources.laws))
        if spans and inside and _ONLY_SOURCE.fullmatch(rest):  # its source, in a sentence of its own
            spans[-1] = (spans[-1][0], end)
        elif rest and (inside or not _is_heading(text[start:end])):
            spans.append((start, end))
    for start, end in spans:
        inside = [r for r in references if start <= r.start < end]
        yield Claim(start, end, tuple(inside), tuple(_flaws(text, start, end, inside, sources)))


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the sentences of each line, a source in brackets after the full stop included."""
    for line in re.finditer(r"[^\n]+", text):
        bullet = _BULLET.match(text, line.start(), line.end())
        start = bullet.end() if bullet else line.start()
        for stop in _END.finditer(text, start, line.end()):
            yield start, stop.end()
            start = stop.end() + len(text[stop.end() : line.end()]) - len(text[stop.end() : line.end()].lstrip())
        if start < line.end():
            yield start, line.end()


def _is_heading(line: str) -> bool:
    stripped = line.strip()
    return stripped.endswith(":") and len(stripped) <= _LONGEST_HEADING and not quantities(stripped)


def _without(text: str, start: int, end: int, references: Sequence[Reference], laws: Laws) -> str:
    """Return a sentence with blanks in the place of its citations and of names of statutes."""
    sentence = list(text[start:end])
    names = [(name.start, name.end) for name in laws.find(text[start:end])]
    for a, b in [*((r.start - start, r.end - start) for r in references), *names]:
        sentence[max(0, a) : b] = " " * len(sentence[max(0, a) : b])
    return "".join(sentence)


def _flaws(text: str, start: int, end: int, references: Sequence[Reference], sources: _Sources) -> Iterator[str]:
    cited = [sources.articles[r.article_id] for r in references if r.article_id in sources.articles]
    if not cited:
        return
    bodies = [_body(edition, article) for edition, article in cited]
    said = _without(text, start, end, references, sources.laws)
    squashed = "\n".join(_squash(body) for body in bodies)
    for quote in _quotations(text[start:end]):
        if any(_squash(part) not in squashed for part in re.split(r"…|\.{2,}|⋯|\(중략\)", quote)):
            yield f"인용한 문구 ‘{quote if len(quote) <= 30 else quote[:30] + '…'}’가 조문에 없음"
    if absent := missing(said, bodies):
        yield f"{', '.join(f'‘{number}’' for number in absent)}: 조문에 없는 수치"


def _body(edition: Edition, article: Article) -> str:
    dates = [day for day in (edition.effective, edition.promulgated) if day]
    said = " ".join(f"{day.year}년 {day.month}월 {day.day}일" for day in dates)
    return f"{edition.title} {article.heading} {said}\n{strip_marks(article.text)}\n{article.text}"


def _quotations(sentence: str) -> Iterator[str]:
    for match in _QUOTES.finditer(sentence):
        double, single = match.groups()
        quote, shortest = (double, _SHORTEST_QUOTE[0]) if double else (single, _SHORTEST_QUOTE[1])
        if len(_squash(quote)) >= shortest:
            yield quote


def _squash(text: str) -> str:
    return re.sub(r"[\W_]", "", text)
