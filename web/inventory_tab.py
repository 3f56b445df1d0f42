"""The inventory tab: the statutes that are in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import gradio as gr

from web import status
from web.events import QUIET
from web.service import Service


def inventory_tab(service: Service) -> tuple[gr.HTML, gr.Textbox]:
    """Lay out the list of statutes; return the list and the box that narrows it."""
    query = gr.Textbox(label="법령 찾기", placeholder="법령 이름의 일부", max_length=100, elem_id="find-law")
    listing = gr.HTML(elem_id="inventory")
    query.change(lister(service), query, listing, trigger_mode="always_last", **QUIET)
    return listing, query


def lister(service: Service) -> Callable[[str], str]:
    """Return what lists the statutes that match a query."""
    return lambda query: status.inventory_html(service.inventory(), query or "", date.today())
