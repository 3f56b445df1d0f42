"""What is said about the hits without a language model: the sentences that answer, quoted from the articles.

The same search gives the same answer, and nothing stands in it but what the articles say. Of what the retriever marked
in an article the sentences are taken that share most of the question's wording.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from rag.lexical import bigrams, shared
from rag.markdown import escape, link
from rag.places import Place
from rag.retriever import Search
from rag.statutes import Coming, Hit, strip_marks

NOT_FOUND = (
    "이 질문에 답하는 조문을 찾지 못했습니다. 함께 보이는 것은 그나마 가까운 조문일 뿐, 답이 아닐 수 있습니다. "
    "상황을 조금 더 자세히 쓰거나, 법령 이름이나 조문 번호(예: 민법 제750조)를 넣어 다시 물어보십시오."
)
NOTHING_INDEXED = "아직 들어 있는 법령이 없습니다. 법령을 먼저 추가해 주십시오."

Linker = Callable[[str, str], str]
"""Returns what a citation links to: (article id, address of its official text) -> address."""

_MOST_QUOTED = 3
"""How many articles are quoted; most often the right one is among them."""

_LENGTHS = (320, 160, 160)
"""Characters quoted of the first article and of those after it."""

_CITED_LENGTH = 400
_HEAD_LENGTH = 120
_SENTENCE_END = re.compile(r"(?<=[다음함것]\.)\s+")
_LISTED = re.compile(r"\s*(?:\d{1,3}(?:의\d+)?|[가-하])\.\s")


def official(_: str, url: str) -> str:
    """Link a citation to the official text."""
    return url


def extractive_answer(search: Search, linked: Linker = official) -> str:
    """Return a short Korean answer in Markdown: what could not be found, then sentences of the best articles, cited."""
    notes = [escape(note) for note in search.notes]
    if not search.hits:
        return "\n\n".join([*notes, NOTHING_INDEXED])
    if search.abstained:
        return "\n\n".join([*notes, NOT_FOUND])
    cited = [hit for hit in search.hits if "citation" in hit.signals]
    shown = (cited or search.hits)[:_MOST_QUOTED]
    best, others = shown[0], shown[1:]
    words = set(bigrams(search.asked or search.question))
    lead = "물어보신 조문입니다." if cited else "가장 가까운 조문입니다."
    parts = [*notes, f"{lead} **{link(cite(best), linked(best.article_id, best.url))}**", _quote(best, words, 0)]
    if others:
        parts.append("함께 볼 대목입니다." if not cited else "함께 물어보신 조문입니다.")
        parts.append("\n".join(_point(hit, words, rank, linked) for rank, hit in enumerate(others, 1)))
    return "\n\n".join(part for part in parts if part)


def cite(hit: Hit) -> str:
    """Return a hit's citation: 민법 제750조(불법행위의 내용)."""
    return f"{hit.edition.title} {hit.article.heading}"


def coming_text(coming: Coming) -> str:
    """Return what is said of an article that is about to change: 2027-01-01부터 내용이 바뀝니다(법률 제21472호)."""
    day = coming.edition.effective_text
    when = "시행일이 정해지지 않은 개정으로" if day == "미정" else f"{day}부터"
    gone = coming.article is None or coming.article.deleted
    what = "없어집니다" if gone else "내용이 바뀝니다"
    return f"{when} {what}" + (f"({coming.edition.designation})." if coming.edition.designation else ".")


def cite_place(hit: Hit) -> str:
    """Return the citation of what is marked in a hit: 민법 제766조제1항, or of the article where that is not one 항."""
    spans = zip(hit.article.paragraphs, hit.article.paragraph_spans(), strict=True)
    numbers = {p.number for p, (a, b) in spans if any(a < end and start < b for start, end in hit.highlight)}
    place = Place(paragraph=numbers.pop()) if len(numbers) == 1 else Place()
    return f"{hit.edition.title} {hit.article.label}{place.render()}"


