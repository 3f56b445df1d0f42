"""Work that goes on in a thread of its own while what it tells is shown: it ends even if nobody looks any more."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


def told(work: Callable[[Callable[[T], None]], None]) -> Iterator[T]:
    """Run `work`, which is given a function to tell with, and yield what it tells; what it raises is raised here."""
    events: queue.SimpleQueue[tuple[T] | Exception | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            work(lambda event: events.put((event,)))
            events.put(None)
        except Exception as error:
            events.put(error)

    threading.Thread(target=run, name="telling", daemon=True).start()
    while (event := events.get()) is not None:
        if isinstance(event, Exception):
            raise event
        yield event[0]
