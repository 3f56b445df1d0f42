"""The app in the browser: wires the tabs together. `python app.py` serves it."""

from __future__ import annotations

import logging
import sys
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from rag.errors import LawError
from rag.settings import settings
from web import look, status
from web.access import Access, FileGate
from web.api import endpoints
from web.ask_tab import ask_tab, example_buttons
from web.events import QUIET
from web.inventory_tab import TAB, inventory_tab, lister, open_from_links
from web.offer import book_offer
from web.service import Service, open_service
from web.upload_tab import upload_tab

log = logging.getLogger(__name__)

MOST_WAITING = 256
"""Events in the queue before further ones are turned away."""
SESSIONS = 300
"""Most visitors whose page state is held: each takes 0.2 MB, and a call of the API without a session counts as one."""


def build(service: Service, access: Access | None = None) -> gr.Blocks:
    """Return the app over an open service; without `access`, who may write is as the service's settings say."""
    access = access or Access(service.settings)
    demo = gr.Blocks(title=status.TITLE, analytics_enabled=False, fill_width=True, delete_cache=(3600, 86400))
    with demo:
        endpoints(service)  # first, so that no event of the page takes one of their names
        header = gr.HTML(elem_id="head")
        timer = gr.Timer(2.0)
        if service.settings.upload and not access.closed:
            book_offer(service, access.require, demo, timer)

        def tell() -> list[Any]:
            return [status.header_html(service.inventory(), service.job), *example_buttons(service)]

        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("질문"):
                offered = ask_tab(service, demo)
            with gr.Tab("수록 법령", id=TAB) as inventory:
                listing, query, view = inventory_tab(service)
            if service.settings.upload and not access.hidden:
                with gr.Tab("법령 추가"):
                    entered = upload_tab(service, access, demo, [header, *offered], tell)
                if entered:  # what is offered to an operator alone is then looked at again
                    entered.then(lambda: gr.Timer(active=True), None, timer, **QUIET)

        def refresh() -> list[Any]:
            return [*tell(), gr.Timer(active=service.job.running)]

        gr.on([demo.load, timer.tick], refresh, None, [header, *offered, timer], **QUIET)
        gr.on([demo.load, inventory.select], lister(service), query, listing, **QUIET)
        open_from_links(service, demo, tabs, view)
    # Without `api_open` nothing passes the queue by: it is what keeps many visitors from slowing each other down.
    demo.queue(max_size=MOST_WAITING, api_open=False)
    return demo


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
    access = Access(options)
    if options.upload and access.closed:
        log.warning("%s", access.closed)
    service.start()
    given = options.model_fields_set
    try:
        build(service, access).launch(
            # Left to Gradio where not set: on a Space its own variables (GRADIO_SERVER_NAME …) hold the address.
            server_name=options.host if "host" in given else None,
            server_port=options.port if "port" in given else None,
            max_file_size=f"{options.max_upload_mb}mb",
            state_session_capacity=SESSIONS,
            theme=look.theme(),
            css_paths=look.STYLES,
            head=look.head(),
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            mcp_server=True,
            app_kwargs={"middleware": [Middleware(FileGate, access=access)]},
        )
    except OSError as error:
        sys.exit(f"오류: {error}. LAW_HOST와 LAW_PORT를 확인해 주십시오.")
    finally:
        service.close()


if __name__ == "__main__":
    main()