def quoted(hit: Hit, words: set[str], limit: int) -> str:
    """Return what is quoted of a hit in about `limit` characters, one line for each 항 or 호.

    Whole where it is short; else the beginning of the marked passage and its best sentences, in their order.
    """
    text = hit.article.text
    marked = "\n".join(text[start:end] for start, end in hit.highlight) if hit.highlight else text
    whole = strip_marks(marked)
    if hit.highlight and _LISTED.match(marked):  # a 호 says nothing without the sentence it completes
        whole = f"{_head(hit)}\n{whole}".strip()
    return whole if len(whole) <= limit else _shortened(whole, words, limit)


def _head(hit: Hit) -> str:
    """Return the sentence that the 호 marked in a hit completes, cut where it is long."""
    start = hit.highlight[0][0]
    for paragraph, (first, last) in zip(hit.article.paragraphs, hit.article.paragraph_spans(), strict=True):
        if first < start <= last:
            head = strip_marks(paragraph.lines[0].render())
            return head if len(head) <= _HEAD_LENGTH else head[:_HEAD_LENGTH].rstrip() + " …"
    return ""


def _shortened(text: str, words: set[str], limit: int) -> str:
    """Return the sentences of a text that are most like the question, as many as fit, … for what is left out."""
    sentences = [sentence for line in text.splitlines() for sentence in _SENTENCE_END.split(line)]
    by_likeness = sorted(range(len(sentences)), key=lambda n: (-shared(sentences[n], words), n))
    chosen: list[int] = []
    room = limit
    for number in by_likeness:
        if not chosen or len(sentences[number]) <= room:
            chosen.append(number)
            room -= len(sentences[number])
        if room <= 0:
            break
    return _joined(sentences, sorted(chosen), limit)


def _joined(sentences: Sequence[str], chosen: Sequence[int], limit: int) -> str:
    parts: list[str] = []
    for position, number in enumerate(chosen):
        sentence = sentences[number]
        cut = sentence if len(sentence) <= limit else sentence[:limit].rstrip() + " …"
        before = chosen[position - 1] if position else -1
        parts.append(cut if number == before + 1 else f"… {cut}")
    if chosen[-1] < len(sentences) - 1 and not parts[-1].endswith("…"):
        parts[-1] += " …"
    return "\n".join(parts)


def _quote(hit: Hit, words: set[str], rank: int) -> str:
    limit = _CITED_LENGTH if "citation" in hit.signals else _LENGTHS[rank]
    lines = escape(quoted(hit, words, limit)).splitlines()
    return "\n".join(f"> {line.strip()}  " for line in [*lines, f"— {escape(cite_place(hit))}"] if line.strip())


def _point(hit: Hit, words: set[str], rank: int, linked: Linker) -> str:
    said = " ".join(escape(quoted(hit, words, _LENGTHS[rank])).split())
    return f"- {link(cite_place(hit), linked(hit.article_id, hit.url))}: {said}"


def as_json(search: Search, answer: str) -> dict[str, Any]:
    """Return a search in the form of the command line's and the app's JSON."""
    return {
        "question": search.question,
        "answer": answer,
        "abstained": search.abstained,
        "hits": [
            {
                "law": hit.edition.title,
                "article": hit.article.label,
                "title": hit.article.title,
                "text": hit.article.text,
                "score": round(hit.score, 6),
                "signals": list(hit.signals),
                "highlight": [list(span) for span in hit.highlight],
                "effective": hit.edition.effective.isoformat() if hit.edition.effective else None,
                "coming": _coming_json(hit.coming) if hit.coming else None,
                "url": hit.url,
            }
            for hit in search.hits
        ],
    }


def _coming_json(coming: Coming) -> dict[str, Any]:
    return {
        "effective": coming.edition.effective.isoformat() if coming.edition.effective else None,
        "text": coming.article.text if coming.article else None,
    }
