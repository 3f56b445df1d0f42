"""The upload tab: statutes in from files, and out again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from ingest.sources.files import READERS
from web import cards, status
from web.events import PRIVATE, QUIET, WRITING
from web.service import Job, Service, plainly

REMOVE_WARNING = "다시 넣으려면 파일이 있어야 합니다. 처음부터 수록된 법령은 앱을 다시 시작하면 다시 들어옵니다."


def upload_tab(service: Service, demo: gr.Blocks, told: Sequence[Component], tell: Callable[[], list[Any]]) -> None:
    """Lay out the upload tab. `tell` gives the values of the components `told`, which say what is in."""
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
            return cards.error_html(plainly(error)), gr.skip()

    def ask_to_confirm(title: str | None) -> tuple[Any, ...]:
        if not title:
            return gr.Column(visible=False), "", cards.error_html("먼저 뺄 법령을 골라 주십시오.")
        return gr.Column(visible=True), status.confirm_html(title, REMOVE_WARNING), ""

    def take_out(title: str | None) -> tuple[Any, ...]:
        try:
            edition = service.remove(title or "")
            return gr.Column(visible=False), status.done_html(f"「{edition.title}」을(를) 뺐습니다.")
        except Exception as error:
            return gr.Column(visible=False), cards.error_html(plainly(error))

    def after() -> list[Any]:
        titles = [stored.edition.title for stored in service.inventory()]
        return [*tell(), gr.Dropdown(choices=titles, value=None)]

    changed = [*told, law]
    demo.load(after, None, changed, **QUIET)
    taken = add.click(lambda: status.WORKING, None, result, **QUIET).then(
        take_in, files, [result, files], show_progress_on=result, **PRIVATE, **WRITING
    )
    taken.then(after, None, changed, **QUIET)
    remove.click(ask_to_confirm, law, [confirm, sure, removed], **QUIET)
    cancel.click(lambda: gr.Column(visible=False), None, confirm, **QUIET)
    confirmed.click(take_out, law, [confirm, removed], **PRIVATE, **WRITING).then(after, None, changed, **QUIET)
