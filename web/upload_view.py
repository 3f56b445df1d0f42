"""What uploaded files are, what they would change and how far they are, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ingest.pipeline import Outcome, Progress, Result
from ingest.preview import Changes, Preview
from rag.statutes import Article, Edition
from web.cards import status_badges
from web.markup import escape
from web.status import describe

_WOULD = {
    Result.ADDED: ("새로 들어갑니다", "good"),
    Result.UPDATED: ("새 판으로 바뀝니다", "good"),
    Result.COMING: ("시행일까지 따로 둡니다", "warning"),
    Result.UNCHANGED: ("이미 들어 있습니다", "muted"),
    Result.OLDER: ("건너뜁니다", "warning"),
    Result.REMOVED: ("빠집니다", "danger"),
    Result.FAILED: ("넣을 수 없습니다", "danger"),
}
_RESULT_CLASS = {result: style for result, (_, style) in _WOULD.items()}
_LABELS = 12
_EXCERPT = 240


def goes_in(seen: Preview) -> bool:
    """Whether adding the file would change anything."""
    return seen.outcome.result in (Result.ADDED, Result.UPDATED, Result.COMING)


def gaps(seen: Preview) -> list[str]:
    """Return what a readable file does not say of itself and nobody has said of it yet."""
    edition = seen.edition
    if edition is None:
        return []
    values = {
        "제목": edition.title,
        "종류": edition.kind,
        "공포일": edition.promulgated,
        "시행일": edition.effective,
    }
    return [name for name, value in values.items() if not value]


def previews_html(seen: Sequence[Preview], today: date, busy: str = "") -> str:
    """Return what the files were read as; `busy` names the one that is being read."""
    working = (
        f'<p class="law-busy" role="status"><b>읽는 중</b> <span lang="ko">{escape(busy)}</span></p>' if busy else ""
    )
    if not seen:
        return working
    ready = sum(map(goes_in, seen))
    keys = [preview.edition.key for preview in seen if preview.edition and goes_in(preview)]
    cards = "".join(
        _preview_card(preview, today, keys.count(preview.edition.key) if preview.edition else 0) for preview in seen
    )
    return (
        f'{working}<h2 class="law-h2">미리 보기</h2><p class="law-summary" role="status">파일 {len(seen)}개 가운데 '
        f"{ready}개가 들어갑니다. 아직 아무것도 바뀌지 않았습니다.</p>"
        f'<ol class="law-previews">{cards}</ol>'
    )


def progress_html(outcomes: Sequence[Outcome], waiting: Sequence[str], progress: Progress | str | None) -> str:
    """Return how far files that go in are: those done, the one under way (first of `waiting`), those that wait."""
    total, done = len(outcomes) + len(waiting), len(outcomes)
    if not waiting:
        return outcomes_html(outcomes)
    share = progress.done / max(1, progress.total) if isinstance(progress, Progress) else 0.0
    said = describe(progress) if isinstance(progress, Progress) else progress or "준비하는 중"
    rows = [_outcome_row(outcome) for outcome in outcomes]
    rows.append(_waiting_row(waiting[0], "넣는 중", said))
    rows += [_waiting_row(name, "기다림", "") for name in waiting[1:]]
    return (
        f'<p class="law-busy" role="status"><b>넣는 중</b> {done + 1}/{total} '
        f'<span lang="ko">{escape(waiting[0])}</span> · <span>{escape(said)}</span></p>'
        f'<span class="law-bar wide" aria-hidden="true"><span style="width:{100 * (done + share) / total:.1f}%">'
        f"</span></span>{_table(rows)}"
    )


def outcomes_html(outcomes: Sequence[Outcome]) -> str:
    """Return what became of uploaded files."""
    if not outcomes:
        return '<div class="law-banner note" role="status">넣을 파일이 없습니다.</div>'
    counts = [(result, sum(outcome.result is result for outcome in outcomes)) for result in Result]
    summary = ", ".join(f"<span>{result.value} {count}</span>" for result, count in counts if count)
    return (
        f'<p class="law-summary" role="status"><span>파일 {len(outcomes)}개</span>: {summary}</p>'
        f"{_table([_outcome_row(outcome) for outcome in outcomes])}"
    )


def _table(rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in ("파일", "결과", "법령", "조문", "시행", "설명"))
    return (
        f'<div class="law-scroll"><table class="law-table-list outcomes"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _outcome_row(outcome: Outcome) -> str:
    edition = outcome.edition
    # A message names its file or statute, which has a column here.
    message = outcome.message.removeprefix(f"{outcome.name}: ").removeprefix(f"{edition.title if edition else ''}: ")
    return (
        f'<tr><th scope="row" lang="ko">{escape(outcome.name)}</th>'
        f'<td data-name="결과"><span class="law-badge {_RESULT_CLASS.get(outcome.result, "muted")}">'
        f"{outcome.result.value}</span></td>"
        f'<td data-name="법령">{_korean(edition.title) if edition else "-"}</td>'
        f'<td data-name="조문" class="number">{f"{outcome.articles:,}" if outcome.articles else "-"}</td>'
        f'<td data-name="시행">{_day(edition.effective if edition else None)}</td>'
        f'<td data-name="설명" class="wide">{escape(message)}{_warnings(outcome.warnings)}</td></tr>'
    )


def _waiting_row(name: str, state: str, said: str) -> str:
    return (
        f'<tr><th scope="row" lang="ko">{escape(name)}</th>'
        f'<td data-name="결과"><span class="law-badge muted">{state}</span></td>'
        f'<td data-name="법령">-</td><td data-name="조문" class="number">-</td><td data-name="시행">-</td>'
        f'<td data-name="설명" class="wide">{escape(said)}</td></tr>'
    )


def _preview_card(seen: Preview, today: date, alike: int) -> str:
    outcome, edition = seen.outcome, seen.edition
    verdict, style = _WOULD[outcome.result]
    notes = []
    untitled = edition is not None and not edition.title
    if outcome.result in (Result.FAILED, Result.OLDER) and not untitled:
        message = outcome.message.removeprefix(f"{outcome.name}: ")
        notes.append(message.removeprefix(f"{edition.title if edition else ''}: "))
    if goes_in(seen) and alike > 1:
        notes.append("같은 법령의 파일이 함께 있습니다. 더 새로운 판만 남습니다.")
    missing = gaps(seen)
    how = "제목은 아래에서 적어야 넣을 수 있습니다." if untitled else "아래에서 적을 수 있습니다."
    asked = f'<p class="law-asks">파일에 없는 내용: {escape(", ".join(missing))}. {how}</p>'
    said = "".join(f'<p class="law-note">{escape(note)}</p>' for note in notes)
    return (
        '<li class="law-preview"><div class="law-preview-head">'
        f'<span class="law-file" lang="ko">{escape(outcome.name)}</span>'
        f'<span class="law-badge {style}">{verdict}</span></div>'
        f"{_facts(edition, seen, today) if edition else ''}"
        f"{said}{asked if missing else ''}"
        f"{_changes(seen.changes) if seen.changes and goes_in(seen) else ''}{_warnings(outcome.warnings)}"
        f"{_articles(seen.articles)}</li>"
    )


def _facts(edition: Edition, seen: Preview, today: date) -> str:
    facts = {
        "종류": _korean(edition.designation),
        "공포": _day(edition.promulgated),
        "시행": _day(edition.effective),
        "소관": _korean(", ".join(edition.ministries)),
        "조문": f"{seen.outcome.articles:,}개" + (f", 부칙 {seen.addenda}개" if seen.addenda else ""),
    }
    listed = "".join(f"<div><dt>{name}</dt><dd>{value or '-'}</dd></div>" for name, value in facts.items())
    title = _korean(edition.title) or '<span class="law-missing">제목 없음</span>'
    return f'<h3>{title} {status_badges(edition, today)}</h3><dl class="law-facts">{listed}</dl>'


def _changes(changes: Changes) -> str:
    groups = {"바뀐 조문": changes.changed, "새 조문": changes.added, "없어진 조문": changes.removed}
    parts = [
        f"<span>{name} {len(labels)}개</span>({_korean(_listed(labels))})" for name, labels in groups.items() if labels
    ]
    said = ", ".join([*parts, f"<span>그대로 {changes.same}개</span>"])
    return f'<p class="law-changes"><b>지금 들어 있는 판과 비교</b> {said}</p>'


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels[:_LABELS]) + (" …" if len(labels) > _LABELS else "")


def _articles(articles: Sequence[Article]) -> str:
    if not articles:
        return ""
    shown = "".join(
        f"<dt>{escape(article.heading)}</dt><dd>{escape(_excerpt(article.text))}</dd>" for article in articles
    )
    return (
        '<details class="law-fold"><summary>처음 조문 보기</summary>'
        f'<dl class="law-first" lang="ko">{shown}</dl></details>'
    )


def _excerpt(text: str) -> str:
    return text if len(text) <= _EXCERPT else text[:_EXCERPT].rstrip() + " …"


def _warnings(warnings: Sequence[str]) -> str:
    listed = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return f'<ul class="law-warnings">{listed}</ul>' if listed else ""


def _korean(text: str) -> str:
    """Return what stays Korean in English, too, marked as that; '' where there is none."""
    return f'<span lang="ko">{escape(text)}</span>' if text else ""


def _day(day: date | None) -> str:
    return day.isoformat() if day else "-"
