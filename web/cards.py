"""A search as HTML: one card for each article, best first, with its score, its text and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from ingest.changes import replacements
from rag.answer import NOTHING_INDEXED, coming_text
from rag.related import Related, Relative
from rag.retriever import Search
from rag.statutes import Article, Edition, Hit, is_appended, official_url, strip_marks
from web.markup import article_html, escape, open_link
from web.plot import plot_html

SIGNALS = {"citation": "인용", "dense": "의미", "lexical": "낱말", "question": "질문"}
_SIGNAL_HELP = {
    "citation": "질문에 적힌 조문",
    "dense": "뜻이 가까워 찾은 조문",
    "lexical": "같은 낱말이 있어 찾은 조문",
    "question": "이 조문이 답하는 것으로 알려진 비슷한 질문이 있어 찾은 조문",
}
_WELCOME = """
<div class="law-welcome">
<h2>무엇이 궁금하십니까?</h2>
<p>겪은 일을 평소 쓰는 말로 물어보십시오. ‘민법 제750조’처럼 조문을 바로 찾을 수도 있습니다.</p>
</div>
"""
_MOST_CHANGES = 12
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


def results_html(
    search: Search,
    today: date,
    abstain_below: float,
    around: Mapping[str, Related] | None = None,
    scope: str = "",
) -> str:
    """Return the cards of a search, with what has to be said above them.

    `abstain_below` is the confidence under which nothing counts as an answer; the legend states it. `around` is what
    stands around the articles found, by article id. `scope` says what the search was narrowed to.
    """
    around = around or {}
    notes = "".join(f'<div class="law-banner note" role="note">{escape(note)}</div>' for note in search.notes)
    if not search.hits:
        nothing = f'<div class="law-empty"><p>{escape(NOTHING_INDEXED)}</p></div>'
        return f'<section class="law-results">{notes}{nothing}</section>'
    cards = "".join(
        f"<li>{card_html(hit, rank, today, around.get(hit.article_id), weak=search.abstained)}</li>"
        for rank, hit in enumerate(search.hits, 1)
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
        f'<p class="law-asked" lang="ko">{escape(search.question)}</p>{_scope(scope)}</header>'
        f'{plot_html(search.hits)}<ol class="law-cards">{cards}</ol>'
        f"{_legend(search.confidence, abstain_below)}</section>"
    )


def card_html(hit: Hit, rank: int, today: date, around: Related | None = None, *, weak: bool = False) -> str:
    """Return one article as a card; `weak` where it is merely the nearest, no answer."""
    edition, article = hit.edition, hit.article
    path = " › ".join(strip_marks(division) for division in article.divisions)
    path_html = f'<p class="law-path" lang="ko">{escape(path)}</p>' if path else ""
    name = f"「{edition.title}」 {article.heading}"
    is_deleted = article.deleted and not is_appended(hit.article_id)
    deleted = '<span class="law-badge muted">삭제된 조문</span>' if is_deleted else ""
    return (
        f'<article class="law-card{" weak" if weak else ""}" id="article-{escape(hit.article_id)}" tabindex="-1" '
        f'aria-label="{rank}. {escape(name)}">'
        f'<header class="law-card-head"><span class="law-rank" aria-label="{rank}순위">{rank}</span>'
        f'<div class="law-name">{path_html}<h3 lang="ko"><span class="law-title">「{escape(edition.title)}」</span> '
        f"{escape(article.heading)}</h3></div>{_score(hit)}</header>"
        f'<div class="law-badges">{_signals(hit.signals)}{status_badges(edition, today)}{deleted}</div>'
        f"{article_html(article, hit.highlight)}{_coming(hit)}{_related(around, name) if around else ''}"
        f'<footer class="law-card-foot"><span>{facts_html(edition)}</span>'
        f"{card_tools(edition, article, hit.article_id, link=hit.link)}</footer></article>"
    )


def card_tools(edition: Edition, article: Article, identity: str, *, viewer: bool = True, link: str = "") -> str:
    """Return what can be done with an article: open it in its statute, copy it, see the official text.

    `link` is the address of that text where it is not the article's.
    """
    name = f"「{edition.title}」 {article.heading}"
    url = link or official_url(edition.title, article.label)
    data = f'data-cite="{escape(name)}" data-facts="{escape(facts(edition))}" data-url="{escape(url)}"'
    opener = open_link(identity, "법령에서 보기", f' aria-label="{escape(name)}, 법령에서 보기"') if viewer else ""
    buttons = "".join(
        f'<button type="button" data-copy="{form}" aria-label="{escape(name)}, {label}">{label}</button>'
        for form, label in (("cite", "인용 복사"), ("text", "본문 복사"), ("markdown", "Markdown 복사"))
    )
    return (
        f'<div class="law-tools" {data}>{opener}{buttons}'
        f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer" '
        f'aria-label="{escape(name)}, 국가법령정보센터(새 창)">국가법령정보센터 ↗</a></div>'
    )


def _scope(scope: str) -> str:
    return f'<p class="law-scope"><span>검색 범위</span>: <span lang="ko">{escape(scope)}</span></p>' if scope else ""


def _related(around: Related, name: str) -> str:
    """Return what stands around an article, folded; each article a link that opens it in its statute."""
    others = around.cited_by_total - len(around.cited_by)
    rows = [
        ("위임받아 정한 조문", _links(around.delegated)),
        ("근거가 되는 조문", _links(around.parents)),
        ("어기면", _links(around.penalties)),
        ("인용한 조문", _links(around.cites)),
        (
            "쓰인 말의 뜻",
            [f'<span lang="ko">‘{escape(word)}’</span> {_link(relative)}' for word, relative in around.definitions],
        ),
        ("이 조문을 인용한 조문", [*_links(around.cited_by), *([f"그 밖에 {others}개"] if others > 0 else [])]),
    ]
    shown = "".join(f"<dt>{title}</dt><dd>{', '.join(links)}</dd>" for title, links in rows if links)
    if not shown:
        return ""
    return (
        f'<details class="law-related"><summary aria-label="{escape(name)}와 이어진 조문">이어진 조문</summary>'
        f"<dl>{shown}</dl></details>"
    )


def _coming(hit: Hit) -> str:
    """Return what an article is about to become, folded: the words that change, then the whole text."""
    if hit.coming is None:
        return ""
    then, said = hit.coming.article, escape(coming_text(hit.coming))
    if then is None or then.deleted:
        return f'<p class="law-coming">{said}</p>'
    found = replacements(hit.article, then)
    rows = [
        f"<li>…{escape(words.before)}{f'<del>{escape(words.old)}</del>' if words.old else ''}"
        f"{f'<ins>{escape(words.new)}</ins>' if words.new else ''}{escape(words.after)}…</li>"
        for words in found[:_MOST_CHANGES]
    ]
    if len(found) > _MOST_CHANGES:
        rows.append(f"<li>그 밖에 {len(found) - _MOST_CHANGES}곳</li>")
    return (
        f'<details class="law-coming"><summary>{said}</summary><ul lang="ko">{"".join(rows)}</ul>'
        f"{article_html(then, ())}</details>"
    )


def _links(relatives: Sequence[Relative]) -> list[str]:
    return [_link(relative) for relative in relatives]


def _link(relative: Relative) -> str:
    title = f"({relative.title})" if relative.title else ""
    return open_link(relative.article_id, escape(f"{relative.law} {relative.label}{title}"), ' lang="ko"')


def status_badges(edition: Edition, today: date) -> str:
    """Return warnings about an edition: repealed, or its text not the law yet."""
    badges = []
    if edition.repealed:
        badges.append('<span class="law-badge danger">폐지</span>')
    if edition.effective and edition.coming(today):
        when = "시행일 미정" if edition.effective_text == "미정" else f"시행 예정 {edition.effective_text}"
        badges.append(f'<span class="law-badge warning">{when}</span>')
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


def facts(edition: Edition) -> str:
    """Return since when an edition is in force, and its designation."""
    return " · ".join(part for part in (edition.effective_phrase, edition.designation) if part)


def facts_html(edition: Edition) -> str:
    """Return the same as HTML: the designation is the law's own."""
    designation = f'<span lang="ko">{escape(edition.designation)}</span>' if edition.designation else ""
    return " · ".join(part for part in (f"<span>{edition.effective_phrase}</span>", designation) if part)


def _legend(confidence: float, abstain_below: float) -> str:
    threshold = (
        f" 답하는 조문이 있는지는 따로 판단합니다(이번 질문 {confidence:.2f}, "
        f"{abstain_below:.2f}보다 낮으면 없는 것으로 봅니다)."
        if abstain_below > 0
        else ""
    )
    return (
        '<p class="law-legend">유사도는 질문과 조문의 코사인 유사도(-1~1)이고 막대는 0~1로 그립니다. '
        f"순서는 유사도에 낱말, 알려진 질문, 인용을 더해 정하므로 유사도 순서와 다를 수 있습니다.{threshold}</p>"
    )
