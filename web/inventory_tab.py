"""The inventory tab: the statutes that are in, and one of them to browse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import gradio as gr

from web import cards, status, viewer
from web.events import PRIVATE, QUIET
from web.service import Service, plainly

TAB = "inventory"
_TO_THE_ARTICLE = "(reference) => window.law.shown(reference)"
_BRIDGE = "window.law.open = (reference) => trigger('select', { reference });"


def inventory_tab(service: Service) -> tuple[gr.HTML, gr.Textbox, list[Any]]:
    """Lay out the list of statutes and the view of one; return the list, the box that narrows it, and the view."""
    with gr.Column(elem_id="listing") as list_box:
        query = gr.Textbox(label="법령 찾기", placeholder="법령 이름의 일부", max_length=100, elem_id="find-law")
        listing = gr.HTML(elem_id="inventory")
    with gr.Column(visible=False, elem_id="viewer") as view:
        back = gr.Button("← 수록 법령 목록", size="sm", min_width=120, elem_id="to-list")
        head = gr.HTML(elem_id="open-head")
        with gr.Row(elem_id="open"):
            with gr.Column(scale=4, min_width=0, elem_id="open-side"):
                outline = gr.HTML(elem_id="outline")
            with gr.Column(scale=9, min_width=0):
                stretch = gr.HTML(elem_id="stretch")
    back.click(lambda: (gr.Column(visible=True), gr.Column(visible=False)), None, [list_box, view], **QUIET)
    query.change(lister(service), query, listing, trigger_mode="always_last", **QUIET)
    return listing, query, [list_box, view, head, outline, stretch]


def open_from_links(service: Service, demo: gr.Blocks, tabs: gr.Tabs, parts: list[Any]) -> None:
    """Let every link made by `markup.open_link`, and the page's own address, open an article in the inventory tab."""
    bridge = gr.HTML(js_on_load=_BRIDGE, elem_id="bridge", visible="hidden")
    opened, reference = gr.State(""), gr.Textbox(visible=False)
    targets = [tabs, *parts, opened, reference]

    def show(wanted: str, before: str) -> list[Any]:
        shown = [gr.Tabs(selected=TAB), gr.Column(visible=False), gr.Column(visible=True)]
        try:
            found = service.open(wanted)
        except Exception as error:
            return [*shown, cards.error_html(plainly(error)), "", "", "", ""]
        edition, today = found.edition, date.today()
        head = viewer.statute_head_html(edition, len(found.entries), today)
        # The outline of a code is long: it is sent once, and the page moves the mark in it.
        outline = gr.skip() if edition.key == before else viewer.outline_html(found)
        return [*shown, head, outline, viewer.stretch_html(found), edition.key, found.here.article_id]

    def follow(before: str, event: gr.EventData) -> list[Any]:
        return show(str(event._data.get("reference", ""))[:300], before)

    def arrive(before: str, request: gr.Request) -> list[Any]:
        wanted = request.query_params.get("open", "")
        return show(wanted[:300], before) if wanted else [gr.skip()] * len(targets)

    gr.on([bridge.select], follow, opened, targets, trigger_mode="always_last", **QUIET).then(
        None, reference, None, js=_TO_THE_ARTICLE, **PRIVATE
    )
    demo.load(arrive, opened, targets, **QUIET).then(None, reference, None, js=_TO_THE_ARTICLE, **PRIVATE)


def lister(service: Service) -> Callable[[str], str]:
    """Return what lists the statutes that match a query."""
    return lambda query: status.inventory_html(service.inventory(), query or "", date.today())
