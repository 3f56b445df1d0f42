"""Compares a shipped model folder with the untrimmed float32 model it was made from."""

from __future__ import annotations

import random
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

from embedder import tokenizer as unigram
from embedder.build import DATA, Source, assemble
from embedder.vocabulary import PROMPTS, statute_texts

QUESTIONS = DATA / "questions.tsv"
SEED = 20_260_101
_TITLE = re.compile(r"^제목: '?(?P<title>.+?)'?$", re.MULTILINE)
_ARTICLE = re.compile(r"^#+ (?P<number>제\d+조(?:의\d+)?)(?P<heading> \([^\n]*\))?\n", re.MULTILINE)
_MARKUP = re.compile(r"\*\*|\\(?=[.\-()\[\]])|^#+ .*$", re.MULTILINE)

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Passage:
    """One article as a passage: header line, then text."""

    law: str
    number: str
    text: str


@dataclass(frozen=True)
class Question:
    """A colloquial sentence, with the article that answers it where one is recorded."""

    text: str
    law: str | None
    number: str | None


def articles(markdown: str) -> Iterator[Passage]:
    """Articles of one statute file; a rough cut, good enough to sample text from."""
    title = _TITLE.search(markdown)
    starts = list(_ARTICLE.finditer(markdown))
    if title is None or not starts:
        return
    ends = [match.start() for match in starts[1:]] + [len(markdown)]
    for match, end in zip(starts, ends, strict=True):
        body = " ".join(_MARKUP.sub("", markdown[match.end() : end]).split())
        header = f"{title['title']} {match['number']}{(match['heading'] or '').strip()}"
        if body:
            yield Passage(title["title"], match["number"], f"{header}\n{body}")


def read_questions(path: Path = QUESTIONS) -> list[Question]:
    """The committed sentences: text, or text, statute and article separated by tabs."""
    questions = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text, law, number = [*line.split("\t"), "", ""][:3]
        questions.append(Question(text, law or None, number or None))
    return questions


def run(source: Source, model: Path, statutes: Path, passages: int) -> dict[str, Any]:
    """All figures: token agreement, cosine to the untrimmed model, cosine ranges, passages/s."""
    questions = read_questions()
    every = [article for text in statute_texts(statutes) for article in articles(text)]
    sample = random.Random(SEED).sample(every, min(passages, len(every)))
    answers = {(article.law, article.number): article.text for article in every}
    queries = [PROMPTS["query"] + question.text for question in questions]
    documents = [PROMPTS["document"] + article.text for article in sample]

    shipped = _load(model)
    trimmed_tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    query_vectors = _encode(shipped, queries)
    document_vectors = _encode(shipped, documents)
    figures: dict[str, Any] = {
        "articles in all": len(every),
        "same tokens, passages": _same_tokens(source.tokenizer, trimmed_tokenizer, documents),
        "same tokens, questions": _same_tokens(source.tokenizer, trimmed_tokenizer, queries),
    }
    answered = [(i, answers[q.law, q.number]) for i, q in enumerate(questions) if q.law and q.number]
    answer_vectors = _encode(shipped, [PROMPTS["document"] + text for _, text in answered])
    asked = query_vectors[[i for i, _ in answered]]
    figures["cosine, question and its article"] = _spread((asked * answer_vectors).sum(axis=1))
    figures["cosine, question and random article"] = _spread((asked @ document_vectors.T).ravel())
    figures["rank of its article among the sample"] = _ranks(asked, answer_vectors, document_vectors)
    figures["passages per second"] = {
        str(dtype).removeprefix("torch."): _speed(_load(model, dtype), documents)
        for dtype in (torch.float32, torch.bfloat16)
    }
    figures["threads"] = torch.get_num_threads()

    with tempfile.TemporaryDirectory(prefix="untrimmed-") as folder:
        whole = Path(folder) / "model"
        assemble(source, [p for p, _ in unigram.vocabulary(source.tokenizer)], whole, torch.float32)
        untrimmed = _load(whole)
    for name, texts, vectors in (
        ("passages", documents, document_vectors),
        ("questions", queries, query_vectors),
    ):
        cosines = (vectors * _encode(untrimmed, texts)).sum(axis=1)
        figures[f"cosine to untrimmed, {name}"] = {
            **_spread(cosines),
            "at least 0.9999": f"{int((cosines >= 0.9999).sum())} of {len(cosines)}",
        }
    return figures


def _load(folder: Path, dtype: torch.dtype = torch.float32) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": dtype})


def _encode(model: SentenceTransformer, texts: Sequence[str]) -> Vectors:
    """Unit vectors, shape (texts, dimension); the texts carry their prompts already."""
    vectors = model.encode(list(texts), prompt="", batch_size=16, show_progress_bar=False, convert_to_tensor=True)
    return vectors.float().numpy()


def _same_tokens(before: Tokenizer, after: Tokenizer, texts: Sequence[str]) -> str:
    """How many texts give the same pieces, as `n of m`; unknown words count as different."""
    same = 0
    for text in texts:
        old, new = before.encode(text), after.encode(text)
        same += old.tokens == new.tokens and old.ids.count(3) == new.ids.count(3)
    return f"{same} of {len(texts)}"


def _spread(values: Vectors) -> dict[str, float]:
    points = {"min": 0, "p5": 5, "median": 50, "p95": 95, "max": 100}
    return {name: round(float(np.percentile(values, at)), 6) for name, at in points.items()}


def _ranks(asked: Vectors, answers: Vectors, others: Vectors) -> dict[str, int]:
    """Of n questions, how many see their own article first, or among the first ten."""
    own = (asked * answers).sum(axis=1, keepdims=True)
    better = (asked @ others.T > own).sum(axis=1)
    return {
        "questions": len(better),
        "first": int((better < 1).sum()),
        "first ten": int((better < 10).sum()),
    }


def _speed(model: SentenceTransformer, texts: Sequence[str], count: int = 96) -> float:
    part = texts[:count]
    _encode(model, part[:16])
    started = time.perf_counter()
    _encode(model, part)
    return round(len(part) / (time.perf_counter() - started), 1)
