"""What is appended to a statute, addenda (부칙) and annexes (별표, 별지 서식): in the shape of articles, and as cited.

They are no part of the ordinary search. A question gets them by citing them, or by asking for them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from rag.citation import AppendedCitation, find_appended, last_law
from rag.cited import Cited, CitedArticle
from rag.kept import load_edition
from rag.laws import Laws
from rag.statutes import Addendum, Annex, Article, Edition, Line, Paragraph, appended_id, normalize_title
from rag.texts import Texts

ADDENDA, ANNEXES = "addenda", "annexes"
KINDS = (ADDENDA, ANNEXES)

_MOST = 5
"""How many addenda or annexes are shown where a question does not say which."""


def of_statute(texts: Texts, edition: Edition, kind: str) -> list[CitedArticle]:
    """Return a statute's addenda or annexes as articles, in order."""
    if kind == ADDENDA:
        return [_addendum(edition, n, addendum) for n, addendum in enumerate(texts.addenda(edition))]
    return [_annex(edition, annex) for annex in texts.annexes(edition)]


def titles(texts: Texts, edition: Edition, kind: str) -> list[tuple[str, str, str, str]]:
    """Return (id, label, title, address of its file) of each in order, without the texts, which can be long."""
    if kind == ADDENDA:
        rows = texts.query("SELECT heading FROM addenda WHERE statute = ? ORDER BY position", (edition.key,))
        return [(_addendum_id(edition, place), _one_line(heading), "", "") for place, (heading,) in enumerate(rows)]
    rows = texts.query("SELECT label, title, url FROM annexes WHERE statute = ? ORDER BY position", (edition.key,))
    return [(appended_id(edition, label), label, title, url) for label, title, url in rows]


def find(texts: Texts, identity: str) -> CitedArticle | None:
    """Return the addendum or annex of that id, None where there is none."""
    statute, _, label = identity.rpartition("+")
    rows = texts.query("SELECT edition FROM statutes WHERE statute_id = ?", (statute,))
    if not rows:
        return None
    edition = load_edition(rows[0][0])
    if numbered := re.fullmatch(r"부칙#([0-9]{1,6})", label):
        place = int(numbered[1])
        sql = "SELECT heading, text FROM addenda WHERE statute = ? ORDER BY position LIMIT 1 OFFSET ?"
        return next((_addendum(edition, place, Addendum(*row)) for row in texts.query(sql, (edition.key, place))), None)
    sql = "SELECT label, title, text, url FROM annexes WHERE statute = ? AND label = ?"
    return next((_annex(edition, Annex(*row)) for row in texts.query(sql, (edition.key, label))), None)


def _addendum(edition: Edition, place: int, addendum: Addendum) -> CitedArticle:
    article = _article(_one_line(addendum.heading), "", addendum.text)
    return CitedArticle(_addendum_id(edition, place), edition, article)


def _annex(edition: Edition, annex: Annex) -> CitedArticle:
    article = _article(annex.label, annex.title, annex.text)
    return CitedArticle(appended_id(edition, annex.label), edition, article, link=annex.url)


def _addendum_id(edition: Edition, place: int) -> str:
    return appended_id(edition, f"부칙#{place}")  # by its place in order: headings can be alike


def _one_line(heading: str) -> str:
    return re.sub(r"\s+", " ", heading)


def _article(label: str, title: str, text: str) -> Article:
    lines = (line.rstrip() for line in text.splitlines())
    return Article(label, title, tuple(Paragraph(None, (Line(0, "", line),)) for line in lines if line.strip()))


def with_appended(cited: Cited, question: str, history: Sequence[str], laws: Laws, texts: Texts) -> Cited:
    """Return what a question cites with the addenda and annexes that it cites, before any search for others."""
    question = unicodedata.normalize("NFC", question)
    found: dict[str, CitedArticle] = {}
    notes: list[str] = []
    missing = cited.missing
    for citation in find_appended(question, laws, last_law(history, laws)):
        if not citation.key:
            if citation.name:
                missing = True
                notes.append(f"'{citation.name}'은(는) 지금 들어 있는 법령 가운데 없습니다.")
            continue
        edition = laws.editions.get(citation.key)
        if edition is None:
            missing = True
            notes.append(f"「{laws.title(citation.key)}」은(는) 지금 들어 있는 법령 가운데 없습니다.")
            continue
        matches = _matching(citation, edition, texts)
        missing = missing or not matches
        notes += _notes(citation, edition, matches, texts)
        found |= {match.article_id: match for match in matches[:_MOST]}
    return replace(
        cited,
        articles=(*cited.articles, *found.values()),
        notes=tuple(dict.fromkeys((*cited.notes, *notes))),
        missing=missing,
    )


def _matching(citation: AppendedCitation, edition: Edition, texts: Texts) -> list[CitedArticle]:
    """Return what a citation means: addenda newest first, the lines of the cited article of each marked."""
    if citation.label != "부칙":
        annexes = of_statute(texts, edition, ANNEXES)
        wanted = normalize_title(citation.label)
        same = [a for a in annexes if normalize_title(re.sub(r" \[\d+\]$", "", a.article.label)) == wanted]
        return same or [a for a in annexes if citation.label == "별표" and a.article.label.startswith("별표")]
    addenda = of_statute(texts, edition, ADDENDA)[::-1]
    if citation.number:
        addenda = [a for a in addenda if re.search(rf"제\s*0*{citation.number}\s*호", a.article.label)]
    if citation.article:
        addenda = [replace(a, spans=spans) for a in addenda if (spans := _article_spans(a.article, citation.article))]
    return addenda


def _article_spans(addendum: Article, label: str) -> tuple[tuple[int, int], ...]:
    """Return where an article of an addendum stands in its text, from its head to the next."""
    start: int | None = None
    for paragraph, (begin, end) in zip(addendum.paragraphs, addendum.paragraph_spans(), strict=True):
        head = re.match(r"\s*제\s*(\d+)\s*조((?:\s*의\s*\d+)*)\s*\(", paragraph.text)
        if start is not None and head:
            return ((start, begin - 1),)
        if head and f"제{int(head[1])}조" + re.sub(r"\s+", "", head[2]) == label:
            start = begin
        last = end
    return ((start, last),) if start is not None else ()


def _notes(citation: AppendedCitation, edition: Edition, matches: list[CitedArticle], texts: Texts) -> list[str]:
    cited = f"「{edition.title}」 {citation.render()}"
    if not matches:
        kind = ADDENDA if citation.label == "부칙" else ANNEXES
        held = [label for _, label, _, _ in titles(texts, edition, kind)]
        shown = f" {', '.join(held[-3:] if kind == ADDENDA else held[:3])} 등 {len(held)}개가 있습니다." if held else ""
        return [f"{cited}: 지금 들어 있는 자료에 없습니다.{shown}"]
    notes = []
    if len(matches) > _MOST:
        how = "공포번호를 함께 적으면 그 부칙만" if citation.label == "부칙" else "번호를 함께 적으면 그 별표만"
        notes.append(f"{cited}: {len(matches)}개 가운데 {_MOST}개를 보입니다. {how} 보입니다.")
    if any(not match.article.paragraphs and match.link for match in matches[:_MOST]):
        notes.append(f"{cited}: 내용이 글로 들어 있지 않아 제목과 공식 파일의 주소만 보입니다.")
    return notes
