"""The app in the browser: wires questions and uploads to components. `python app.py` serves it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api

from ingest.sources.files import READERS
from rag.answer import as_json, extractive_answer
from rag.errors import LawError
from rag.settings import settings
from web import cards, look, status
from web.examples import examples
from web.markup import escape_markdown
from web.service import MAX_QUESTION, UNEXPECTED, Job, Service, open_service

log = logging.getLogger(__name__)

EXAMPLES = 6
# Embedding takes every core there is: more at a time only makes all of them wait.
ASKING: dict[str, Any] = {"concurrency_id": "asking", "concurrency_limit": 2}
WRITING: dict[str, Any] = {"concurrency_id": "writing", "concurrency_limit": 1}
PRIVATE: dict[str, Any] = {"api_visibility": "private"}
QUIET: dict[str, Any] = {**PRIVATE, "queue": False, "show_progress": "hidden"}
REMOVE_WARNING = "다시 넣으려면 파일이 있어야 합니다. 처음부터 수록된 법령은 앱을 다시 시작하면 다시 들어옵니다."

Turn = tuple[str, str]
"""A question and what was answered, as Markdown."""


def build(service: Service) -> gr.Blocks:
    """Return the app over an open service."""
    demo = gr.Blocks(title=status.TITLE, analytics_enabled=False, fill_width=True, delete_cache=(3600, 86400))
    with demo:
        header = gr.HTML(elem_id="head")
        with gr.Tabs():
            with gr.Tab("질문"):
                offered = _ask_tab(service)
            with gr.Tab("수록 법령") as inventory_tab:
                listing, query = _inventory_tab(service)
            if service.settings.upload:
                with gr.Tab("법령 추가"):
                    _upload_tab(service, demo, header, offered)
        timer = gr.Timer(2.0)

        def refresh() -> list[Any]:
            return [_header(service), *_examples(service), gr.Timer(active=service.job.running)]

        gr.on([demo.load, timer.tick], refresh, None, [header, *offered, timer], **QUIET)
        gr.on([demo.load, inventory_tab.select], _lister(service), query, listing, **QUIET)
        api(_searcher(service), api_name="search", **ASKING)
    demo.queue(max_size=64)
    return demo


def _ask_tab(service: Service) -> list[gr.Button]:
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


def _inventory_tab(service: Service) -> tuple[gr.HTML, gr.Textbox]:
    query = gr.Textbox(label="법령 찾기", placeholder="법령 이름의 일부", max_length=100, elem_id="find-law")
    listing = gr.HTML(elem_id="inventory")
    query.change(_lister(service), query, listing, trigger_mode="always_last", **QUIET)
    return listing, query


def _upload_tab(service: Service, demo: gr.Blocks, header: gr.HTML, offered: list[gr.Button]) -> None:
    formats = ", ".join(READERS)
    limit = service.settings.max_upload_mb
    with gr.Row(elem_id="upload-row"):
        with gr.Column(scale=11, min_width=0):
            gr.HTML(
                '<h2 class="law-h2">법령 파일 넣기</h2><p class="law-help">국가법령정보센터에서 내려받은 파일을 '
                f"한꺼번에 여러 개 넣을 수 있습니다({formats}, 파일마다 {limit}MB까지). "
                "같은 법령은 더 새로운 판만 남습니다.</p>"
            )
            # No `file_types`: Gradio would refuse other files in English; the pipeline says in Korean what it takes.
            files = gr.File(label="법령 파일", file_count="multiple", height=180, elem_id="files")
            add = gr.Button("추가하기", variant="primary", elem_id="add")
        with gr.Column(scale=7, min_width=0, elem_id="remove-box"):
            gr.HTML('<h2 class="law-h2">법령 빼기</h2><p class="law-help">고른 법령의 조문이 검색에서 빠집니다.</p>')
            law = gr.Dropdown(label="뺄 법령", choices=[], value=None, elem_id="remove-law")
            remove = gr.Button("빼기", elem_id="remove")
            with gr.Column(visible=False, elem_id="confirm") as confirm:
                sure = gr.HTML()
                with gr.Row():
                    cancel = gr.Button("그만두기", min_width=100)
                    confirmed = gr.Button("정말 빼기", variant="stop", min_width=100, elem_id="remove-confirm")
            removed = gr.HTML(elem_id="remove-result")
    result = gr.HTML(elem_id="upload-result")

    def take_in(paths: list[str] | None, progress: gr.Progress = gr.Progress()) -> tuple[Any, ...]:  # noqa: B008
        def wait(job: Job) -> None:
            progress(0.0, desc=status.waiting(job))

        if not paths:
            return cards.error_html("먼저 파일을 골라 주십시오."), gr.skip()
        try:
            outcomes = service.add(
                [Path(path) for path in paths],
                lambda p: progress(p.done / max(1, p.total), desc=status.describe(p)),
                wait,
            )
            return status.outcomes_html(outcomes), None
        except Exception as error:
            return cards.error_html(_plainly(error)), gr.skip()

    def ask_to_confirm(title: str | None) -> tuple[Any, ...]:
        if not title:
            return gr.Column(visible=False), "", cards.error_html("먼저 뺄 법령을 골라 주십시오.")
        return gr.Column(visible=True), status.confirm_html(title, REMOVE_WARNING), ""

    def take_out(title: str | None) -> tuple[Any, ...]:
        try:
            edition = service.remove(title or "")
            return gr.Column(visible=False), status.done_html(f"「{edition.title}」을(를) 뺐습니다.")
        except Exception as error:
            return gr.Column(visible=False), cards.error_html(_plainly(error))

    def after() -> list[Any]:
        titles = [stored.edition.title for stored in service.inventory()]
        return [_header(service), *_examples(service), gr.Dropdown(choices=titles, value=None)]

    changed = [header, *offered, law]
    demo.load(after, None, changed, **QUIET)
    taken = add.click(lambda: status.WORKING, None, result, **QUIET).then(
        take_in, files, [result, files], show_progress_on=result, **PRIVATE, **WRITING
    )
    taken.then(after, None, changed, **QUIET)
    remove.click(ask_to_confirm, law, [confirm, sure, removed], **QUIET)
    cancel.click(lambda: gr.Column(visible=False), None, confirm, **QUIET)
    confirmed.click(take_out, law, [confirm, removed], **PRIVATE, **WRITING).then(after, None, changed, **QUIET)


def _answer(service: Service, text: str, history: list[str]) -> tuple[str, str]:
    """Return (answer in Markdown, cards) for a question, or the reason why there are none."""
    try:
        search = service.search(text, history)
        html = cards.results_html(search, date.today(), service.settings.abstain_below, service.around(search))
        return extractive_answer(search), html
    except Exception as error:
        message = _plainly(error)
        return escape_markdown(message), cards.error_html(message)


def _searcher(service: Service) -> Any:
    def search(question: str, k: int = service.settings.top_k) -> dict[str, Any]:
        """질문에 답하는 조문 k개를 유사도와 함께 돌려줍니다."""
        try:
            found = service.search(question, k=k)
            return as_json(found, extractive_answer(found))
        except Exception as error:
            raise gr.Error(_plainly(error), title="오류", print_exception=False) from error

    return search


def _plainly(error: Exception) -> str:
    """Return what a visitor is told; what is no `LawError` goes to the log with its trace."""
    if isinstance(error, LawError):
        return str(error)
    log.error("unexpected", exc_info=error)
    return UNEXPECTED


def _messages(turns: list[Turn]) -> list[Any]:
    messages: list[Any] = []
    for asked, answer in turns:
        messages.append({"role": "user", "content": escape_markdown(asked)})
        if answer:
            messages.append({"role": "assistant", "content": answer})
    return messages


def _header(service: Service) -> str:
    return status.header_html(service.inventory(), service.job)


def _examples(service: Service) -> list[gr.Button]:
    titles = [stored.edition.title for stored in service.inventory() if not stored.edition.repealed]
    offered = examples(titles, EXAMPLES)
    return [gr.Button(text, visible=True) for text in offered] + [gr.Button(visible=False)] * (EXAMPLES - len(offered))


def _lister(service: Service) -> Any:
    return lambda query: status.inventory_html(service.inventory(), query or "", date.today())


def main() -> None:
    """Open what is configured, serve, and index the corpus meanwhile.

    Without a model or with an index of another model nothing can be answered: then the reason is printed and the
    process ends with 1, so that whatever started it (shell, container, Space) sees the failure at once instead of a
    server that looks healthy.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        options = settings()
        service = open_service(options)
    except LawError as error:
        sys.exit(f"오류: {error}")
    service.start()
    given = options.model_fields_set
    try:
        build(service).launch(
            # Left to Gradio where not set: on a Space its own variables (GRADIO_SERVER_NAME …) hold the address.
            server_name=options.host if "host" in given else None,
            server_port=options.port if "port" in given else None,
            max_file_size=f"{options.max_upload_mb}mb",
            theme=look.theme(),
            css_paths=look.STYLE,
            head=look.head(),
            footer_links=[],
            run_history=False,
            ssr_mode=False,
        )
    except OSError as error:
        sys.exit(f"오류: {error}. LAW_HOST와 LAW_PORT를 확인해 주십시오.")
    finally:
        service.close()


if __name__ == "__main__":
    main()
