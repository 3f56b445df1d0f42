"""Whether this repository makes a Hugging Face Space, and how it starts as one.

    python scripts/check_space.py                 the rules: front matter, pins, sizes, packages, nothing private
    python scripts/check_space.py --start         and start the app as a Space does: tracked files only, no settings
    python scripts/check_space.py --start --venv  in a new environment, installed as a Space installs it
    python scripts/check_space.py --stage DIR     write what belongs on the Space to DIR, with its LFS rules

A Space keeps files over 10 MB in LFS. The rules for that are written at `--stage` and are not in this repository,
because with them a clone without git-lfs would not get the model.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parent.parent

LARGE = 10_000_000
MOST = 1_000_000_000
"""Bytes from which a file needs LFS, and which a Space's repository should stay below."""

COLORS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
PYTHONS = {"3.10", "3.11", "3.12", "3.13"}
EXTRAS = "oauth,mcp"
"""What a Space installs of gradio beside it."""

COLD_START = 60.0
NOT_ON_A_SPACE = ("tests/", "benchmarks/", "scripts/", "embedder/questions/", "embedder/logs/", ".ci/", "Dockerfile")
_PRIVATE = re.compile(r"(^|/)(\.env.*|.*\.pem|id_rsa.*|\.netrc|credentials.*)$")
_PIN = re.compile(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^\s;]+(\s*;.*)?")


def problems(root: Path) -> list[str]:
    """Return what of the repository breaks the rules of a Space; nothing if it makes one."""
    front = front_matter(root)
    found = [*_front_matter(root, front), *_requirements(root, front), *_packages(root), *_files(root)]
    return [problem for problem in found if problem]


def front_matter(root: Path) -> dict[str, Any]:
    """Return README's front matter, empty where there is none."""
    match = re.match(r"---\n(.*?)\n---\n", (root / "README.md").read_text("utf-8"), re.DOTALL)
    loaded = yaml.safe_load(match[1]) if match else {}
    return loaded if isinstance(loaded, dict) else {}


def _front_matter(root: Path, front: dict[str, Any]) -> Iterator[str]:
    if front.get("sdk") != "gradio":
        yield "README.md: sdk must be gradio"
    for name in ("title", "emoji", "license"):
        if not front.get(name):
            yield f"README.md: {name} is missing"
    for name in ("colorFrom", "colorTo"):
        if front.get(name) not in COLORS:
            yield f"README.md: {name} must be one of {', '.join(sorted(COLORS))}"
    if len(str(front.get("short_description", ""))) > 60:
        yield "README.md: short_description is longer than 60 characters"
    if not (root / str(front.get("app_file", ""))).is_file():
        yield f"README.md: app_file {front.get('app_file')} does not exist"
    wanted = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    python = str(front.get("python_version", ""))
    if python not in PYTHONS or python not in SpecifierSet(wanted):
        yield f"README.md: python_version {python or '(none: 3.10)'} is not one of requires-python {wanted}"
    pinned = pins(root).get("gradio")
    if str(front.get("sdk_version")) != pinned:
        yield f"README.md: sdk_version {front.get('sdk_version')} is not the pinned gradio {pinned}"


def _requirements(root: Path, front: dict[str, Any]) -> Iterator[str]:
    for line in (root / "requirements.txt").read_text("utf-8").splitlines():
        if line and not line.startswith(("#", "--")) and not _PIN.fullmatch(line.strip()):
            yield f"requirements.txt: not pinned: {line}"
    # A Space installs gradio[oauth,mcp] after the requirements: a pin those extras do not take would be replaced.
    locked = pins(root)
    for extra in EXTRAS.split(","):
        for requirement in map(Requirement, requires("gradio") or []):
            if requirement.marker is None or not requirement.marker.evaluate({"extra": extra}):
                continue
            pinned = locked.get(requirement.name.lower())
            if pinned and pinned not in requirement.specifier:
                yield f"requirements.txt: {requirement.name}=={pinned}, which gradio[{extra}] does not take"


def _packages(root: Path) -> Iterator[str]:
    if (root / "packages.txt").exists():
        for line in (root / "packages.txt").read_text("utf-8").splitlines():
            if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", line):
                yield f"packages.txt: not the name of a Debian package: {line!r}"


