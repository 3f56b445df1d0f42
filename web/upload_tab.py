"""The upload tab: statutes in from files, looked at before they go in, and out again. Who may is `web.access`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from ingest.pipeline import Outcome, Progress, Result
from ingest.preview import Preview, Reading, read_for_preview, reader_of
from ingest.sources.stated import state
from rag.errors import LawError
from web import cards, status
from web.access import Access
from web.events import PRIVATE, QUIET, WRITING
from web.markup import escape
from web.running import told
from web.service import Service, plainly
from web.upload_view import gaps, goes_in, outcomes_html, previews_html, progress_html

MAX_FILES = 100
"""Files looked at together: their texts are in memory meanwhile."""

KEPT = 3600
"""Seconds that a session's readings are kept after it is gone."""

FORMATS = "PDF, HWP, HWPX, DOCX, HTML, 텍스트, Markdown, Open API의 XML과 JSON"
READING: dict[str, Any] = {**PRIVATE, "concurrency_id": "reading", "concurrency_limit": 1, "show_progress": "hidden"}
REMOVE_WARNING = "다시 넣으려면 파일이 있어야 합니다. 처음부터 수록된 법령은 앱을 다시 시작하면 다시 들어옵니다."
FIELDS = {
    "제목": "예: 민법",
    "종류": "예: 법률",
    "공포번호": "숫자",
    "공포일": "2024-01-31",
    "시행일": "2024-01-31",
    "소관부처": "여럿이면 쉼표로",
}


def upload_tab(
    service: Service, access: Access, demo: gr.Blocks, told_to: Sequence[Component], tell: Callable[[], list[Any]]
) -> Any:
    """Lay out the upload tab; return the event after which an operator may be in, None where there is none.

    `tell` gives the values of the components `told_to`, which say what is in.
    """
    if access.closed:
        gr.HTML(f'<div class="law-banner note" id="upload-closed">{escape(access.closed)}</div>')
        return None
    elsewhere = gr.HTML(visible=False, elem_id="upload-elsewhere")
    with gr.Column(visible=False, elem_id="login") as login:
        gr.HTML(
            '<h2 class="law-h2">운영자 확인</h2><p class="law-help">법령을 넣고 빼는 것은 운영자만 할 수 있습니다.</p>'
        )
        password = gr.Textbox(label="운영자 암호", type="password", max_length=200, elem_id="password")
        enter = gr.Button("들어가기", variant="primary", elem_id="enter")
        refused = gr.HTML(elem_id="login-result")
    with gr.Column(visible=False, elem_id="tools") as tools, gr.Row(elem_id="upload-row"):
        with gr.Column(scale=11, min_width=0):
            uploaded = _upload_box(service, access)
        with gr.Column(scale=7, min_width=0, elem_id="remove-box"):
            law, gone = _remove_box(service, access)
            leave = gr.Button("나가기", size="sm", visible=access.by_password, elem_id="leave")

    def arrive(request: gr.Request) -> list[Any]:
        may = access.may(request)
        titles = [stored.edition.title for stored in service.inventory()] if may else []
        note = ""
        if not may and not access.by_password:
            note = cards.error_html(_refusal(access, request))
        return [
            gr.HTML(note, visible=bool(note)),
            gr.Column(visible=not may and access.by_password),
            gr.Column(visible=may),
            gr.Dropdown(choices=titles, value=None),
        ]

    def let_in(given: str, request: gr.Request) -> list[Any]:
        said = ""
        try:
            access.enter(given, request)
        except LawError as error:
            said = cards.error_html(str(error))
        return [*arrive(request), "", said]

    def let_out(request: gr.Request) -> list[Any]:
        access.leave(request)
        return arrive(request)

    def after(request: gr.Request) -> list[Any]:
        return [*tell(), *arrive(request)]

    shown = [elsewhere, login, tools, law]
    demo.load(arrive, None, shown, **QUIET)
    entered = gr.on([password.submit, enter.click], let_in, password, [*shown, password, refused], **QUIET)
    leave.click(let_out, None, shown, **QUIET)
    for done in (uploaded, gone):
        done.then(after, None, [*told_to, *shown], **QUIET)
    return entered


