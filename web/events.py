"""How the app's events are queued, and which of them programs get to see."""

from __future__ import annotations

from typing import Any

# Embedding takes every core there is: more at a time only makes all of them wait.
ASKING: dict[str, Any] = {"concurrency_id": "asking", "concurrency_limit": 2}
# A language model takes its time and none of these cores: those who wait for it must not keep the others from asking.
WRITTEN: dict[str, Any] = {"concurrency_id": "written", "concurrency_limit": 16}
# Read from the texts alone, in a few milliseconds.
LOOKING_UP: dict[str, Any] = {"concurrency_id": "looking-up", "concurrency_limit": 4}
WRITING: dict[str, Any] = {"concurrency_id": "writing", "concurrency_limit": 1}
PRIVATE: dict[str, Any] = {"api_visibility": "private"}
QUIET: dict[str, Any] = {**PRIVATE, "queue": False, "show_progress": "hidden"}