def _files(root: Path) -> Iterator[str]:
    names = tracked(root)
    if (total := sum((root / name).stat().st_size for name in names)) > MOST:
        yield f"the files take {total / 1e6:,.0f} MB, over {MOST / 1e6:,.0f} MB"
    for name in names:
        if _PRIVATE.search(name):
            yield f"{name}: looks private"
        if (root / name).is_symlink():
            yield f"{name}: a link, which a Space does not keep"
    attributes = root / ".gitattributes"
    if attributes.exists() and "filter=lfs" in attributes.read_text("utf-8"):
        yield ".gitattributes: LFS rules would break clones without git-lfs; --stage writes them"


def pins(root: Path) -> dict[str, str]:
    """Return package -> version of requirements.txt; of several, by platform, the first."""
    found: dict[str, str] = {}
    for line in (root / "requirements.txt").read_text("utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", line):
            found.setdefault(match[1].lower().replace("_", "-"), match[2])
    return found


def tracked(root: Path) -> list[str]:
    """Return the repository's files."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True).stdout.decode()
    return [name for name in listed.split("\0") if name and (root / name).exists()]


def large(root: Path) -> list[str]:
    """Return the files that go through LFS on a Space."""
    return [name for name in tracked(root) if (root / name).stat().st_size > LARGE]


def stage(root: Path, target: Path) -> None:
    """Copy what belongs on the Space to a new folder, with LFS rules for its large files."""
    target.mkdir(parents=True)
    for name in tracked(root):
        if not name.startswith(NOT_ON_A_SPACE):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)
    rules = [f"{name} filter=lfs diff=lfs merge=lfs -text" for name in large(root) if (target / name).exists()]
    (target / ".gitattributes").write_text("\n".join(rules) + "\n", "utf-8")


def environment(root: Path, folder: Path) -> Path:
    """Install what a Space installs into a new environment; return its Python."""
    python = folder / "bin" / "python"
    gradio = f"gradio[{EXTRAS}]=={front_matter(root)['sdk_version']}"
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "-q", "--retries", "1", "-r", str(root / "requirements.txt")],
        [str(python), "-m", "pip", "install", "-q", gradio, "spaces"],
        [str(python), "-m", "pip", "check"],
    ):
        print("+", " ".join(command), flush=True)
        subprocess.run(command, check=True)
    return python


def start(root: Path, folder: Path, python: Path, installed: bool = False) -> tuple[float, float]:
    """Start the staged app as a Space does; return the seconds until it serves and until it has answered a question.

    Nothing is set but what a Space sets; home and data begin empty. `installed` says that `python` has all a Space
    installs, its own `spaces` package too, so that Gradio may know that it is on one. Exits where the app ends.
    """
    stage(root, folder / "app")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ} | {
        "HOME": str(folder),
        "SPACE_ID": "someone/law",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(port),
    }
    if installed:
        env["SYSTEM"] = "spaces"
    began, address = time.monotonic(), f"http://127.0.0.1:{port}"
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen([str(python), "app.py"], cwd=folder / "app", env=env, stdout=log, stderr=log)
        try:
            while not _opens(address):
                if process.poll() is not None or time.monotonic() - began > 1800:
                    sys.exit(f"the app does not start:\n{(folder / 'log').read_text('utf-8')}")
                time.sleep(0.2)
            served = time.monotonic() - began
            _answer(address)
            return served, time.monotonic() - began
        finally:
            process.terminate()
            process.wait(60)


def _opens(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _answer(address: str) -> None:
    from gradio_client import Client

    found = Client(address, verbose=False, analytics_enabled=False).predict("대통령의 임기", 1, api_name="/search")
    if "hits" not in found:
        sys.exit(f"the app does not answer: {found}")


def main() -> None:
    """Read the command line, check, say what is wrong and end with 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", action="store_true")
    parser.add_argument("--venv", action="store_true", help="with --start: in a new environment")
    parser.add_argument("--stage", type=Path, metavar="DIR")
    options = parser.parse_args()
    wrong = problems(ROOT)
    for problem in wrong:
        print(problem, file=sys.stderr)
    print("through LFS on a Space:", ", ".join(large(ROOT)) or "nothing")
    if options.stage and not wrong:
        stage(ROOT, options.stage)
    if options.start and not wrong:
        with tempfile.TemporaryDirectory() as folder:
            python = environment(ROOT, Path(folder) / "venv") if options.venv else Path(sys.executable)
            served, answered = start(ROOT, Path(folder), python, options.venv)
        print(f"serves after {served:.1f} s, has answered after {answered:.1f} s")
        if answered > COLD_START:
            wrong.append(f"a cold start takes more than {COLD_START:.0f} s")
            print(wrong[-1], file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
