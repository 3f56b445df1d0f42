"""What is indexed and how far indexing is, as HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

from ingest.pipeline import Progress
from ingest.report import find_statutes
from rag.statutes import Edition
from rag.texts import StoredStatute
from web.cards import status_badges
from web.markup import escape, open_link
from web.service import Job

TITLE = "법령 질의응답"
_LEAD = "일상의 말로 물으면, 답이 되는 조문을 찾아 원문 그대로 보여 줍니다."
_NOTICE = (
    "<b>법률 자문이 아닙니다.</b> 수록된 법령의 조문을 찾아 줄 뿐이며, 최신 내용은 "
    '<a href="https://www.law.go.kr" target="_blank" rel="noopener noreferrer">국가법령정보센터</a>에서 확인하십시오.'
)
_LANGUAGES = (
    '<button type="button" data-language="ko" lang="ko">한국어</button>'
    '<button type="button" data-language="en" lang="en">English</button>'
)
_FEW = 5
_ROWS = 200


def header_html(statutes: Sequence[StoredStatute], job: Job) -> str:
    """Return the page's head: what this is, what it is not, what is in it and as of when."""
    problems = "".join(f"<li>{escape(problem)}</li>" for problem in job.problems)
    trouble = f'<ul class="law-banner error" role="alert">{problems}</ul>' if problems else ""
    return (
        f'<header class="law-head"><div class="law-head-name"><h1>{TITLE}</h1><p>{_LEAD}</p></div>'
        f'<div class="law-head-side"><div class="law-language">{_LANGUAGES}</div>'
        f'<div class="law-state" role="status">{_state(statutes, job)}</div></div></header>'
        f'<p class="law-notice" role="note">{_NOTICE}</p>{trouble}'
    )


def describe(progress: Progress) -> str:
    """Return how far a stage is: 임베딩 320/2,332조각 · 14.2조각/초 · 남은 시간 약 2분."""
    unit = progress.unit
    of = f"/{progress.total:,}" if progress.total else ""
    parts = [f"{progress.stage} {progress.done:,}{of}{unit}"]
    if progress.done < progress.total and math.isfinite(progress.seconds_left):
        parts += [f"{progress.rate:.1f}{unit}/초", f"남은 시간 {_duration(progress.seconds_left)}"]
    return " · ".join(parts)


def waiting(job: Job) -> str:
    """Return what an upload waits for."""
    return "앞선 색인이 끝나기를 기다리는 중" + (f"({describe(job.progress)})" if job.progress else "")


def inventory_html(statutes: Sequence[StoredStatute], query: str, today: date) -> str:
    """Return the list of statutes that match a query, with what edition of each is in."""
    found = find_statutes(statutes, query)
    if not statutes:
        return '<div class="law-empty"><p>아직 들어 있는 법령이 없습니다.</p></div>'
    if not found:
        return f'<div class="law-empty"><p>‘{escape(query.strip())}’이(가) 들어간 법령이 없습니다.</p></div>'
    summary = f"법령 {len(found):,}개" + (f"(전체 {len(statutes):,}개 가운데)" if len(found) < len(statutes) else "")
    if len(found) > _ROWS:
        summary += f" 중 처음 {_ROWS}개를 보입니다. 이름을 넣어 좁혀 주십시오."
    head = "".join(f'<th scope="col">{name}</th>' for name in ("법령", "종류", "공포", "시행", "조문"))
    rows = "".join(_inventory_row(stored, today) for stored in found[:_ROWS])
    return (
        f'<p class="law-summary">{summary}</p><table class="law-table-list"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def done_html(message: str) -> str:
    """Return a message about something that was done."""
    return f'<div class="law-banner good" role="status">{escape(message)}</div>'


def confirm_html(title: str, warning: str) -> str:
    """Return the question asked before a statute is taken out."""
    return f'<p role="alert"><b>「{escape(title)}」을(를) 정말 뺄까요?</b><br>{escape(warning)}</p>'


def _state(statutes: Sequence[StoredStatute], job: Job) -> str:
    total = sum(stored.articles for stored in statutes)
    counts = f"<b>{len(statutes):,}개 법령, {total:,}개 조문</b> 수록"
    if job.running:
        how_far = escape(describe(job.progress)) if job.progress else "준비하는 중"
        share = 100 * job.progress.done / (job.progress.total or math.inf) if job.progress else 0
        return (
            f'<p class="law-busy"><b>색인 중</b> {how_far}</p>'
            f'<span class="law-bar" aria-hidden="true"><span style="width:{share:.1f}%"></span></span>'
            f"<p>{counts} (늘어나는 중)</p>"
        )
    if not statutes:
        return "<p>아직 들어 있는 법령이 없습니다.</p>"
    editions = [stored.edition for stored in statutes]
    names = ", ".join(edition.title for edition in editions) if len(editions) <= _FEW else ""
    named = f'<p lang="ko">{escape(names)}</p>' if names else ""
    return f"<p>{counts}</p>{named}<p>{escape(_as_of(editions))}</p>"


def _as_of(editions: Sequence[Edition]) -> str:
    effective = sorted(edition.effective for edition in editions if edition.effective)
    promulgated = sorted(edition.promulgated for edition in editions if edition.promulgated)
    if len(editions) == 1:
        days = ((promulgated, "공포"), (effective, "시행"))
        return ", ".join(f"{found[0].isoformat()} {what}" for found, what in days if found)
    parts = [f"{promulgated[-1].isoformat()}까지 공포된 법령"] if promulgated else []
    if effective:
        span = dict.fromkeys((effective[0].isoformat(), effective[-1].isoformat()))
        parts.append(f"시행일 {' ~ '.join(span)}")
    return " · ".join(parts)


def _inventory_row(stored: StoredStatute, today: date) -> str:
    edition = stored.edition
    link = open_link(edition.title, escape(edition.title), ' lang="ko"')
    pending = f'<span class="law-badge muted">색인 대기 {stored.pending:,}</span>' if stored.pending else ""
    return (
        f'<tr><th scope="row">{link} {status_badges(edition, today)}{pending}</th>'
        f'<td data-name="종류" lang="ko">{escape(edition.designation or "-")}</td>'
        f'<td data-name="공포">{_day(edition.promulgated)}</td><td data-name="시행">{_day(edition.effective)}</td>'
        f'<td data-name="조문" class="number">{stored.articles:,}</td></tr>'
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else "-"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"약 {max(1, round(seconds))}초"
    minutes = round(seconds / 60)
    return f"약 {minutes}분" if minutes < 60 else f"약 {minutes // 60}시간 {minutes % 60}분"
