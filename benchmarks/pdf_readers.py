"""How faithfully PDF readers give a statute's text: `python -m benchmarks.pdf_readers kr ../shared/pdf`.

The set: statutes printed in the layouts of tests/ingest/pdf_print.py, and law.go.kr's own PDFs where they are at hand.
An article counts where its characters, white space aside, stand in the text in order and without anything between
them: what breaks it are heads and feet of pages, columns that are mixed and characters that are lost. Of law.go.kr's
PDFs those articles are asked for that the statute book has in the same words.
"""

from __future__ import annotations

import argparse
import re
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pdfplumber
import pypdf
import pypdfium2
from langchain_community.document_loaders import PDFPlumberLoader, PyPDFium2Loader, PyPDFLoader

from benchmarks.pdf_roundtrip import squeeze
from ingest.sources.markdown import read_markdown
from ingest.sources.pdf import read_pdf
from rag.statutes import normalize_title, strip_marks
from tests.ingest.pdf_print import SETTINGS, print_set, printable

PRINTED = ("주택임대차보호법",)
REAL = 3
"""How many of law.go.kr's PDFs, the smallest ones; pdfplumber takes its time."""


def by_pypdfium2(path: Path) -> str:
    """Read with pdfium's own order of text."""
    document = pypdfium2.PdfDocument(path)
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return text


def by_pdfplumber(path: Path) -> str:
    """Read with pdfplumber's words in lines."""
    with pdfplumber.open(path) as document:
        return "\n".join(page.extract_text() or "" for page in document.pages)


def by_pypdf(path: Path) -> str:
    """Read with pypdf in the order of the content stream."""
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


def by_ours(path: Path) -> str:
    """Read with this project's reader."""
    return "\n".join(f"{a.label}({a.title}){a.text}" for a in read_pdf(path).articles)


def by_loader(loader: Callable[[str], object]) -> Callable[[Path], str]:
    """Read with one of LangChain's loaders."""
    return lambda path: "\n".join(page.page_content for page in loader(str(path)).load())  # type: ignore[attr-defined]


READERS: dict[str, Callable[[Path], str]] = {
    "pypdfium2": by_pypdfium2,
    "pdfplumber": by_pdfplumber,
    "pypdf": by_pypdf,
    "PyPDFium2Loader": by_loader(PyPDFium2Loader),
    "PDFPlumberLoader": by_loader(PDFPlumberLoader),
    "PyPDFLoader": by_loader(PyPDFLoader),
    "this project (pdfium + layout)": by_ours,
}


def comparable(text: str) -> str:
    """Return characters only: no white space, no amendment marks, one kind of quotation marks."""
    plain = strip_marks(re.sub(r"\s+", " ", text))
    return squeeze(plain).translate(str.maketrans("“”‘’", "\"\"''"))


def documents(book: Path, real: Path, folder: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """Yield (set, PDF, articles that should be in it)."""
    for title in PRINTED:
        statute = printable(read_markdown(book / title / "법률.md"))
        wanted = [comparable(article.text) for article in statute.articles]
        for setting in SETTINGS:
            yield setting.name, print_set(folder / f"{title} {setting.size}.pdf", statute, setting), wanted
    for path in sorted(real.glob("*.pdf"), key=lambda file: file.stat().st_size)[:REAL]:
        title = normalize_title(path.name.split("(")[0])
        base = re.sub("시행령$|시행규칙$", "", title)
        kind = title.removeprefix(base) or "법률"
        ours = comparable(by_pypdfium2(path)) + comparable(by_pypdf(path)) + comparable(by_ours(path))
        articles = [comparable(a.text) for a in read_markdown(book / base / f"{kind}.md").articles]
        yield "law.go.kr's own", path, [text for text in articles if text in ours]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("book", type=Path)
    parser.add_argument("real", type=Path)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    found: dict[tuple[str, str], int] = {}
    asked: dict[str, int] = {}
    seconds = dict.fromkeys(READERS, 0.0)
    with TemporaryDirectory() as folder:
        for name, path, wanted in documents(args.book, args.real, Path(folder)):
            asked[name] = asked.get(name, 0) + len(wanted)
            for reader, read in READERS.items():
                started = time.process_time()
                text = comparable(read(path))
                seconds[reader] += time.process_time() - started
                found[reader, name] = found.get((reader, name), 0) + sum(article in text for article in wanted)
    print("| reader | " + " | ".join(f"{name} ({count})" for name, count in asked.items()) + " | CPU s |")
    print("|---" * (len(asked) + 2) + "|")
    for reader in READERS:
        shares = " | ".join(f"{100 * found[reader, name] / max(1, count):.1f} %" for name, count in asked.items())
        print(f"| {reader} | {shares} | {seconds[reader]:.1f} |")


if __name__ == "__main__":
    main()
