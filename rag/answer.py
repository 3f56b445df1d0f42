"""What is said about the hits: a short extractive answer, quoted from the articles, nothing added."""

from __future__ import annotations

import re
from typing import Any

from rag.retriever import Search
from rag.statutes import Coming, Hit

NOT_FOUND = (
    "이 질문에 답하는 조문을 찾지 못했습니다. 함께 보이는 것은 그나마 가까운 조문일 뿐, 답이 아닐 수 있습니다. "
    "상황을 조금 더 자세히 쓰거나, 법령 이름이나 조문 번호(예: 민법 제750조)를 넣어 다시 물어보십시오."
)
NOTHING_INDEXED = "아직 들어 있는 법령이 없습니다. 법령을 먼저 추가해 주십시오."

_QUOTE_LIMIT = 400


def extractive_answer(search: Search) -> str:
    """Return a short Korean answer in Markdown: what could not be found, then the marked text of the best article."""
    parts = [_escape(note) for note in search.notes]
    if not search.hits:
        return "\n\n".join([*parts, NOTHING_INDEXED])
    if search.abstained:
        return "\n\n".join([*parts, NOT_FOUND])
    best = search.hits[0]
    others = ", ".join(cite(hit) for hit in search.hits[1:])
    lead = "물어보신 조문입니다." if "citation" in best.signals else "가장 가까운 조문입니다."
    quote = "\n".join(f"> {line.strip()}  " for line in _escape(quoted(best)).splitlines())
    parts += [f"{lead} **{_escape(cite(best))}**", quote]
    if others:
        parts.append(f"함께 볼 조문: {_escape(others)}")
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


def quoted(hit: Hit) -> str:
    """Return the marked text of a hit, or its whole text, cut with an ellipsis where it is long."""
    text = hit.article.text
    if hit.highlight:
        text = "\n".join(text[start:end] for start, end in hit.highlight)
    return text if len(text) <= _QUOTE_LIMIT else text[:_QUOTE_LIMIT].rstrip() + " …"


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


def _escape(text: str) -> str:
    """Keep statute text from being read as Markdown or HTML."""
    text = re.sub(r"[\\`*_{}\[\]#|~$]", r"\\\g<0>", text.replace("<", "&lt;").replace(">", "&gt;"))
    return re.sub(r"(?m)^(\s*)(\d+)\.", r"\1\2\\.", text)


def _coming_json(coming: Coming) -> dict[str, Any]:
    return {
        "effective": coming.edition.effective.isoformat() if coming.edition.effective else None,
        "text": coming.article.text if coming.article else None,
    }
