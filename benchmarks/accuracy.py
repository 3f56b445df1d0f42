"""`python -m benchmarks.accuracy FOLDER`: is every character of every article of a statute book in exactly one chunk?

The Markdown is read a second time here, by a few regular expressions that share nothing with the parser, and compared
with what the parser and the chunker make of it: articles, 항, 호, 목, and every character that is no white space.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from ingest.chunking import CountTokens, chunk_statute
from ingest.sources.markdown import read_markdown
from rag.embedding import load_embedder
from rag.errors import SourceError
from rag.settings import Settings
from rag.statutes import BODY, PREAMBLE, Article, Chunk, Statute, article_id, strip_marks

_FRONT = re.compile(r"\A\ufeff?---\n.*?\n---\n", re.DOTALL)
_ADDENDA = re.compile(r"^(?:#+[ ]*)?부\s*칙[ ]*(?:[<(\[].*)?$", re.MULTILINE)
_ARTICLE = re.compile(r"^##### (제 *\d+ *조(?: *의 *\d+)*)(.*)$", re.MULTILINE)
_DIVISION = re.compile(r"^(?:#{1,4} .*|\*\*제 ?\d+(?:편|장|절|관|항|속)(?:의 ?\d+)?(?: [^*]*)?\*\*)$", re.MULTILINE)
_BOLD_LINE = re.compile(r"^\*\*(.+)\*\*$", re.MULTILINE)
_COUNTED = {
    "항": re.compile(r"^[ \u3000]*\*\*[①-⑳㉑-㉟㊱-㊿]\*\*", re.MULTILINE),
    "호": re.compile(r"^  \d+(?:의\d+)?\\\.", re.MULTILINE),
    "목": re.compile(r"^    [가-힣](?:의\d+)?\\\.", re.MULTILINE),
}
_DEPTHS = {"항": 0, "호": 1, "목": 2}
_PICTURE = re.compile(r'<img\b(?:[^>]*?src="([^"]*)")?[^>]*>(?:\s*</img>)?')


@dataclass(frozen=True, slots=True)
class Counted:
    """An article as the second reading finds it: its label, its characters less white space, its 항, 호 and 목."""

    label: str
    characters: str
    divisions: Counter[str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the readings differ: the file, the article (`''`: the file), what kind of difference, and how."""

    file: str
    article: str
    kind: str
    detail: str


def count_again(text: str) -> list[Counted]:
    """Read a Markdown statute a second time: its articles, and first what stands before them under the label ''."""
    body = _FRONT.sub("", text.replace("\r\n", "\n"))
    if end := _ADDENDA.search(body):
        body = body[: end.start()]
    heads = list(_ARTICLE.finditer(body))
    ends = [*(head.start() for head in heads), len(body)]
    parts = [("", "", body[: ends[0]])]
    parts += [(re.sub(r"\s", "", h[1]), h[2], body[h.end() : end]) for h, end in zip(heads, ends[1:], strict=True)]
    return [_counted(label, title, part) for label, title, part in parts]


def _counted(label: str, title: str, part: str) -> Counted:
    part = _DIVISION.sub("", part)
    counts = Counter({name: len(pattern.findall(part)) for name, pattern in _COUNTED.items()})
    return Counted(label, _characters(label + title + part), counts)


def _characters(text: str) -> str:
    text = _PICTURE.sub(lambda match: f"[그림:{match[1] or ''}]", text).replace("</img>", "")
    text = re.sub(r"\*\*(\S)\*\*", r"\1", _BOLD_LINE.sub(r"\1", text))
    return squeezed(re.sub(r"\\([^\w\s])", r"\1", text))


def squeezed(text: str) -> str:
    """Return a text without white space."""
    return re.sub(r"\s+", "", text)


def differences(file: str, text: str, statute: Statute, chunks: Sequence[Chunk]) -> Iterator[Difference]:
    """Yield every difference between a Markdown text's second reading and what was made of it."""
    before, *again = count_again(text)
    unnumbered = squeezed("".join(article.text for article in statute.articles if article.label in (PREAMBLE, BODY)))
    if unnumbered != before.characters.removeprefix(PREAMBLE):
        yield Difference(file, PREAMBLE, "characters", _first_difference(before.characters, unnumbered))
    numbered = [article for article in statute.articles if article.label.startswith("제")]
    if [c.label for c in again] != [a.label.split(" ")[0] for a in numbered]:
        yield Difference(file, "", "articles", f"{len(again)} counted, {len(numbered)} read")
    else:
        for counted, article in zip(again, numbered, strict=True):
            yield from _of_article(file, counted, article)
    yield from _of_chunks(file, statute, chunks)


