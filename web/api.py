"""The endpoints that programs call."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.events import api

from rag.answer import as_json, extractive_answer
from web.events import ASKING
from web.service import Service, plainly


def endpoints(service: Service) -> None:
    """Add the named endpoints to the app being built."""
    api(_searcher(service), api_name="search", **ASKING)


def _searcher(service: Service) -> Any:
    def search(question: str, k: int = service.settings.top_k) -> dict[str, Any]:
        """질문에 답하는 조문 k개를 유사도와 함께 돌려줍니다."""
        try:
            found = service.search(question, k=k)
            return as_json(found, extractive_answer(found))
        except Exception as error:
            raise gr.Error(plainly(error), title="오류", print_exception=False) from error

    return search