def _upload_box(service: Service, access: Access) -> Any:
    """Lay out what takes files, shows what they are and brings them in; return the event after which they are in."""
    gr.HTML(
        '<h2 class="law-h2">법령 파일 넣기</h2><p class="law-help">국가법령정보센터에서 내려받은 파일을 한꺼번에 '
        f"{MAX_FILES}개까지 넣을 수 있습니다({FORMATS}; 파일마다 {service.settings.max_upload_mb}MB까지). "
        "먼저 미리 보고, ‘넣기’를 눌러야 들어갑니다.</p>"
    )
    # No `file_types`: Gradio would refuse other files in English; the pipeline says in Korean what it takes.
    files = gr.File(label="법령 파일", file_count="multiple", height=180, elem_id="files")
    readings = gr.State([], time_to_live=KEPT)
    previews = gr.HTML(elem_id="preview")
    with gr.Accordion("제목ㆍ종류ㆍ날짜 적기", open=True, visible=False, elem_id="state-box") as box:
        which = gr.Dropdown(label="파일", choices=[], value=None, elem_id="state-file")
        with gr.Row(elem_id="state-fields"):
            fields = [
                gr.Textbox(label=name, placeholder=example, max_length=200, min_width=150)
                for name, example in FIELDS.items()
            ]
        apply = gr.Button("적용", elem_id="state-apply")
        applied = gr.HTML(elem_id="state-result")
    add = gr.Button("넣기", variant="primary", interactive=False, elem_id="add")
    result = gr.HTML(elem_id="upload-result")
    seen_in = [readings, previews, add, box, which, *fields, applied]

    def show(found: list[Reading], chosen: int | None, said: str = "") -> list[Any]:
        seen = service.preview(found)
        readable = [place for place, reading in enumerate(found) if reading.statute]
        asked = next((place for place in readable if gaps(seen[place])), None)
        place = chosen if chosen in readable else next(iter([asked] if asked is not None else readable), None)
        ready = sum(map(goes_in, seen))
        choices = [(found[place].path.name, place) for place in readable]
        return [
            found,
            previews_html(seen, date.today()),
            gr.Button(f"넣기({ready}개)" if ready else "넣기", interactive=bool(ready)),
            gr.Accordion(visible=bool(readable), open=asked is not None or bool(said)),
            gr.Dropdown(choices=choices, value=place),
            *_typed(seen[place] if place is not None else None),
            said,
        ]

    def look_at(paths: list[str] | None, held: list[Reading], request: gr.Request) -> Iterator[list[Any]]:
        try:
            access.require(request)
            given = [Path(path) for path in paths or []]
            if len(given) > MAX_FILES:
                raise LawError(f"한꺼번에 {MAX_FILES}개까지 볼 수 있습니다(지금 {len(given)}개). 나누어 넣어 주십시오.")
            known = {reading.path: reading for reading in held}
            found: list[Reading] = []
            for path in given:
                if path not in known:
                    busy = f"{len(found) + 1}/{len(given)} {path.name}"
                    html = previews_html(service.preview(found), date.today(), busy)
                    yield [gr.skip(), html, gr.Button(interactive=False), *[gr.skip()] * (len(seen_in) - 3)]
                found.append(known.get(path) or read_for_preview(path))
            yield show(found, None)
        except Exception as error:
            yield [[], cards.error_html(plainly(error)), *show([], None)[2:]]

    def choose(place: int | None, held: list[Reading]) -> list[str]:
        fits = place is not None and 0 <= place < len(held)
        return _typed(service.preview([held[place]])[0] if fits and place is not None else None)

    def apply_stated(place: int | None, held: list[Reading], request: gr.Request, *typed: str) -> list[Any]:
        try:
            access.require(request)
            if place is None or not 0 <= place < len(held):
                raise LawError("먼저 파일을 골라 주십시오.")
            stated = state(*(text or "" for text in typed))
            held = [*held[:place], replace(held[place], stated=stated), *held[place + 1 :]]
            return show(held, place, status.done_html(f"{held[place].path.name}에 적용했습니다."))
        except Exception as error:
            return [*[gr.skip()] * (len(seen_in) - 1), cards.error_html(plainly(error))]

    def take_in(held: list[Reading], request: gr.Request) -> Iterator[list[Any]]:
        try:
            access.require(request)
            ready = [one for one, seen in zip(held, service.preview(held), strict=True) if goes_in(seen)]
            if not ready:
                raise LawError("먼저 파일을 골라 주십시오.")

            def work(tell: Callable[[str], None]) -> None:
                _bring_in(service, ready, tell)

            for html in told(work):
                yield [html, gr.skip(), gr.Button(interactive=False)]
            yield [gr.skip(), None, gr.Button("넣기", interactive=False)]
        except Exception as error:
            yield [cards.error_html(plainly(error)), gr.skip(), gr.skip()]

    files.change(look_at, [files, readings], seen_in, trigger_mode="always_last", **READING)
    which.input(choose, [which, readings], fields, **QUIET)
    apply.click(apply_stated, [which, readings, *fields], seen_in, **READING)
    return add.click(take_in, readings, [result, files, add], show_progress="hidden", **PRIVATE, **WRITING)


