"""The question tab: the conversation on one side, the articles on the other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import gradio as gr

from rag.filters import Filter
from rag.retriever import Search
from web import cards
from web.citations import to_cards
from web.conversation import Conversation, Turn, as_markdown, keep, new_conversation, read_kept, turn_of
from web.events import ASKING, PRIVATE, QUIET, WRITTEN
from web.examples import examples
from web.markup import escape_markdown
from web.service import MAX_QUESTION, Service, plainly

EXAMPLES = 6
MOST_SHOWN = 20
_SHOWN: dict[str, Any] = {**PRIVATE, "show_progress": "hidden", "trigger_mode": "once"}
_PAUSE = 0.15
"""Seconds between two sights of a growing answer: each is sent whole."""
_THANKS = "의견을 적어 두었습니다. 고맙습니다."


@dataclass(frozen=True, slots=True)
class Scope:
    """The components that say what is searched: statutes, kinds, ministries, and how many articles are shown."""

    statutes: gr.Dropdown
    kinds: gr.Dropdown
    ministries: gr.Dropdown
    count: gr.Slider

    @property
    def inputs(self) -> list[Any]:
        """In the order in which the events take them."""
        return [self.statutes, self.kinds, self.ministries, self.count]


@dataclass(frozen=True, slots=True)
class Past:
    """The components of what is kept in the browser."""

    kept: gr.BrowserState
    chosen: gr.Dropdown
    export: gr.Button
    forget: gr.Button


def ask_tab(service: Service, demo: gr.Blocks) -> list[gr.Button]:
    """Lay out the question tab; return its example buttons."""
    talk = gr.State(Conversation(""))  # a function here would become a public endpoint; loading the page gives it an id
    with gr.Row(elem_id="ask"):
        with gr.Column(scale=9, min_width=0, elem_id="conversation"):
            chat = _chat(service)
            welcome = gr.HTML(cards.welcome_html(), elem_id="welcome")
            question = _question_box()
            with gr.Row(elem_id="ask-buttons"):
                fresh = gr.Button("새 대화", min_width=96, elem_id="fresh")
                send = gr.Button("보내기", variant="primary", min_width=120, elem_id="send")
            scope = _scope_box(service)
            with gr.Column(elem_id="examples") as offered_box:
                gr.HTML('<p class="law-label">이렇게 물어볼 수 있습니다</p>')
                offered = [gr.Button(visible=False, size="sm", elem_classes="example") for _ in range(EXAMPLES)]
            past = _past_box()
        with gr.Column(scale=11, min_width=0):
            panel = gr.HTML(cards.empty_html(), elem_id="cards")
    screen = [talk, chat, panel, question, welcome, offered_box]

    def ask(text: str, talked: Conversation, *narrowed: Any) -> Iterator[tuple[Any, ...]]:
        if not text.strip():
            yield (gr.skip(),) * len(screen)
            return
        talked = talked if talked.id else new_conversation()
        asked = gr.Chatbot(_messages([*talked.turns, Turn(text, "")]), visible=True)
        yield talked, asked, cards.searching_html(), "", gr.HTML(visible=False), gr.Column(visible=False)
        for turn, html in _answers(service, text, talked.questions, *narrowed):
            after = talked.with_turn(turn)
            yield after, _messages(after.turns), html, gr.skip(), gr.skip(), gr.skip()

    def show(talked: Conversation) -> tuple[Any, ...]:
        """Return the screen of a conversation that was had before."""
        if not talked.turns:
            return (talked, gr.Chatbot([], visible=False), cards.empty_html(), "",
                    gr.HTML(visible=True), gr.Column(visible=True))  # fmt: skip
        return (talked, gr.Chatbot(_messages(talked.turns), visible=True), _recalled(service, talked.turns[-1]), "",
                gr.HTML(visible=False), gr.Column(visible=False))  # fmt: skip

    shown = {**_SHOWN, **(WRITTEN if service.settings.llm else ASKING)}
    kept = past.kept
    keeping = ([talk, kept], [kept, past.chosen])
    asked = [gr.on([question.submit, send.click], ask, [question, talk, *scope.inputs], screen, **shown)]
    asked += [button.click(ask, [button, talk, *scope.inputs], screen, **shown) for button in offered]
    for event in asked:
        event.then(_keep, *keeping, **QUIET)
    fresh.click(lambda: show(new_conversation()), None, screen, **QUIET)
    demo.load(lambda value: show(next(iter(read_kept(value)), new_conversation())), kept, screen, **QUIET).then(
        _keep, *keeping, **QUIET
    )
    past.chosen.input(lambda number, value: show(_nth(value, number)), [past.chosen, kept], screen, **QUIET)
    past.forget.click(lambda: [*show(new_conversation()), [], _chooser([])], None, [*screen, *keeping[1]], **QUIET)
    document = gr.Textbox(visible=False)
    past.export.click(lambda talked: _document(service, talked), talk, document, **PRIVATE).then(
        None, document, None, js="(text) => window.law.download(text)", **PRIVATE
    )
    chat.select(_seen_again(service), talk, panel, **QUIET)
    if service.settings.feedback:
        chat.like(_rated(service), talk, None, **PRIVATE)
    return offered


def example_buttons(service: Service) -> list[gr.Button]:
    """Return the example buttons as they are for what is in."""
    titles = [stored.edition.title for stored in service.inventory() if not stored.edition.repealed]
    offered = examples(titles, EXAMPLES)
    return [gr.Button(text, visible=True) for text in offered] + [gr.Button(visible=False)] * (EXAMPLES - len(offered))


def _chat(service: Service) -> gr.Chatbot:
    return gr.Chatbot(
        label="대화",
        show_label=False,
        elem_id="chat",
        visible=False,
        height=None,
        allow_tags=False,
        feedback_options=("Like", "Dislike") if service.settings.feedback else None,
        buttons=["copy"],
        autoscroll=False,  # the page keeps the newest question at the top, so that an answer is read from its start
        layout="bubble",
    )


def _question_box() -> gr.Textbox:
    return gr.Textbox(
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


def _scope_box(service: Service) -> Scope:
    """Lay out what narrows the search. The choices are read when the box is opened: there can be thousands."""
    with gr.Accordion("검색 범위와 조문 수", open=False, elem_id="scope") as box:
        statutes = gr.Dropdown([], label="법령", multiselect=True, max_choices=20, elem_id="scope-statutes")
        kinds = gr.Dropdown([], label="종류", multiselect=True, elem_id="scope-kinds")
        ministries = gr.Dropdown([], label="소관부처", multiselect=True, elem_id="scope-ministries")
        count = gr.Slider(1, MOST_SHOWN, min(service.settings.top_k, MOST_SHOWN), step=1, label="조문 수")
        gr.HTML('<p class="law-help">비워 두면 수록된 법령 전체에서 찾습니다.</p>')
    chosen = [statutes, kinds, ministries]

    def offer(*values: list[str] | None) -> list[gr.Dropdown]:
        return [
            gr.Dropdown(choices=choices, value=[value for value in values_ or [] if value in choices])
            for choices, values_ in zip(service.choices(), values, strict=True)
        ]

    box.expand(offer, chosen, chosen, **QUIET)
    return Scope(statutes, kinds, ministries, count)


def _past_box() -> Past:
    """Lay out what is kept of conversations. They are kept in the browser, not here; the secret hides nothing."""
    kept = gr.BrowserState([], storage_key="law-conversations", secret="law-conversations")
    with gr.Accordion("지난 대화", open=False, elem_id="past"):
        chosen = gr.Dropdown([], label="다시 볼 대화", elem_id="past-chosen")
        with gr.Row(elem_id="past-buttons"):
            export = gr.Button("이 대화 내보내기(Markdown)", size="sm", min_width=120, elem_id="export")
            forget = gr.Button("기록 모두 지우기", size="sm", min_width=120, elem_id="forget")
        gr.HTML('<p class="law-help">대화는 이 브라우저에만 남습니다. 여럿이 쓰는 컴퓨터라면 기록을 지워 주십시오.</p>')
    return Past(kept, chosen, export, forget)


def _nth(value: Any, number: int | None) -> Conversation:
    """Return a kept conversation by its place, an empty one where the choice was taken back."""
    kept = read_kept(value)
    return kept[number] if number is not None and 0 <= number < len(kept) else new_conversation()


def _keep(talked: Conversation, value: Any) -> tuple[Any, gr.Dropdown]:
    kept = keep(talked, value)
    return kept, _chooser(read_kept(kept))


def _chooser(conversations: Sequence[Conversation]) -> gr.Dropdown:
    names = [
        (f"{talked.turns[0].question[:40]} ({len(talked.turns)})", number)
        for number, talked in enumerate(conversations)
        if talked.turns
    ]
    return gr.Dropdown(choices=names, value=None)


def _seen_again(service: Service) -> Any:
    def show(talked: Conversation, event: gr.SelectData) -> Any:
        turn = _turn_at(talked, event.index)
        return _recalled(service, turn) if turn else gr.skip()

    return show


def _rated(service: Service) -> Any:
    def rate(talked: Conversation, event: gr.LikeData) -> None:
        turn = _turn_at(talked, event.index)
        # `liked` is an empty string where an opinion is taken back: what was written stays, the last line counts.
        if turn and isinstance(event.liked, bool):
            before = talked.questions[: talked.turns.index(turn)]
            if service.rate(turn, before, event.liked):
                gr.Info(_THANKS, title="", duration=3)

    return rate


def _turn_at(talked: Conversation, index: Any) -> Turn | None:
    """Return the turn a message belongs to: of two messages each, the question and its answer."""
    number = index[0] if isinstance(index, (list, tuple)) else index
    turns = talked.turns
    return turns[number // 2] if isinstance(number, int) and 0 <= number < 2 * len(turns) else None


def _answers(
    service: Service,
    text: str,
    history: list[str],
    statutes: list[str] | None,
    kinds: list[str] | None,
    ministries: list[str] | None,
    count: float,
) -> Iterator[tuple[Turn, Any]]:
    """Yield a question's turn as its answer grows, and its cards; or the reason why there are none."""
    within = Filter(tuple(statutes or ()), tuple(kinds or ()), tuple(ministries or ()))
    scope = ", ".join((*within.statutes, *within.kinds, *within.ministries))
    try:
        search = service.search(text, history, int(count), within)
        html: Any = _cards(service, search, scope)
        shown = 0.0
        for answer in service.answers(search, to_cards(search)):
            if answer.done or time.monotonic() - shown > _PAUSE:
                yield turn_of(search, answer.markdown, scope), html
                html = gr.skip()  # the cards stay as they are while the answer grows
                shown = time.monotonic()
    except Exception as error:
        message = plainly(error)
        yield Turn(text, escape_markdown(message)), cards.error_html(message)


def _recalled(service: Service, turn: Turn) -> str:
    if not turn.hits:
        return cards.empty_html()
    try:
        return _cards(service, service.recall(turn), turn.scope)
    except Exception as error:
        return cards.error_html(plainly(error))


def _cards(service: Service, search: Search, scope: str) -> str:
    return cards.results_html(search, date.today(), service.settings.abstain_below, service.around(search), scope)


def _document(service: Service, talked: Conversation) -> str:
    if not talked.turns:
        gr.Info("내보낼 대화가 없습니다.", title="", duration=3)
        return ""
    turns = [(turn, service.recall(turn).hits) for turn in talked.turns]
    return as_markdown(turns, date.today().isoformat())


def _messages(turns: Sequence[Turn]) -> list[Any]:
    messages: list[Any] = []
    for turn in turns:
        messages.append({"role": "user", "content": escape_markdown(turn.question)})
        if turn.answer:
            messages.append({"role": "assistant", "content": turn.answer})
    return messages
