"""What both command lines share: the project's errors told as a sentence, never as a stack trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from rag.errors import LawError


@contextmanager
def told_plainly() -> Iterator[None]:
    """Print one of the project's errors and leave with exit code 1."""
    try:
        yield
    except LawError as error:
        typer.echo(f"오류: {error}", err=True)
        raise typer.Exit(1) from error
