"""The answer to a search as it is shown: written by a language model and checked, or extracted from the articles.

Whatever hinders the model, there is an answer: then it is the extractive one, with a note that says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rag.answer import Linker, as_json, extractive_answer, official
from rag.claims import Checked, Claim, Reference, check
from rag.laws import Laws
from rag.llm import CANNOT_ANSWER, Llm, LlmError, prompt, stream, without_thoughts
from rag.markdown import escape, link
from rag.retriever import Search
from rag.texts import Texts

WRITING = "…"
_FALLBACK = "{reason} 조문에서 뽑은 답을 대신 보여 드립니다."
_NO_ANSWER = "언어모델은 찾은 조문만으로는 답할 수 없다고 보았습니다. 조문에서 뽑은 답을 대신 보여 드립니다."
_NO_SOURCES = "언어모델의 답변이 근거 조문을 하나도 들지 않아 쓰지 않았습니다. 조문에서 뽑은 답을 대신 보여 드립니다."
_NOT_MEANING = "조문의 존재, 따옴표 속 글귀와 숫자만 기계로 대조한 것이며, 뜻은 조문에서 확인하십시오."


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in Markdown, `done` or as far as it is written; `checks` where a model wrote it and it is done.

    `note` says in Korean why a model that is configured wrote none; it is part of the Markdown, too.
    """

    markdown: str
    done: bool
    checks: Checked | None = None
    note: str = ""


def answers(
    search: Search, llm: Llm | LlmError | None, laws: Laws, texts: Texts, linked: Linker = official
) -> Iterator[Answer]:
    """Yield the answer as it grows; the last one is done.

    Without hits, when abstaining and without a model it is the extractive one. `llm` may be the error that kept the
    model from being opened.
    """
    if llm is None or search.abstained or not search.hits:
        yield Answer(extractive_answer(search, linked), True)
        return
    try:
        if isinstance(llm, LlmError):
            raise llm
        text = ""
        for piece in stream(llm, prompt(search.asked or search.question, search.hits)):
            text += piece
            yield Answer(f"{_lead(search)}{escape(tidied(text))} {WRITING}", False)
        yield _finished(search, tidied(text), laws, texts, linked)
    except LlmError as error:
        yield _extracted(search, _FALLBACK.format(reason=_sentence(str(error))), linked)


def _finished(search: Search, text: str, laws: Laws, texts: Texts, linked: Linker) -> Answer:
    checked = check(text, search.hits, laws, texts)
    if not checked.citations:
        return _extracted(search, _NO_ANSWER if CANNOT_ANSWER in text else _NO_SOURCES, linked)
    body = _markdown(checked, linked)
    return Answer(f"{_lead(search)}{body}\n\n*{escape(summary(checked))}*", True, checked)


def _extracted(search: Search, note: str, linked: Linker) -> Answer:
    return Answer(f"*{escape(note)}*\n\n{extractive_answer(search, linked)}", True, None, note)


def _sentence(reason: str) -> str:
    """Return why there is no written answer as a sentence: a reason is one already or the beginning of one."""
    return reason if reason.endswith(".") else f"{reason} 답변을 만들지 못했습니다."


def _lead(search: Search) -> str:
    return "".join(f"{escape(note)}\n\n" for note in search.notes)


def summary(checked: Checked) -> str:
    """Return what the checks came to, in Korean."""
    found = []
    if checked.unverified:
        found.append(f"확인되지 않은 인용 {checked.unverified}건")
    if checked.uncited:
        found.append(f"출처 없는 문장 {checked.uncited}건")
    if found:
        return f"⚠️ {', '.join(found)}이 있습니다. {_NOT_MEANING}"
    return f"인용 {checked.citations}건을 조문과 대조했습니다. {_NOT_MEANING}"


def tidied(text: str) -> str:
    """Return a model's text without thoughts, Markdown's marks and addresses of links; bullets stay."""
    text = without_thoughts(text).replace("\r\n", "\n")
    text = re.sub(r"!\[([^\]\n]*)\]\([^)\n]*\)", "", text)
    text = re.sub(r"\[([^\]\n]*)\]\([^)\n]*\)", r"[\1]", text)
    text = re.sub(r"\*\*|__|```\w*|`", "", text)
    text = re.sub(r"(?m)^\s{0,3}(?:#{1,6}|>)\s+", "", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


# Markdown


def _markdown(checked: Checked, linked: Linker) -> str:
    parts: list[str] = []
    position = 0
    for claim in checked.claims:
        parts += [_plain(checked.text[position : claim.start]), _claim(checked.text, claim, linked)]
        position = claim.end
    return "".join([*parts, _plain(checked.text[position:])]).strip()


def _plain(text: str) -> str:
    """Return what stands between sentences: line breaks, headings, and bullets, which stay bullets."""
    lines = text.split("\n")
    shown = [re.sub(r"^(\s*)(?:[-*•]\s*)$", r"- ", line) if _is_bullet(line) else escape(line) for line in lines]
    return "\n".join(shown)


def _is_bullet(line: str) -> bool:
    return re.fullmatch(r"\s*[-*•]\s*", line) is not None


def _claim(text: str, claim: Claim, linked: Linker) -> str:
    parts: list[str] = []
    position = claim.start
    for reference in claim.references:
        start, end = max(position, reference.start), max(position, reference.end)
        cited = text[start:end]
        address = linked(reference.article_id, reference.url) if reference.article_id else ""
        parts += [escape(text[position:start]), link(cited, address) if address and cited else escape(cited)]
        position = end
    parts.append(escape(text[position : claim.end]))
    return "".join(parts) + "".join(f" **⚠️ {escape(flaw)}**" for flaw in _told(claim))


def _told(claim: Claim) -> list[str]:
    if not claim.references:
        return ["출처 없음"]
    own = [f"{r.law} {r.label}{r.place}: {r.flaw}" for r in claim.references if r.flaw]
    return list(dict.fromkeys([*own, *claim.flaws]))


# For programs and terminals


def plain(answer: Answer) -> str:
    """Return a written answer, or why there is none, as plain text; '' for one that merely quotes the articles."""
    checked = answer.checks
    if checked is None:
        return answer.note
    lines = [
        " ".join([checked.text[claim.start : claim.end].replace("\n", " "), *(f"⚠️ {flaw}" for flaw in _told(claim))])
        for claim in checked.claims
    ]
    return "\n".join([*lines, "", summary(checked)])


def answer_json(search: Search, answer: Answer) -> dict[str, Any]:
    """Return a search and its answer in the form of the command line's and the app's JSON.

    `checks` is there where a language model is configured: whether it wrote the answer, else why not; its sentences
    with their citations, what is wrong with them, and the counts.
    """
    found = as_json(search, answer.markdown)
    return found | {"checks": _checks(answer)} if answer.checks or answer.note else found


def _checks(answer: Answer) -> dict[str, Any]:
    checked = answer.checks
    if checked is None:
        return {"written": False, "note": answer.note, "unverified": 0, "uncited": 0, "sentences": []}
    return {
        "written": True,
        "note": "",
        "unverified": checked.unverified,
        "uncited": checked.uncited,
        "sentences": [
            {
                "text": checked.text[claim.start : claim.end],
                "citations": [_citation(reference) for reference in claim.references],
                "problems": list(claim.flaws),
            }
            for claim in checked.claims
        ],
    }


def _citation(reference: Reference) -> dict[str, Any]:
    return {
        "law": reference.law,
        "article": reference.label,
        "place": reference.place,
        "url": reference.url or None,
        "among_hits": reference.among_hits,
        "problem": reference.flaw,
    }
