"""A statute to browse: its outline at the side, a stretch of its articles with the one asked for in place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

from rag.appended import ADDENDA, ANNEXES
from rag.contents import Entry, Opened
from rag.statutes import Article, Edition, official_url, strip_marks
from web.cards import card_tools, facts_html, status_badges
from web.markup import article_html, escape, open_link

_NEIGHBOURS = {"": "앞뒤 조문", ADDENDA: "앞뒤 부칙", ANNEXES: "앞뒤 별표·서식"}


def statute_head_html(edition: Edition, articles: int, today: date) -> str:
    """Return the name of the statute that is open, with what edition it is."""
    ministries = ", ".join(edition.ministries)
    led_by = f' · <span lang="ko">{escape(ministries)}</span>' if ministries else ""
    return (
        f'<header class="law-open-head"><h2 lang="ko">{escape(edition.title)}</h2>'
        f'<p class="law-help">{facts_html(edition)}{led_by} · <span>조문 {articles:,}개</span> '
        f"{status_badges(edition, today)} "
        f'<a href="{escape(official_url(edition.title))}" target="_blank" rel="noopener noreferrer">'
        "국가법령정보센터 ↗</a></p></header>"
    )


def outline_html(opened: Opened) -> str:
    """Return the statute's table of contents: what is folded in it is open where it holds what is open.

    That is 편, 장, 절 and 관, and after the articles the addenda and the annexes.
    """
    here = opened.here
    groups = _group("부칙", opened.addenda, here) + _group("별표·서식", opened.annexes, here)
    return (
        f'<nav class="law-outline" aria-label="목차"><ul>{"".join(_branch(opened.entries, 0, here))}{groups}</ul></nav>'
    )


def stretch_html(opened: Opened) -> str:
    """Return the articles around the open one, under their headings, or the open addendum or annex; and ways on."""
    parts = [_turning(opened)]
    before: tuple[str, ...] = opened.group[opened.first - 1].divisions if opened.first else ()
    for place, article in enumerate(opened.articles, opened.first):
        entry = opened.group[place]
        parts += _headings(before, entry.divisions)
        before = entry.divisions
        parts.append(_article(opened, entry, article))
    return f'<div class="law-stretch">{"".join(parts)}{_turning(opened)}</div>'


def _group(name: str, entries: Sequence[Entry], here: Entry) -> str:
    """Return the addenda or annexes of a statute, folded."""
    if not entries:
        return ""
    inside = " open" if here in entries else ""
    leaves = "".join(_leaf(entry, here) for entry in entries)
    return f"<li><details{inside}><summary>{name} ({len(entries):,})</summary><ul>{leaves}</ul></details></li>"


def _branch(entries: Sequence[Entry], depth: int, here: Entry) -> Iterator[str]:
    for heading, group in groupby(entries, key=lambda e: e.divisions[depth] if len(e.divisions) > depth else ""):
        run = list(group)
        if not heading:
            yield from (_leaf(entry, here) for entry in run)
            continue
        inside = " open" if here in run else ""
        name = escape(strip_marks(heading))
        span = f"{run[0].label}~{run[-1].label}" if len(run) > 1 else run[0].label
        yield (
            f'<li><details{inside}><summary lang="ko">{name} <small>{escape(span)}</small></summary>'
            f"<ul>{''.join(_branch(run, depth + 1, here))}</ul></details></li>"
        )


def _leaf(entry: Entry, here: Entry) -> str:
    name = f'<span lang="ko">{escape(f"{entry.label} {entry.title}".strip())}</span>'
    gone = " <span>(삭제)</span>" if entry.deleted else ""
    current = ' aria-current="true"' if entry == here else ""
    faded = ' class="deleted"' if entry.deleted else ""
    return f"<li{faded}>{open_link(entry.article_id, name + gone, current)}</li>"


def _headings(before: Sequence[str], divisions: Sequence[str]) -> Iterator[str]:
    """Yield the headings that begin with an article: those from the first that differs from the article before."""
    same = 0
    while same < min(len(before), len(divisions)) and before[same] == divisions[same]:
        same += 1
    for depth in range(same, len(divisions)):
        yield f'<h3 class="law-division depth-{depth}" lang="ko">{escape(strip_marks(divisions[depth]))}</h3>'


def _article(opened: Opened, entry: Entry, article: Article) -> str:
    here = entry == opened.here
    deleted = '<span class="law-badge muted">삭제된 조문</span>' if entry.deleted else ""
    current = ' id="law-here" tabindex="-1" aria-current="true"' if here else ""
    text = article_html(article, (), fold=False) if article.paragraphs else _without_text(entry)
    return (
        f'<article class="law-shown{" here" if here else ""}"{current}>'
        f'<h4><span lang="ko">{escape(article.heading)}</span> {deleted}</h4>{text}'
        f"{card_tools(opened.edition, article, entry.article_id, viewer=False, link=entry.link)}</article>"
    )


def _without_text(entry: Entry) -> str:
    """Return what stands for the text of an annex (or addendum) that is not stored: the official file, where known."""
    if not entry.link:
        return '<p class="law-help">내용이 글로 들어 있지 않습니다.</p>'
    return (
        '<p class="law-help"><span>내용이 글로 들어 있지 않습니다.</span> '
        f'<a href="{escape(entry.link)}" target="_blank" rel="noopener noreferrer">공식 파일 열기 ↗</a></p>'
    )


def _turning(opened: Opened) -> str:
    """Return links to what comes before and after what is shown."""
    links, group, after = [], opened.group, opened.first + len(opened.articles)
    if opened.first:
        links.append(_turn(group[opened.first - 1], opened.kind, "← 이전 조문({}까지)", "← {}"))
    if after < len(group):
        links.append(_turn(group[after], opened.kind, "다음 조문({}부터) →", "{} →"))
    return f'<nav class="law-turning" aria-label="{_NEIGHBOURS[opened.kind]}">{" ".join(links)}</nav>' if links else ""


def _turn(entry: Entry, kind: str, among_articles: str, alone: str) -> str:
    if kind:  # one at a time: its name says all
        return open_link(entry.article_id, escape(alone.format(entry.label)), ' lang="ko"')
    return open_link(entry.article_id, escape(among_articles.format(entry.label)))
