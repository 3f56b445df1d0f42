"""Hits and searches made for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from rag.retriever import Search
from rag.statutes import Article, Edition, Hit, Line, Paragraph

TODAY = date(2026, 6, 1)

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'[눌러](javascript:alert(3))"

EDITION = Edition(
    title="빨래터의 이용에 관한 법률",
    kind="법률",
    law_id="999001",
    number="1",
    promulgated=date(2020, 1, 1),
    effective=date(2020, 1, 1),
)


def article(*paragraphs: tuple[Line, ...], title: str = "이용 시간", divisions: tuple[str, ...] = ()) -> Article:
    """Return 제2조 with these paragraphs."""
    numbered = tuple(Paragraph(number, lines) for number, lines in enumerate(paragraphs, 1))
    return Article("제2조", title, numbered, divisions)


def plain(text: str) -> Article:
    """Return an article of one paragraph of one line."""
    return article((Line(0, "", text),))


def hit(of: Article | None = None, *, score: float = 0.871, edition: Edition = EDITION, **fields: object) -> Hit:
    """Return a hit on an article."""
    made = Hit("999001:제2조", edition, of or plain("빨래터는 오전 6시부터 이용할 수 있다."), score, ("dense",))
    return replace(made, **fields)  # type: ignore[arg-type]


def search(*hits: Hit, question: str = "언제 여나요?", abstained: bool = False, notes: tuple[str, ...] = ()) -> Search:
    """Return a search that found these hits."""
    return Search(question, hits, abstained, notes)