def _bring_in(service: Service, ready: Sequence[Reading], tell: Callable[[str], None]) -> None:
    """Bring files in one after the other, telling how far it is; one that fails does not keep the others out."""
    outcomes: list[Outcome] = []
    names = [reading.path.name for reading in ready]

    def show(progress: Progress | str | None) -> None:
        tell(progress_html(outcomes, names[len(outcomes) :], progress))

    for reading in ready:
        show(None)
        try:
            outcomes += service.add([reading.path], show, lambda job: show(status.waiting(job)), reader_of([reading]))
        except Exception as error:
            outcomes.append(Outcome(reading.path.name, Result.FAILED, plainly(error)))
    tell(outcomes_html(outcomes))


def _remove_box(service: Service, access: Access) -> tuple[gr.Dropdown, Any]:
    """Lay out what takes a statute out; return the choice of statutes and the event after which one is out."""
    gr.HTML('<h2 class="law-h2">법령 빼기</h2><p class="law-help">고른 법령의 조문이 검색에서 빠집니다.</p>')
    law = gr.Dropdown(label="뺄 법령", choices=[], value=None, elem_id="remove-law")
    remove = gr.Button("빼기", elem_id="remove")
    with gr.Column(visible=False, elem_id="confirm") as confirm:
        sure = gr.HTML()
        with gr.Row():
            cancel = gr.Button("그만두기", min_width=100)
            confirmed = gr.Button("정말 빼기", variant="stop", min_width=100, elem_id="remove-confirm")
    removed = gr.HTML(elem_id="remove-result")

    def ask_to_confirm(title: str | None) -> tuple[Any, ...]:
        if not title:
            return gr.Column(visible=False), "", cards.error_html("먼저 뺄 법령을 골라 주십시오.")
        return gr.Column(visible=True), status.confirm_html(title, REMOVE_WARNING), ""

    def take_out(title: str | None, request: gr.Request) -> tuple[Any, ...]:
        try:
            access.require(request)
            edition = service.remove(title or "")
            return gr.Column(visible=False), status.done_html(f"「{edition.title}」을(를) 뺐습니다.")
        except Exception as error:
            return gr.Column(visible=False), cards.error_html(plainly(error))

    remove.click(ask_to_confirm, law, [confirm, sure, removed], **QUIET)
    cancel.click(lambda: gr.Column(visible=False), None, confirm, **QUIET)
    return law, confirmed.click(take_out, law, [confirm, removed], **PRIVATE, **WRITING)


def _typed(seen: Preview | None) -> list[str]:
    """Return what the fields hold for a file: what was read, with what is stated."""
    edition = seen.edition if seen else None
    if edition is None:
        return [""] * len(FIELDS)
    days = [day.isoformat() if day else "" for day in (edition.promulgated, edition.effective)]
    return [edition.title, edition.kind, edition.number, *days, ", ".join(edition.ministries)]


def _refusal(access: Access, request: gr.Request) -> str:
    try:
        access.require(request)
    except LawError as error:
        return str(error)
    return ""
