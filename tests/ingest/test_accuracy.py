"""Every character of every article in exactly one chunk; every article, 항, 호 and 목 counted twice, independently."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.accuracy import check, count_again, differences
from ingest.chunking import chunk_statute
from ingest.sources.markdown import parse_markdown
from rag.embedding import StatuteEmbedder
from tests.samples import mini


def test_a_sample_of_the_book_is_whole(statute_book: Path, embedder: StatuteEmbedder) -> None:
    totals: Counter[str] = Counter()
    found = []
    for path in sorted(statute_book.rglob("*.md"))[::150]:
        more, different = check(path, path.parent.name, embedder.count_tokens, 256)
        totals.update(more)
        found += different
    assert found == []
    assert totals["too long"] == 0
    assert totals["files"] >= 30
    assert totals["articles counted"] > 1000


def test_the_second_reading_is_no_copy_of_the_first(tmp_path: Path) -> None:
    before, *articles = count_again(mini(tmp_path).read_text("utf-8"))
    assert before.characters == ""
    assert [article.label for article in articles] == ["제1조", "제2조", "제3조", "제3조의2"]
    assert articles[1].divisions == Counter({"항": 2, "호": 2, "목": 0})
    assert articles[1].characters.startswith("제2조(이용시간)①빨래터는")
    assert articles[1].characters.endswith("1.신생아가있는가구의구성원2.세탁업을하는사람")


@pytest.mark.parametrize("kind", ["articles", "characters", "호", "chunks", "embedded"])
def test_what_is_lost_or_doubled_is_found(tmp_path: Path, kind: str) -> None:
    text = mini(tmp_path).read_text("utf-8")
    statute = parse_markdown(text, "가.md")
    chunks = chunk_statute(statute, len, 60)
    assert list(differences("가.md", text, statute, chunks)) == []
    if kind == "articles":
        statute = replace(statute, articles=statute.articles[1:])
    elif kind == "characters":
        text = text.replace("마을 빨래터", "마을의 빨래터")
    elif kind == "호":
        text = text.replace("  2\\. 세탁업", "2\\. 세탁업")
    elif kind == "chunks":
        chunks = [replace(chunks[0], end=chunks[0].end - 1), *chunks[1:]]
    else:
        chunks = [replace(chunks[0], text=chunks[0].text[:-2]), *chunks[1:]]
    assert kind in {difference.kind for difference in differences("가.md", text, statute, chunks)}
