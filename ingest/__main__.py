"""`python -m ingest add PATH…|sync|status|diff LAW|remove LAW|rebuild`."""

from __future__ import annotations

import json
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from ingest import pipeline, prebuilt, report
from ingest import sync as sync_job
from ingest.changes import render
from ingest.editions import due
from ingest.pipeline import OnProgress, Outcome, Progress, Result
from rag.console import say, told_plainly
from rag.embedding import StatuteEmbedder, load_embedder
from rag.errors import LawError, StoreBusyError
from rag.salvage import Salvaged
from rag.settings import settings
from rag.store import StatuteStore, open_for_rebuild, open_store, open_texts

app = typer.Typer(add_completion=False, no_args_is_help=True, help="법령을 읽어 검색할 수 있게 넣습니다.")


@contextmanager
def _opened() -> Iterator[tuple[StatuteStore, StatuteEmbedder]]:
    """Open model and store."""
    with told_plainly():
        embedder = load_embedder(settings())
        store = open_store(settings(), embedder)
        try:
            yield store, embedder
        finally:
            store.close()


@contextmanager
def _bar() -> Iterator[OnProgress]:
    """Show progress as a bar with rate and time left, one bar a stage."""
    bars: dict[str, tqdm[Any]] = {}

    def show(progress: Progress) -> None:
        if progress.stage not in bars:
            for bar in bars.values():
                bar.close()
            total = progress.total or None
            bars[progress.stage] = tqdm(total=total, desc=progress.stage, unit=progress.unit, file=sys.stderr)
        bar = bars[progress.stage]
        if progress.done < bar.n:
            bar.reset(progress.total)  # the pages of the next file
        bar.update(progress.done - bar.n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()


ShowDiff = Annotated[bool, typer.Option("--diff", help="갱신한 법령마다 바뀐 조문과 말을 보여 줌")]


@app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(help="법령 파일(PDF, HWP, HWPX, DOCX, HTML, 텍스트 등) 또는 폴더")],
    show_diff: ShowDiff = False,
) -> None:
    """법령 파일을 읽어 넣습니다. 바뀐 조문만 다시 임베딩하고, 중단된 작업은 이어서 합니다."""
    with _opened() as (store, embedder), _bar() as on_progress:
        outcomes = pipeline.add(paths, store, embedder, settings().chunk_tokens, on_progress)
    for outcome in outcomes:
        _print(outcome, show_diff)
    counts = Counter(outcome.result for outcome in outcomes)
    say(", ".join(f"{result.value} {counts[result]}" for result in Result if counts[result]) or "넣을 파일이 없습니다.")
    if counts[Result.FAILED]:
        raise typer.Exit(1)


def _print(outcome: Outcome, show_diff: bool = False) -> None:
    say(f"[{outcome.result.value}] {outcome.message}", err=outcome.result is Result.FAILED)
    for warning in outcome.warnings:
        say(f"    주의: {warning}")
    for change in outcome.changes if show_diff else ():
        say(textwrap.indent(render(change), "    "))


class Source(StrEnum):
    """Where `sync` gets statutes from."""

    MIRROR = sync_job.MIRROR
    LAWGOKR = sync_job.LAWGOKR


