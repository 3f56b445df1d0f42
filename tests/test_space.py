"""The repository as a Hugging Face Space: its rules, and a start with nothing set but what a Space sets."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.settings import ROOT
from scripts import check_space


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A repository of the files the rules are about."""
    for name in ("README.md", "pyproject.toml", "requirements.txt", "packages.txt", "app.py"):
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.bin").write_bytes(bytes(check_space.LARGE + 1))
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    assert check_space.problems(tmp_path) == []
    return tmp_path


def replacing(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        text = (root / name).read_text("utf-8")
        assert old in text
        (root / name).write_text(text.replace(old, new, 1), "utf-8")

    return change


def adding(name: str, text: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        with (root / name).open("a", encoding="utf-8") as file:
            file.write(text)
        subprocess.run(["git", "add", "-A", "-f"], cwd=root, check=True)

    return change


def test_this_repository_makes_a_space() -> None:
    assert check_space.problems(ROOT) == []
    assert "embedder/model/model.safetensors" in check_space.large(ROOT)


BROKEN = [
    (replacing("README.md", "sdk_version: ", "sdk_version: 5"), "sdk_version"),
    (replacing("README.md", 'python_version: "3.11"\n', ""), "3.10"),
    (replacing("README.md", 'python_version: "3.11"', 'python_version: "3.10"'), "python_version 3.10"),
    (replacing("README.md", "app_file: app.py", "app_file: main.py"), "main.py"),
    (replacing("README.md", "colorTo: gray", "colorTo: grey"), "colorTo"),
    (replacing("README.md", "short_description: ", "short_description: " + "길" * 60), "short_description"),
    (replacing("README.md", "---\n", ""), "sdk"),
    (replacing("requirements.txt", "gradio==", "gradio>="), "not pinned"),
    (replacing("requirements.txt", "pydantic==2.", "pydantic==3."), "pydantic"),
    (adding("packages.txt", "tesseract ocr\n"), "packages.txt"),
    (adding(".env", "HF_TOKEN=x\n"), ".env: looks private"),
    (adding(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n"), "LFS rules"),
]


@pytest.mark.parametrize(("change", "told"), BROKEN, ids=[told for _, told in BROKEN])
def test_a_broken_rule_is_told(copy: Path, change: Callable[[Path], None], told: str) -> None:
    change(copy)
    assert told in " ".join(check_space.problems(copy))


def test_what_is_staged_has_lfs_rules_for_what_is_large_and_leaves_the_rest_out(copy: Path, tmp_path: Path) -> None:
    (copy / "tests").mkdir()
    adding("tests/test_it.py", "")(copy)
    target = tmp_path / "space"
    check_space.stage(copy, target)
    assert (target / ".gitattributes").read_text() == "model/weights.bin filter=lfs diff=lfs merge=lfs -text\n"
    assert (target / "app.py").exists()
    assert not (target / "tests").exists()


def test_the_app_starts_and_answers_as_on_a_space_without_any_setting(tmp_path: Path) -> None:
    served, answered = check_space.start(ROOT, tmp_path, Path(sys.executable))
    assert 0 < served <= answered
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert (tmp_path / "app" / ".data" / "statutes.db").exists() or Path("/data").is_dir()
