"""The hits on a line from 0 to 1, one line a statute: how near they are to each other is seen, not read."""

from __future__ import annotations

from collections.abc import Sequence

from rag.statutes import Hit
from web.markup import escape

_APART = 0.075
"""Similarities nearer than this would cover each other on a phone: they go into lanes below each other."""

_FEWEST = 2


def plot_html(hits: Sequence[Hit]) -> str:
    """Return the similarities of the hits by statute; each dot is a link to its card."""
    if len(hits) < _FEWEST:
        return ""
    by_statute: dict[str, list[tuple[int, Hit]]] = {}
    for rank, hit in enumerate(hits, 1):
        by_statute.setdefault(hit.edition.title, []).append((rank, hit))
    rows = "".join(_row(title, ranked) for title, ranked in by_statute.items())
    axis = "".join(f'<span style="left:{tick * 100:.0f}%">{tick:g}</span>' for tick in (0, 0.25, 0.5, 0.75, 1))
    return (
        '<figure class="law-plot"><figcaption>법령별 유사도 분포</figcaption>'
        f'<div class="law-plot-rows">{rows}'
        f'<div class="law-plot-axis" aria-hidden="true">{axis}</div></div></figure>'
    )


def _row(title: str, ranked: Sequence[tuple[int, Hit]]) -> str:
    lanes: list[float] = []
    dots = []
    for rank, hit in sorted(ranked, key=lambda item: item[1].score):
        lane = next((i for i, last in enumerate(lanes) if hit.score - last >= _APART), len(lanes))
        lanes[lane : lane + 1] = [hit.score]
        place = max(0.0, min(1.0, hit.score)) * 100
        name = f"{rank}순위 {hit.article.label}, 유사도 {hit.score:.3f}"
        dots.append(
            f'<a class="law-dot" style="left:{place:.1f}%;--lane:{lane}" href="#article-{escape(hit.article_id)}" '
            f'title="{escape(name)}" aria-label="{escape(name)}">{rank}</a>'
        )
    return (
        f'<span class="law-plot-name" lang="ko">{escape(title)}</span>'
        f'<span class="law-plot-line" style="--lanes:{len(lanes)}">{"".join(dots)}</span>'
    )