@app.command()
def sync(
    only: Annotated[str, typer.Option(help="받을 법령의 이름, 쉼표로 나눠서. 없으면 미러의 전체 법령집")] = "",
    source: Annotated[Source, typer.Option(help="미러 또는 국가법령정보 Open API(LAW_LAWGOKR_OC)")] = Source.MIRROR,
    exact: Annotated[bool, typer.Option("--exact", help="그 법령만, 시행령과 시행규칙 없이")] = False,
    ref: Annotated[str, typer.Option(help="미러의 브랜치나 커밋")] = "main",
    as_json: Annotated[bool, typer.Option("--json", help="결과를 JSON으로")] = False,
    show_diff: ShowDiff = False,
) -> None:
    """법령을 서버에서 받아 넣습니다. 지난번과 달라진 것만 갱신하고, 미러 전체를 받을 때는 없어진 법령을 뺍니다."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    with _opened() as (store, embedder), _bar() as on_progress:
        if source is Source.MIRROR:
            report = sync_job.sync_mirror(
                settings(), store, embedder, names, exact=exact, ref=ref, on_progress=on_progress
            )
        else:
            report = sync_job.sync_lawgokr(settings(), store, embedder, names, exact=exact, on_progress=on_progress)
    if as_json:
        say(json.dumps(sync_job.as_json(report), ensure_ascii=False, indent=2))
    else:
        for line in sync_job.describe(report, show_diff):
            say(line)
    if report.of(Result.FAILED):
        raise typer.Exit(1)


@app.command()
def status(
    law: Annotated[str, typer.Argument(help="법령 이름의 일부, 약칭 또는 법령ID; 없으면 모두")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON으로 출력")] = False,
) -> None:
    """들어 있는 법령과 판, 날짜, 조문 수, 남은 일을 보여 줍니다. 시행일이 온 판이 있으면 먼저 반영합니다."""
    with told_plainly():
        texts = open_texts(settings())
        try:
            if due(texts, date.today()):
                _promote()
            statutes = report.find_statutes(texts.statutes(), law)
        finally:
            texts.close()
        if law and not statutes:
            raise LawError(f"이름에 '{law}'이(가) 들어간 법령이 없습니다.")
        if as_json:
            say(json.dumps(report.status_json(statutes, date.today()), ensure_ascii=False, indent=2))
        else:
            say("\n".join(report.status_lines(statutes, date.today())))


def _promote() -> None:
    """Let editions whose day has come take their places, unless another process is writing."""
    try:
        with _opened() as (store, embedder), _bar() as on_progress:
            outcomes = pipeline.add([], store, embedder, settings().chunk_tokens, on_progress)
    except StoreBusyError as busy:
        say(f"시행일이 온 판을 아직 반영하지 못했습니다. {busy}", err=True)
        return
    for outcome in outcomes:
        say(outcome.message, err=True)


@app.command()
def diff(
    law: Annotated[str, typer.Argument(help="법령 이름, 약칭 또는 법령ID")],
    coming: Annotated[bool, typer.Option("--coming", help="지난 갱신 대신, 앞으로 시행될 판이 바꾸는 것")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON으로 출력")] = False,
) -> None:
    """지난 갱신이 바꾼 것을 조문별로 보여 줍니다. [-지운 말-] {+넣은 말+}"""
    with told_plainly():
        texts = open_texts(settings())
        try:
            old, new, found = report.differences(texts, law, coming=coming)
        finally:
            texts.close()
        if as_json:
            say(json.dumps(report.difference_json(old, new, found, date.today()), ensure_ascii=False, indent=2))
        else:
            say("\n".join(report.difference_lines(old, new, found)))


@app.command()
def remove(law: Annotated[str, typer.Argument(help="법령 이름, 약칭 또는 법령ID")]) -> None:
    """법령을 뺍니다."""
    with _opened() as (store, _):
        edition = pipeline.remove(law, store)
        say(f"{edition.title}을(를) 뺐습니다.")


@app.command()
def rebuild() -> None:
    """벡터와 낱말 색인을 지금 설정한 임베딩 모델로 다시 만듭니다. 조문은 그대로 두고, 손상되었으면 되살립니다."""
    with told_plainly():
        embedder = load_embedder(settings())
        store, salvaged = open_for_rebuild(settings(), embedder)
        try:
            if salvaged:
                _print_salvaged(salvaged)
            with _bar() as on_progress:
                done = pipeline.rebuild(store, embedder, settings().chunk_tokens, on_progress)
        finally:
            store.close()
        say(f"조각 {done}개를 다시 임베딩했습니다.")


def _print_salvaged(salvaged: Salvaged) -> None:
    say(f"조문 자료가 손상되어 온전한 법령 {salvaged.whole}개를 되살렸습니다. 손상된 파일: {salvaged.damaged}")
    if salvaged.lost:
        say(f"되살리지 못한 법령은 다시 넣어 주십시오: {', '.join(salvaged.lost)}", err=True)
    say("이 밖에 목록까지 읽을 수 없게 된 법령이 있을 수 있습니다. `python -m ingest status`로 확인해 주십시오.")


@app.command()
def export_index(path: Annotated[Path, typer.Argument(help="새 폴더, 또는 .tar나 .tar.gz 파일")]) -> None:
    """색인을 다른 곳에서 LAW_INDEX로 쓸 수 있게 내보냅니다. 앱을 끄고 하십시오."""
    with _opened() as (store, embedder):
        about = prebuilt.export(store, embedder, path)
    size = sum(file["size"] for file in about["files"].values()) / 1e6
    say(f"법령 {about['statutes']:,}개, 조문 {about['articles']:,}개의 색인 {size:,.0f}MB를 {path}에 썼습니다.")


@app.command()
def import_index(source: Annotated[str, typer.Argument(help=prebuilt.FORM)]) -> None:
    """내보낸 색인을 확인하고 자료 폴더의 색인과 바꿉니다. 앱이 LAW_INDEX로 하는 일과 같습니다."""
    with told_plainly():
        done = prebuilt.install(source, settings(), load_embedder(settings()))
    say("색인을 바꾸었습니다." if done else "이미 그 색인입니다.")


if __name__ == "__main__":
    app()
