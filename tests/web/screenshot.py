"""Makes the README's picture: `LAW_HOME=copy-of-a-data-folder python -m tests.web.screenshot docs/screenshot.png`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.web.browser import Page, serve, until

QUESTION = "회사가 해고하려면 며칠 전에 알려야 하나요?"
SIZE = (1280, 900)


def main(target: Path) -> None:
    """Ask one question of the app over LAW_HOME and save what the window shows."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), LAW_HOME=os.environ["LAW_HOME"]) as url:
        page = Page(url, Path(folder) / "profile")
        try:
            page.open(SIZE)
            until(lambda: "색인 중" not in page.text(".law-state"), "indexing", 600)
            page.ask(QUESTION)
            page.driver.save_screenshot(str(target))
        finally:
            page.driver.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
