"""The offer to fetch the whole statute book: made where little is in and the mirror answers, to who may write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from rag.errors import LawError
from web import cards
from web.events import QUIET
from web.service import Service, plainly

_TEXT = (
    '<p class="law-help" role="note"><b>전체 법령집을 받을 수 있습니다.</b> 법률·시행령·시행규칙 5,600여 개를 공개 미러'
    "(GitHub의 legalize-kr)에서 받아 넣습니다. 약 70MB를 받고 색인에 한 시간 남짓 걸리며, "
    "그동안에도 질문할 수 있습니다.</p>"
)


def book_offer(service: Service, require: Callable[[gr.Request], None], demo: gr.Blocks, timer: gr.Timer) -> None:
    """Lay out the offer, unseen until it is known to hold.

    `require` raises LawError unless who asks may write; `timer` is what keeps telling how far indexing is.
    """
    with gr.Row(visible=False, elem_id="offer", equal_height=True) as row:
        with gr.Column(scale=6, min_width=260):
            gr.HTML(_TEXT)
        take = gr.Button("전체 법령집 받기", variant="primary", scale=1, min_width=160, elem_id="offer-take")
        later = gr.Button("나중에", scale=0, min_width=96, elem_id="offer-later")
    refused = gr.HTML(elem_id="offer-refused")

    def make(request: gr.Request) -> gr.Row:
        try:
            require(request)
        except LawError:
            return gr.Row(visible=False)
        return gr.Row(visible=service.lacks_the_book())

    def accept(request: gr.Request) -> tuple[Any, ...]:
        try:
            require(request)
            service.fetch_the_book()
        except Exception as error:
            return gr.skip(), cards.error_html(plainly(error)), gr.skip()
        return gr.Row(visible=False), "", gr.Timer(active=True)

    # A fresh app indexes its corpus first; the last tick comes when that is done.
    gr.on([demo.load, timer.tick], make, None, row, **QUIET)
    take.click(accept, None, [row, refused, timer], **QUIET)
    later.click(lambda: gr.Row(visible=False), None, row, **QUIET)
