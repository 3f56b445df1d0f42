"""`app.py`: what importing, building and starting it does."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest

import app
from rag.errors import StoreMismatchError
from rag.settings import ROOT, Settings
from web.service import Service


def made(**options: Any) -> Service:
    """Return what stands in for a service where only its settings are looked at."""
    return cast(
        Service,
        SimpleNamespace(settings=Settings(_env_file=None, **options), start=lambda: None, close=lambda: None),
    )


def endpoints(service: Service) -> dict[str, str]:
    """Return the app's events: name -> visibility."""
    dependencies = app.build(service).get_config_file()["dependencies"]
    return {str(event["api_name"]): event["api_visibility"] for event in dependencies}


def test_importing_loads_no_model_and_reads_no_settings() -> None:
    code = "import app, sys; print([m for m in ('torch', 'sentence_transformers') if m in sys.modules])"
    env = os.environ | {"LAW_PORT": "not a number"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_public_is_for_programs() -> None:
    public = [name for name, visibility in endpoints(made()).items() if visibility != "private"]
    assert public == ["search", "ask", "get_article", "list_statutes"]


WRITING = {"look_at", "apply_stated", "take_in", "take_out"}


def test_where_nobody_may_add_or_remove_nothing_is_there_to_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # Private events can still be called over HTTP by whoever reads the page's config: they must not exist.
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert set(endpoints(made(host="127.0.0.1"))) >= WRITING
    assert not WRITING & set(endpoints(made(host="127.0.0.1", upload=False)))
    assert not WRITING & set(endpoints(made(host="0.0.0.0")))
    assert set(endpoints(made(host="0.0.0.0", admin_password="x"))) >= WRITING
    monkeypatch.setenv("SPACE_ID", "someone/law")
    assert not WRITING & set(endpoints(made(host="127.0.0.1", upload=True)))
    assert set(endpoints(made(admin_password="x"))) >= WRITING


def launched(monkeypatch: pytest.MonkeyPatch, **options: Any) -> dict[str, Any]:
    """Return what `main` launches with."""
    given: dict[str, Any] = {}
    service = made(**options)
    monkeypatch.setattr(app, "settings", lambda: service.settings)
    monkeypatch.setattr(app, "open_service", lambda _: service)
    monkeypatch.setattr(app, "build", lambda *_: SimpleNamespace(launch=lambda **kwargs: given.update(kwargs)))
    app.main()
    return given


def test_where_no_address_is_set_gradio_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LAW_HOST", "LAW_PORT"):
        monkeypatch.delenv(name, raising=False)
    given = launched(monkeypatch, max_upload_mb=7)
    assert (given["server_name"], given["server_port"], given["max_file_size"]) == (None, None, "7mb")


def test_an_address_that_is_set_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    given = launched(monkeypatch, host="0.0.0.0", port=8080)
    assert (given["server_name"], given["server_port"]) == ("0.0.0.0", 8080)


def test_what_cannot_be_opened_is_said_and_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Settings) -> Service:
        raise StoreMismatchError("색인을 만든 임베딩 모델이 다릅니다.")

    monkeypatch.setattr(app, "settings", made)
    monkeypatch.setattr(app, "open_service", refuse)
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == "오류: 색인을 만든 임베딩 모델이 다릅니다."  # a text: printed, exit code 1
