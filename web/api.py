"""The endpoints that programs call, over HTTP and as MCP tools. What they take and give stands in docs/api.md.

A tool is named after its function and described by its docstring and type hints, which is why these are in Korean and
list their parameters. Whatever cannot be answered is raised as a Korean `gr.Error`; a trace never leaves the process.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import wraps
from typing import Any

import gradio as gr
from gradio.events import api

from ingest.report import find_statutes
from rag.answer import as_json, extractive_answer
from rag.cited import CitedArticle
from rag.errors import LawError
from rag.related import Relative
from rag.statutes import normalize_title, official_url
from rag.texts import StoredStatute
from rag.written import answer_json
from web.events import ASKING, LOOKING_UP, WRITTEN
from web.service import Service, plainly

MOST_LISTED = 500
MOST_HISTORY = 20

_LONGEST_NAME = 100
_BARE_NUMBER = re.compile(r"\d{1,4}(?:(?:-|의)\d{1,3})*")

Json = dict[str, Any]


def endpoints(service: Service) -> None:
    """Add the named endpoints to the app being built; they are the only public ones, and so the only MCP tools."""
    k = service.settings.top_k
    api(_told(_searcher(service, k)), api_name="search", **ASKING)
    api(_told(_asker(service, k)), api_name="ask", **(WRITTEN if service.settings.llm else ASKING))
    api(_told(_getter(service)), api_name="get_article", **LOOKING_UP)
    api(_told(_lister(service)), api_name="list_statutes", **LOOKING_UP)


def _searcher(service: Service, default: int) -> Callable[..., Json]:
    def search_statutes(question: str, request: gr.Request, k: int = default) -> Json:
        """대한민국 법령에서 질문에 답하는 조문을 찾습니다. 일상어로 물어도, '민법 제750조'처럼 조문을 가리켜도 됩니다.

        조문마다 법령 이름, 조문 번호, 제목, 원문, 질문과의 유사도(-1~1), 답이 되는 부분의 위치, 시행일, 원문 주소를
        좋은 순서로 돌려줍니다. abstained가 true이면 수록된 법령에 답이 없다고 판단한 것이므로 근거로 쓰지 마십시오.

        Args:
            question: 한국어 질문이나 조문 인용. 1,000자까지.
            k: 돌려받을 조문의 수. 1부터 50까지.
        """
        found = service.search(_text("question", question), k=_count("k", k))
        return as_json(found, extractive_answer(found))

    return search_statutes


def _asker(service: Service, default: int) -> Callable[..., Json]:
    def ask(question: str, request: gr.Request, history: list[str] | None = None, k: int = default) -> Json:
        """대한민국 법령에 관한 질문에 조문을 근거로 답합니다. 답(answer, Markdown)과 근거 조문(hits)을 함께 돌려줍니다.

        답은 수록된 조문에서만 나옵니다. 언어모델이 쓴 답이면 checks에 문장마다 인용을 대조한
        결과가 있습니다. abstained가 true이면 답하는 조문이 없다는 뜻입니다. 법률 자문이 아닙니다.

        Args:
            question: 한국어 질문. 1,000자까지.
            history: 이 대화에서 앞서 한 질문들, 오래된 것부터. 20개까지. '그럼 상가는요?'처럼 이어 물을 때 씁니다.
            k: 근거로 찾을 조문의 수. 1부터 50까지.
        """
        found = service.search(_text("question", question), _history(history), _count("k", k))
        *_, answer = service.answers(found)
        return answer_json(found, answer)

    return ask


def _getter(service: Service) -> Callable[..., Json]:
    def get_article(law: str, article: str, request: gr.Request) -> Json:
        """법령 이름과 조문 번호로 조문 하나의 원문을 가져옵니다. 법령의 판(공포일, 시행일)과 관련 조문도 돌려줍니다.

        수록되지 않은 법령이나 없는 조문이면 그렇게 알리는 오류가 납니다. 비슷한 조문으로 바꾸어 주지 않습니다.

        Args:
            law: 법령의 제목이나 약칭. 예: 민법, 주택임대차보호법, 주임법, 도로교통법 시행령
            article: 조문 번호. 예: 제750조, 750, 제3조의2, 839-2, 제3조제2항(항과 호는 highlight로 표시)
        """
        law, article = _text("law", law, _LONGEST_NAME), _text("article", article, _LONGEST_NAME)
        cited = service.cited(f"「{law}」 {_numbered(article)}")
        if not cited.articles:
            why = " ".join(cited.notes) or "법령 이름과 조문 번호를 '민법', '제750조'와 같이 써 주십시오."
            raise LawError(f"‘{law} {article}’을(를) 찾지 못했습니다. {why}")
        return _article_json(service, cited.articles[0], cited.notes)

    return get_article


def _lister(service: Service) -> Callable[..., Json]:
    def list_statutes(request: gr.Request, query: str = "", limit: int = 100, offset: int = 0) -> Json:
        """수록된 법령의 목록을 가져옵니다. 법령마다 이름, 종류, 공포일, 시행일, 조문 수를 돌려줍니다.

        Args:
            query: 법령 이름이나 약칭의 일부. 비우면 전부.
            limit: 한 번에 받을 법령의 수. 1부터 500까지.
            offset: 앞에서 건너뛸 법령의 수.
        """
        words = _text("query", query, _LONGEST_NAME, empty=True)
        first, count = _number("offset", offset, 0, 1_000_000), _number("limit", limit, 1, MOST_LISTED)
        wanted = normalize_title(words)
        found = find_statutes(service.inventory(), words)
        found.sort(key=lambda stored: (stored.edition.key != wanted, not stored.edition.key.startswith(wanted)))
        return {"total": len(found), "statutes": [_statute_json(stored) for stored in found[first : first + count]]}

    return list_statutes


def _told(function: Callable[..., Json]) -> Callable[..., Any]:
    """Return an endpoint that says what is wrong in Korean, and gives JSON text where an MCP client asks.

    An MCP answer is text, and Gradio makes it with `str`: of a dict that would be Python's notation.
    """

    @wraps(function)
    def endpoint(*args: Any, **kwargs: Any) -> Any:
        try:
            answer = function(*args, **kwargs)
        except Exception as error:
            raise gr.Error(plainly(error), title="오류", print_exception=False) from error
        request = next((arg for arg in args if isinstance(arg, gr.Request)), None)
        by_mcp = request is not None and request.headers.get("x-gradio-user") == "mcp"
        return json.dumps(answer, ensure_ascii=False) if by_mcp else answer

    return endpoint


def _article_json(service: Service, cited: CitedArticle, notes: Sequence[str]) -> Json:
    edition, article = cited.edition, cited.article
    around = service.relatives(cited)
    groups = ("delegated", "parents", "penalties", "cites", "cited_by")
    return {
        "law": edition.title,
        "article": article.label,
        "title": article.title,
        "text": article.text,
        "highlight": [list(span) for span in cited.spans],
        "divisions": list(article.divisions),
        "deleted": article.deleted,
        **_edition_json(edition),
        "in_force": edition.in_force(date.today()),
        "url": official_url(edition.title, article.label),
        "notes": list(notes),
        "related": {name: [_relative_json(relative) for relative in getattr(around, name)] for name in groups},
    }


def _statute_json(stored: StoredStatute) -> Json:
    edition = stored.edition
    return {
        "law": edition.title,
        "abbreviation": edition.abbreviation,
        **_edition_json(edition),
        "articles": stored.articles,
        "url": official_url(edition.title),
    }


def _edition_json(edition: Any) -> Json:
    return {
        "kind": edition.kind,
        "number": edition.number,
        "promulgated": edition.promulgated.isoformat() if edition.promulgated else None,
        "effective": edition.effective.isoformat() if edition.effective else None,
        "repealed": edition.repealed,
    }


def _relative_json(relative: Relative) -> Json:
    return {"law": relative.law, "article": relative.label, "title": relative.title}


def _numbered(article: str) -> str:
    """Return an article number as statutes write it: 750 -> 제750조, 839-2 -> 제839조의2."""
    if _BARE_NUMBER.fullmatch(article):
        first, *branches = re.split(r"-|의", article)
        return f"제{first}조" + "".join(f"의{branch}" for branch in branches)
    return article


# What is checked here came over the wire: type hints describe it, nothing enforces them.


def _text(name: str, value: Any, most: int | None = None, *, empty: bool = False) -> str:
    if not isinstance(value, str):
        raise LawError(f"{name}은(는) 글자여야 합니다.")
    if not empty and not value.strip():
        raise LawError("질문을 입력해 주십시오." if name == "question" else f"{name}을(를) 입력해 주십시오.")
    if most is not None and len(value) > most:
        raise LawError(f"{name}이(가) 너무 깁니다({len(value):,}자). {most:,}자 안으로 줄여 주십시오.")
    return value.strip()


def _count(name: str, value: Any) -> int:
    # Its bounds are the service's.
    return _number(name, value, -1_000_000, 1_000_000)


def _number(name: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise LawError(f"{name}은(는) 정수여야 합니다.")
    if not least <= value <= most:
        raise LawError(f"{name}은(는) {least:,}부터 {most:,}까지입니다.")
    return int(value)


def _history(value: Any) -> list[str]:
    questions = [] if value is None else value
    if not isinstance(questions, list) or not all(isinstance(question, str) for question in questions):
        raise LawError("history는 앞서 한 질문들의 목록이어야 합니다.")
    if len(questions) > MOST_HISTORY:
        raise LawError(f"history는 {MOST_HISTORY}개까지입니다.")
    return [_text("history", question, 1_000, empty=True) for question in questions]
