"""The question tab: the conversation on one side, the articles on the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import gradio as gr

from rag.answer import extractive_answer
from web import cards
from web.events import ASKING, PRIVATE, QUIET
from web.examples import examples
from web.markup import escape_markdown
from web.service import MAX_QUESTION, Service, plainly

EXAMPLES = 6

Turn = tuple[str, str]
"""A question and what was answered, as Markdown."""


def ask_tab(service: Service) -> list[gr.Button]:
    """Lay out the question tab; return its example buttons."""
    turns = gr.State([])
    with gr.Row(elem_id="ask"):
        with gr.Column(scale=9, min_width=0, elem_id="conversation"):
            chat = gr.Chatbot(
                label="대화",
                show_label=False,
                elem_id="chat",
                visible=False,
                height=None,
                allow_tags=False,
                feedback_options=None,
                buttons=["copy"],
                layout="bubble",
            )
            welcome = gr.HTML(cards.welcome_html(), elem_id="welcome")
            question = gr.Textbox(
                label="질문",
                show_label=False,
                container=False,
                placeholder="질문을 쓰고 Enter를 누르십시오",
                lines=1,
                max_lines=5,
                max_length=MAX_QUESTION,
                autofocus=True,
                elem_id="question",
            )
            with gr.Row(elem_id="ask-buttons"):
                fresh = gr.Button("새 대화", min_width=96, elem_id="fresh")
                send = gr.Button("보내기", variant="primary", min_width=120, elem_id="send")
            with gr.Column(elem_id="examples") as offered_box:
                gr.HTML('<p class="law-label">이렇게 물어볼 수 있습니다</p>')
                offered = [gr.Button(visible=False, size="sm", elem_classes="example") for _ in range(EXAMPLES)]
        with gr.Column(scale=11, min_width=0):
            panel = gr.HTML(cards.empty_html(), elem_id="cards")
    screen = [turns, chat, panel, question, welcome, offered_box]

    def ask(text: str, earlier: list[Turn]) -> Iterator[tuple[Any, ...]]:
        if not text.strip():
            yield (gr.skip(),) * len(screen)
            return
        asked = gr.Chatbot(_messages([*earlier, (text, "")]), visible=True)
        yield earlier, asked, cards.searching_html(), "", gr.HTML(visible=False), gr.Column(visible=False)
        answer, html = _answer(service, text, [question for question, _ in earlier])
        after = [*earlier, (text, answer)]
        yield after, _messages(after), html, gr.skip(), gr.skip(), gr.skip()

    def start_over() -> tuple[Any, ...]:
        return [], gr.Chatbot([], visible=False), cards.empty_html(), "", gr.HTML(visible=True), gr.Column(visible=True)

    shown: dict[str, Any] = {**PRIVATE, **ASKING, "show_progress": "hidden", "trigger_mode": "once"}
    gr.on([question.submit, send.click], ask, [question, turns], screen, **shown)
    for button in offered:
        button.click(ask, [button, turns], screen, **shown)
    fresh.click(start_over, None, screen, **QUIET)
    return offered


def example_buttons(service: Service) -> list[gr.Button]:
    """Return the example buttons as they are for what is in."""
    titles = [stored.edition.title for stored in service.inventory() if not stored.edition.repealed]
    offered = examples(titles, EXAMPLES)
    return [gr.Button(text, visible=True) for text in offered] + [gr.Button(visible=False)] * (EXAMPLES - len(offered))


def _answer(service: Service, text: str, history: list[str]) -> tuple[str, str]:
    """Return (answer in Markdown, cards) for a question, or the reason why there are none."""
    try:
        search = service.search(text, history)
        html = cards.results_html(search, date.today(), service.settings.abstain_below, service.around(search))
        return extractive_answer(search), html
    except Exception as error:
        message = plainly(error)
        return escape_markdown(message), cards.error_html(message)


def _messages(turns: list[Turn]) -> list[Any]:
    messages: list[Any] = []
    for asked, answer in turns:
        messages.append({"role": "user", "content": escape_markdown(asked)})
        if answer:
            messages.append({"role": "assistant", "content": answer})
    return messages
