"""What both command lines share: text told so that a terminal only shows it, errors as sentences, traces in a log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

import click
import typer

from rag.characters import visible
from rag.errors import LawError
from rag.settings import settings

log = logging.getLogger(__name__)

LOG = "errors.log"
"""The file in the data folder that keeps what a user is not shown: stack traces, the warnings of libraries."""


def say(text: str, *, err: bool = False) -> None:
    """Print text that may come from statutes or file names."""
    typer.echo(visible(text), err=err)


@contextmanager
def told_plainly() -> Iterator[None]:
    """Print what goes wrong as a sentence and leave with exit code 1; traces go to the log in the data folder."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")  # a terminal of another encoding lacks ㆍ
    try:
        _keep_log(settings().home)
        yield
    except LawError as error:
        _leave(str(error), error)
    except (BrokenPipeError, click.exceptions.Exit, click.ClickException, click.Abort):
        raise
    except OSError as error:
        log.exception("a file or folder")
        place = f"{error.filename}: " if error.filename else ""
        _leave(f"{place}{error.strerror}. 디스크 공간과 권한을 확인해 주십시오.", error)
    except Exception as error:
        log.exception("unexpected")
        _leave(
            f"예기치 못한 문제가 생겼습니다({type(error).__name__}). 자세한 내용은 {settings().home / LOG}에 있습니다.",
            error,
        )


class _Warnings(logging.Handler):
    """Tells the project's own warnings as sentences; errors are told by who catches them."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.WARNING:
            say(f"주의: {record.getMessage()}", err=True)


def _leave(message: str, error: Exception) -> None:
    say(f"오류: {message}", err=True)
    raise typer.Exit(1) from error


def _keep_log(home: Path) -> None:
    root = logging.getLogger()
    if any(isinstance(handler, RotatingFileHandler) for handler in root.handlers):
        return
    handler = RotatingFileHandler(home / LOG, maxBytes=1 << 20, backupCount=1, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.setLevel(logging.WARNING)
    root.addHandler(handler)
    logging.getLogger("rag").addHandler(_Warnings(logging.WARNING))
    logging.raiseExceptions = False  # where the log cannot be written, either, there is nobody to tell