def _of_article(file: str, counted: Counted, article: Article) -> Iterator[Difference]:
    read = squeezed(article.heading.replace(article.label, counted.label, 1) + article.text)
    if counted.characters != read:
        yield Difference(file, article.label, "characters", _first_difference(counted.characters, read))
    lines = [line for paragraph in article.paragraphs for line in paragraph.lines if line.label]
    for name, depth in _DEPTHS.items():
        found = sum(line.depth == depth for line in lines)
        if found != counted.divisions[name]:
            yield Difference(file, article.label, name, f"{counted.divisions[name]} counted, {found} read")
    numbered = sum(paragraph.number is not None for paragraph in article.paragraphs)
    if numbered != counted.divisions["항"]:
        yield Difference(file, article.label, "항", f"{counted.divisions['항']} counted, {numbered} numbered")


def _of_chunks(file: str, statute: Statute, chunks: Sequence[Chunk]) -> Iterator[Difference]:
    of_article: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        of_article.setdefault(chunk.article_id, []).append(chunk)
    for article in statute.articles:
        own = of_article.pop(article_id(statute.edition, article.label), [])
        if article.deleted or statute.edition.repealed:
            if own:
                yield Difference(file, article.label, "chunks", "a deleted article has chunks")
            continue
        borders = [0, *(end for chunk in own for end in (chunk.start, chunk.end)), len(article.text)]
        if not own or any(a != b for a, b in zip(borders[::2], borders[1::2], strict=True)):
            yield Difference(file, article.label, "chunks", f"not every character once: {borders}")
        embedded = "".join(squeezed(chunk.text.partition("\n")[2]) for chunk in own)
        if embedded != squeezed(strip_marks(article.text)):
            yield Difference(file, article.label, "embedded", _first_difference(strip_marks(article.text), embedded))
    for left in of_article:
        yield Difference(file, left, "chunks", "chunks of no article")


def _first_difference(expected: str, found: str) -> str:
    expected, found = squeezed(expected), squeezed(found)
    place = next(
        (i for i, (a, b) in enumerate(zip(expected, found, strict=False)) if a != b), min(len(expected), len(found))
    )
    start = max(0, place - 12)
    return f"…{expected[start : place + 24]!r} read as …{found[start : place + 24]!r}"


def check(path: Path, name: str, count_tokens: CountTokens, window: int) -> tuple[Counter[str], list[Difference]]:
    """Return how much of everything a file holds, and its differences."""
    try:
        statute = read_markdown(path)
    except SourceError as error:
        return Counter(files=1, unread=1), [Difference(name, "", "unread", str(error))]
    text = path.read_text("utf-8")
    chunks = chunk_statute(statute, count_tokens, window)
    totals = Counter(files=1, articles=len(statute.articles), chunks=len(chunks), warnings=len(statute.warnings))
    totals["deleted"] = sum(article.deleted for article in statute.articles)
    totals["characters"] = sum(len(squeezed(article.text)) for article in statute.articles)
    totals["too long"] = sum(count_tokens(chunk.text) > window for chunk in chunks)
    for counted in count_again(text):
        totals["articles counted"] += bool(counted.label)
        totals["characters counted"] += len(counted.characters)
        totals.update(counted.divisions)
    return totals, list(differences(name, text, statute, chunks))


def _half_the_characters(text: str) -> int:
    return len(text) // 2


def _of_the_model() -> tuple[int, CountTokens]:
    embedder = load_embedder(Settings())
    return min(Settings().chunk_tokens, embedder.window), embedder.count_tokens


def main(
    folder: Annotated[Path, typer.Argument(help="a statute book in Markdown: <법령>/<종류>.md")],
    out: Annotated[Path | None, typer.Option(help="every difference, tab-separated")] = None,
    quick: Annotated[bool, typer.Option(help="count two characters as a token instead of asking the model")] = False,
    every: Annotated[int, typer.Option(min=1, help="take each so manieth file")] = 1,
) -> None:
    """Compare a whole statute book with its second reading; exit code 1 where they differ."""
    window, count_tokens = (256, _half_the_characters) if quick else _of_the_model()
    totals: Counter[str] = Counter()
    found: list[Difference] = []
    for path in tqdm(sorted(folder.rglob("*.md"))[::every], unit="file", file=sys.stderr):
        name = unicodedata.normalize("NFC", str(path.relative_to(folder)))
        more, different = check(path, name, count_tokens, window)
        totals.update(more)
        found += different
    for name, count in totals.items():
        typer.echo(f"{name:20} {count:>12,}")
    for kind, count in Counter(difference.kind for difference in found).most_common():
        typer.echo(f"differ in {kind:10} {count:>12,}")
    if out:
        out.write_text("".join(f"{d.kind}\t{d.file}\t{d.article}\t{d.detail}\n" for d in found), "utf-8")
    raise typer.Exit(bool(found))


if __name__ == "__main__":
    typer.run(main)
