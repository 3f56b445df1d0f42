"""A statute to browse: its outline at the side, a stretch of its articles with the one asked for in place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

from rag.contents import STRETCH, Entry, Opened
from rag.statutes import Article, Edition, article_id, official_url, strip_marks
from web.cards import card_tools, facts, status_badges
from web.markup import article_html, escape, open_link


def statute_head_html(edition: Edition, articles: int, today: date) -> str:
    """Return the name of the statute that is open, with what edition it is."""
    ministries = ", ".join(edition.ministries)
    told = " · ".join(part for part in (facts(edition), ministries) if part)
    return (
        f'<header class="law-open-head"><h2 lang="ko">{escape(edition.title)}</h2>'
        f'<p class="law-help"><span lang="ko">{escape(told)}</span> · <span>조문 {articles:,}개</span> '
        f"{status_badges(edition, today)} "
        f'<a href="{escape(official_url(edition.title))}" target="_blank" rel="noopener noreferrer">'
        "국가법령정보센터 ↗</a></p></header>"
    )


def outline_html(opened: Opened) -> str:
    """Return the statute's table of contents: 편, 장, 절, 관 fold; the one that holds the open article is open."""
    here = opened.entries[opened.at]
    return (
        '<nav class="law-outline" aria-label="목차" lang="ko">'
        f"<ul>{''.join(_branch(opened.entries, 0, here))}</ul></nav>"
    )


def stretch_html(opened: Opened, today: date) -> str:
    """Return the articles around the open one, under their headings, with ways on and back."""
    before: tuple[str, ...] = opened.entries[opened.first - 1].divisions if opened.first else ()
    parts = [_turning(opened)]
    for place, article in enumerate(opened.articles, opened.first):
        entry = opened.entries[place]
        parts += _headings(before, entry.divisions)
        before = entry.divisions
        parts.append(_article(opened.edition, article, today, here=place == opened.at))
    return f'<div class="law-stretch">{"".join(parts)}{_turning(opened)}</div>'


def _branch(entries: Sequence[Entry], depth: int, here: Entry) -> Iterator[str]:
    for heading, group in groupby(entries, key=lambda e: e.divisions[depth] if len(e.divisions) > depth else ""):
        run = list(group)
        if not heading:
            yield from (_leaf(entry, here) for entry in run)
            continue
        inside = " open" if here in run else ""
        span = f"{run[0].label}~{run[-1].label}" if len(run) > 1 else run[0].label
        yield (
            f"<li><details{inside}><summary>{escape(strip_marks(heading))} <small>{escape(span)}</small></summary>"
            f"<ul>{''.join(_branch(run, depth + 1, here))}</ul></details></li>"
        )


def _leaf(entry: Entry, here: Entry) -> str:
    name = f"{entry.label} {entry.title}".strip() + (" (삭제)" if entry.deleted else "")
    current = ' aria-current="true"' if entry == here else ""
    faded = ' class="deleted"' if entry.deleted else ""
    return f"<li{faded}>{open_link(entry.article_id, escape(name), current)}</li>"


def _headings(before: Sequence[str], divisions: Sequence[str]) -> Iterator[str]:
    """Yield the headings that begin with an article: those from the first that differs from the article before."""
    same = 0
    while same < min(len(before), len(divisions)) and before[same] == divisions[same]:
        same += 1
    for depth in range(same, len(divisions)):
        yield f'<h3 class="law-division depth-{depth}" lang="ko">{escape(strip_marks(divisions[depth]))}</h3>'


def _article(edition: Edition, article: Article, today: date, *, here: bool) -> str:
    identity = article_id(edition, article.label)
    deleted = '<span class="law-badge muted">삭제된 조문</span>' if article.deleted else ""
    current = ' id="law-here" tabindex="-1" aria-current="true"' if here else ""
    return (
        f'<article class="law-shown{" here" if here else ""}"{current}>'
        f'<h4 lang="ko">{escape(article.heading)} {deleted}</h4>{article_html(article, (), fold=False)}'
        f"{card_tools(edition, article, identity, viewer=False)}</article>"
    )


def _turning(opened: Opened) -> str:
    """Return links to the stretch before and the one after."""
    links = []
    if opened.first:
        entry = opened.entries[opened.first - 1]
        links.append(open_link(entry.article_id, f"← 이전 조문({escape(entry.label)}까지)"))
    if opened.first + STRETCH < len(opened.entries):
        entry = opened.entries[opened.first + STRETCH]
        links.append(open_link(entry.article_id, f"다음 조문({escape(entry.label)}부터) →"))
    return f'<nav class="law-turning" aria-label="앞뒤 조문">{" ".join(links)}</nav>' if links else ""
