"""A search as HTML: one card for each article, best first, with its score, its text and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rag.answer import NOTHING_INDEXED
from rag.retriever import Search
from rag.statutes import Edition, Hit, strip_marks
from web.markup import article_html, escape

SIGNALS = {"citation": "인용", "dense": "의미", "lexical": "낱말", "rerank": "재순위"}
_SIGNAL_HELP = {
    "citation": "질문에 적힌 조문",
    "dense": "뜻이 가까워 찾은 조문",
    "lexical": "같은 낱말이 있어 찾은 조문",
    "rerank": "다시 견주어 순위를 매긴 조문",
}
_WELCOME = """
<div class="law-welcome">
<h2>무엇이 궁금하십니까?</h2>
<p>겪은 일을 평소 쓰는 말로 물어보십시오. ‘민법 제750조’처럼 조문을 바로 찾을 수도 있습니다.</p>
</div>
"""
_EMPTY = """
<div class="law-empty">
<p class="law-empty-title">근거 조문이 여기에 나타납니다</p>
<p>조문마다 유사도와 시행일, 질문에 가장 가까운 대목의 표시, 국가법령정보센터 원문 링크가 붙습니다.</p>
</div>
"""
_SEARCHING = '<div class="law-empty" role="status"><p class="law-empty-title">조문을 찾고 있습니다…</p></div>'


def welcome_html() -> str:
    """Return what stands above the question box before the first question."""
    return _WELCOME


def empty_html() -> str:
    """Return what stands in the place of the cards before the first question."""
    return _EMPTY


def searching_html() -> str:
    """Return what stands in the place of the cards while a question is being answered."""
    return _SEARCHING


def error_html(message: str) -> str:
    """Return an error as the visitor sees it."""
    return f'<div class="law-banner error" role="alert">{escape(message)}</div>'


def results_html(search: Search, today: date, abstain_below: float) -> str:
    """Return the cards of a search, with what has to be said above them.

    `abstain_below` is the score under which nothing counts as an answer; the legend states it.
    """
    notes = "".join(f'<div class="law-banner note" role="note">{escape(note)}</div>' for note in search.notes)
    if not search.hits:
        nothing = f'<div class="law-empty"><p>{escape(NOTHING_INDEXED)}</p></div>'
        return f'<section class="law-results">{notes}{nothing}</section>'
    cards = "".join(
        f"<li>{card_html(hit, rank, today, weak=search.abstained)}</li>" for rank, hit in enumerate(search.hits, 1)
    )
    title = "가장 가까운 조문(답이 아닐 수 있음)" if search.abstained else "근거 조문"
    banner = (
        '<div class="law-banner warning" role="note">이 질문에 답하는 조문을 찾지 못했습니다.</div>'
        if search.abstained
        else ""
    )
    return (
        f'<section class="law-results{" abstained" if search.abstained else ""}" aria-label="{title}">'
        f'{notes}{banner}<header class="law-results-head">'
        f'<h2>{title} <span class="count">{len(search.hits)}건</span></h2>'
        f'<p class="law-asked">{escape(search.question)}</p></header>'
        f'<ol class="law-cards">{cards}</ol>{_legend(abstain_below)}</section>'
    )


def card_html(hit: Hit, rank: int, today: date, *, weak: bool = False) -> str:
    """Return one article as a card; `weak` where it is merely the nearest, no answer."""
    edition, article = hit.edition, hit.article
    path = " › ".join(strip_marks(division) for division in article.divisions)
    path_html = f'<p class="law-path">{escape(path)}</p>' if path else ""
    name = f"「{edition.title}」 {article.heading}"
    deleted = '<span class="law-badge muted">삭제된 조문</span>' if article.deleted else ""
    return (
        f'<article class="law-card{" weak" if weak else ""}">'
        f'<header class="law-card-head"><span class="law-rank" aria-label="{rank}순위">{rank}</span>'
        f'<div class="law-name">{path_html}<h3><span class="law-title">「{escape(edition.title)}」</span> '
        f"{escape(article.heading)}</h3></div>{_score(hit)}</header>"
        f'<div class="law-badges">{_signals(hit.signals)}{status_badges(edition, today)}{deleted}</div>'
        f"{article_html(article, hit.highlight)}"
        f'<footer class="law-card-foot"><span>{escape(_facts(edition))}</span>'
        f'<a href="{escape(hit.url)}" target="_blank" rel="noopener noreferrer" '
        f'aria-label="{escape(name)}, 국가법령정보센터에서 보기(새 창)">국가법령정보센터에서 보기 ↗</a>'
        "</footer></article>"
    )


def status_badges(edition: Edition, today: date) -> str:
    """Return warnings about an edition: repealed, or its text not the law yet."""
    badges = []
    if edition.repealed:
        badges.append('<span class="law-badge danger">폐지</span>')
    if edition.effective and edition.coming(today):
        badges.append(f'<span class="law-badge warning">시행 예정 {edition.effective.isoformat()}</span>')
    return "".join(badges)


def _score(hit: Hit) -> str:
    # The bar spans 0 to 1: a cosine below 0 has no length, and nothing is stretched to look better.
    width = max(0.0, min(1.0, hit.score)) * 100
    return (
        f'<div class="law-score"><span class="law-score-label">유사도</span> <b>{hit.score:.3f}</b>'
        f'<span class="law-bar" aria-hidden="true"><span style="width:{width:.1f}%"></span></span></div>'
    )


def _signals(signals: Sequence[str]) -> str:
    return "".join(
        f'<span class="law-badge signal" title="{escape(_SIGNAL_HELP.get(signal, ""))}">'
        f"{escape(SIGNALS.get(signal, signal))}</span>"
        for signal in signals
    )


def _facts(edition: Edition) -> str:
    effective = f"{edition.effective.isoformat()} 시행" if edition.effective else "시행일 미상"
    return " · ".join(part for part in (effective, edition.designation) if part)


def _legend(abstain_below: float) -> str:
    threshold = (
        f" 가장 높은 값이 {abstain_below:.2f}보다 낮으면 답하는 조문이 없는 것으로 봅니다."
        if abstain_below > -1
        else ""
    )
    return (
        '<p class="law-legend">유사도는 질문과 조문의 코사인 유사도(-1~1)이고 막대는 0~1로 그립니다. 관련 없는 조문도 '
        f"0에 가깝지 않고 꽤 높은 값이 나오므로, 값 하나보다 순위와 차이를 보십시오.{threshold}</p>"
    )
