"""Many people asking a real app at once: errors, waiting times, memory. `python -m benchmarks.load HOME`.

Starts `python app.py` over a copy of the data folder HOME (made by `python -m ingest add`) and asks it over HTTP as
many users do: each asks, waits for the answer, thinks, and asks on. Prints one JSON line. Clients and app share the
machine, and what else runs on it counts too: compare runs of one machine, not figures of two.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from rag.settings import ROOT

STEPS = 10
"""How often memory is looked at during a run."""


@dataclass
class Run:
    """What is seen on the way: seconds each answer took, what failed, the app's memory in MB at each step."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


@contextmanager
def app(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Run the app over a data folder; give its address and process once it serves."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {"LAW_HOME": str(home), "LAW_PORT": str(port)}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env, stdout=log, stderr=log)
        address = f"http://127.0.0.1:{port}"
        try:
            while not _serves(address):
                if process.poll() is not None:
                    log.seek(0)
                    sys.exit(log.read().decode(errors="replace"))
                time.sleep(0.2)
            yield address, psutil.Process(process.pid)
        finally:
            if process.poll() is not None:
                log.seek(0)
                print(f"the app ended with {process.returncode}:", log.read().decode(errors="replace"), file=sys.stderr)
            process.terminate()
            process.wait(60)


def _serves(address: str) -> bool:
    try:
        return httpx.get(address, timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


async def ask(client: httpx.AsyncClient, question: str) -> str:
    """Ask as a browser does, through the queue; return what went wrong, or ''."""
    try:
        joined = await client.post("/gradio_api/call/v2/search", json={"question": question})
        if joined.status_code != 200:
            return f"HTTP {joined.status_code}: {joined.text[:200]}"
        told = (await client.get(f"/gradio_api/call/search/{joined.json()['event_id']}")).text
        return "" if "event: complete" in told and '"hits"' in told else told[:200]
    except httpx.HTTPError as error:
        return repr(error)


def own_memory(process: psutil.Process) -> float:
    """Return the MB a process holds, less the pages of files it has mapped, which the system takes back at need."""
    memory = process.memory_info()
    return float(memory.rss - memory.shared) / 1e6


async def load(
    address: str, process: psutil.Process, users: int, questions: list[str], think: float, seconds: float
) -> Run:
    """Have `users` people ask these questions, for so many seconds at most.

    `think` is the mean pause of one between an answer and the next question.
    """
    run, waiting, end = Run(), iter(list(enumerate(questions))), time.monotonic() + seconds
    every = max(1, len(questions) // STEPS)

    async def user(number: int, client: httpx.AsyncClient) -> None:
        pauses = random.Random(number)
        for place, question in waiting:
            await asyncio.sleep(pauses.uniform(0, 2 * think))
            if time.monotonic() > end:
                break
            started = time.perf_counter()
            wrong = await ask(client, question)
            run.seconds.append(time.perf_counter() - started)
            if wrong:
                run.errors.append(wrong)
            if place % every == 0:
                run.memory.append(round(own_memory(process), 1))

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=users)
    async with httpx.AsyncClient(base_url=address, timeout=300, limits=limits) as client:
        await asyncio.gather(*(user(number, client) for number in range(users)))
    return run


def read_questions(count: int) -> list[str]:
    """Return that many questions people ask, shuffled the same way every time; again from the start if need be."""
    rows = (ROOT / "corpus" / "questions.tsv").read_text("utf-8").splitlines()
    known = [row.split("\t")[3] for row in rows if row.count("\t") >= 3]
    random.Random(7).shuffle(known)
    return [known[place % len(known)] for place in range(count)]


def report(run: Run, started_with: float, seconds: float, cpu: float) -> dict[str, object]:
    """Return the figures of a run: times in seconds, memory in MB, the app's CPU seconds for a question."""
    waits = statistics.quantiles(run.seconds, n=100, method="inclusive")
    return {
        "asked": len(run.seconds),
        "errors": len(run.errors),
        "first_errors": run.errors[:3],
        "p50_s": round(waits[49], 3),
        "p95_s": round(waits[94], 3),
        "max_s": round(max(run.seconds), 3),
        "per_second": round(len(run.seconds) / seconds, 1),
        "app_cpu_s_per_question": round(cpu / len(run.seconds), 4),
        "memory_mb_at_start": round(started_with, 1),
        "memory_mb": run.memory,
        "machine_load": [round(value, 1) for value in os.getloadavg()],
    }


def main() -> None:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path, help="data folder; it is copied")
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--questions", type=int, default=500, help="how many in all")
    parser.add_argument("--think", type=float, default=0.0, help="mean seconds between an answer and the next question")
    parser.add_argument("--seconds", type=float, default=600.0, help="ask no more after so long")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(options.home, home)
        with app(home) as (address, process):
            # One question each first: what is loaded when it is first needed is no leak.
            asyncio.run(load(address, process, options.users, read_questions(options.users), 0, options.seconds))
            before, cpu, started = own_memory(process), sum(process.cpu_times()[:2]), time.perf_counter()
            questions = read_questions(options.questions)
            run = asyncio.run(load(address, process, options.users, questions, options.think, options.seconds))
            if process.status() == psutil.STATUS_ZOMBIE:
                sys.exit(f"the app ended during the run: {run.errors[:1]}")
            spent = sum(process.cpu_times()[:2]) - cpu
            figures = report(run, before, time.perf_counter() - started, spent)
    print(json.dumps({"users": options.users, "think_s": options.think, **figures}, ensure_ascii=False))


if __name__ == "__main__":
    main()
