from __future__ import annotations

import re
from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import ROOT, Settings, settings


def documented() -> dict[str, tuple[str, str]]:
    rows = re.findall(r"(?m)^\| `(LAW_\w+)` \| (.*?) \| (.*?) \|$", (ROOT / "README.md").read_text("utf-8"))
    return {name: (default, meaning) for name, default, meaning in rows}


def test_readme_documents_every_setting_as_it_is() -> None:
    table = documented()
    assert set(table) == {f"LAW_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        default, meaning = table[f"LAW_{name.upper()}"]
        assert meaning == field.description
        if (
            field.default_factory is None
            and not isinstance(field.default, Path)
            and str(ROOT) not in str(field.default)
        ):
            assert default.strip("`").lower() == ("" if field.default in (None, "") else str(field.default).lower())


def test_the_environment_sets_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAW_TOP_K", "7")
    assert Settings(_env_file=None).top_k == 7


def test_an_empty_questions_file_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAW_QUESTIONS", "")
    assert Settings(_env_file=None).questions is None


def test_a_space_keeps_its_data_on_a_mounted_volume_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAW_HOME", raising=False)
    monkeypatch.setenv("SPACE_ID", "someone/law")
    expected = Path("/data") if Path("/data").is_dir() else Path(".data")
    options = Settings(_env_file=None)
    assert (options.home, options.space) == (expected, True)


def test_a_value_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAW_PORT", "문")
    settings.cache_clear()
    with pytest.raises(SettingsError, match="LAW_PORT"):
        settings()
    settings.cache_clear()


def test_no_known_questions_are_wanted_where_their_file_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAW_QUESTIONS", "")
    assert Settings(_env_file=None).questions is None
