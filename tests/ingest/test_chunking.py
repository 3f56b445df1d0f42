from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.chunking import chunk_article, chunk_statute
from ingest.sources.markdown import parse_markdown, read_markdown
from rag.embedding import StatuteEmbedder
from rag.statutes import Article, Edition, Line, Paragraph, strip_marks
from tests.samples import mini

EDITION = Edition("빨래터의 이용에 관한 법률", law_id="999001")


def words(text: str) -> int:
    """A token a character, as the worst of tokenizers would have it."""
    return len(text)


def made(*paragraphs: tuple[str, ...]) -> Article:
    return Article(
        "제1조",
        "목적",
        tuple(Paragraph(n, tuple(Line(0, "", line) for line in p)) for n, p in enumerate(paragraphs, 1)),
    )


def test_a_short_article_is_one_chunk_under_its_heading() -> None:
    (chunk,) = chunk_article(EDITION, made(("하나.",), ("둘.",)), words, 200)
    assert chunk.text == "빨래터의 이용에 관한 법률 제1조(목적)\n하나.\n둘."
    assert (chunk.id, chunk.article_id) == ("999001:제1조#0", "999001:제1조")


def test_a_long_article_is_split_between_paragraphs() -> None:
    article = made(("가" * 60,), ("나" * 60,), ("다" * 20,))
    chunks = list(chunk_article(EDITION, article, words, 130))
    assert [set(c.text.splitlines()[1]) for c in chunks] == [{"가"}, {"나"}]
    assert all(c.text.startswith("빨래터의 이용에 관한 법률 제1조(목적)\n") for c in chunks)
    assert "다" * 20 in chunks[1].text


def test_a_paragraph_longer_than_the_window_is_split_at_lines_then_sentences_then_anywhere() -> None:
    article = made(("첫 문장이다. " * 10, "나" * 300))
    chunks = list(chunk_article(EDITION, article, words, 100))
    assert all(words(chunk.text) <= 100 for chunk in chunks)
    assert "".join(article.text[c.start : c.end] for c in chunks) == article.text


def test_deleted_and_repealed_text_is_not_searched(tmp_path: Path) -> None:
    chunks = chunk_statute(read_markdown(mini(tmp_path)), words, 500)
    assert "제3조" not in {chunk.article_id.split(":")[1] for chunk in chunks}
    repealed = parse_markdown("# 옛 법\n\n##### 제0조\n\n옛 법은 이를 폐지한다.\n", "옛법.md")
    assert chunk_statute(repealed, words, 500) == []


lines = st.text(st.sampled_from("가나다 라.마다\u3000<>개정2020."), min_size=1, max_size=120)


@given(st.lists(st.lists(lines, min_size=1, max_size=4).map(tuple), min_size=1, max_size=5), st.integers(60, 200))
def test_chunks_cover_every_character_once(paragraphs: list[tuple[str, ...]], window: int) -> None:
    article = made(*paragraphs)
    chunks = list(chunk_article(EDITION, article, words, window))
    assert chunks[0].start == 0
    assert chunks[-1].end == len(article.text)
    assert all(before.end == after.start for before, after in pairwise(chunks))
    assert all(words(chunk.text) <= window for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == len(chunks)


@pytest.mark.parametrize("name", ["민법/법률.md", "소득세법/시행령.md"])
def test_no_chunk_of_a_real_statute_exceeds_the_window(
    statute_book: Path, embedder: StatuteEmbedder, name: str
) -> None:
    statute = read_markdown(statute_book / name)
    chunks = chunk_statute(statute, embedder.count_tokens, 256)
    assert max(embedder.count_tokens(chunk.text) for chunk in chunks) <= 256
    texts = {f"{statute.edition.law_id}:{a.label}": a.text for a in statute.articles if not a.deleted}
    spans: dict[str, list[tuple[int, int]]] = {}
    for chunk in chunks:
        spans.setdefault(chunk.article_id, []).append((chunk.start, chunk.end))
    assert {article: "".join(texts[article][s:e] for s, e in parts) for article, parts in spans.items()} == texts


def test_an_article_of_25000_characters_is_searched_to_its_end(embedder: StatuteEmbedder) -> None:
    article = made(tuple(f"{n}번째 품목은 세율 {n}퍼센트로 한다." * 8 for n in range(160)))
    assert len(article.text) > 25_000
    chunks = list(chunk_article(EDITION, article, embedder.count_tokens, 256))
    assert max(embedder.count_tokens(chunk.text) for chunk in chunks) <= 256
    assert strip_marks(article.text)[-10:] in chunks[-1].text
