"""The articles that a question cites, as the store has them, and what has to be said of those it has not.

Nothing is replaced silently: an article or a place in it that does not exist, a statute that is not in the store, has
become another or is repealed, and a name that had to be guessed each get a note.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rag.citation import Citation, find_citations, last_law, refers_back
from rag.laws import Laws, renamed, split_subordinate
from rag.places import Place
from rag.statutes import Article, Edition, Line, article_id, article_key, normalize_title, strip_marks
from rag.texts import Texts

MOST_ARTICLES = 50
"""How many cited articles are looked up; a range can be as wide as a code."""

_MOST_LABELS = 5


@dataclass(frozen=True, slots=True)
class CitedArticle:
    """An article that was cited; `spans` are the cited 항, 호 and 목 in `article.text`, in the order cited.

    `link` is the address of an annex's file.
    """

    article_id: str
    edition: Edition
    article: Article
    spans: tuple[tuple[int, int], ...] = ()
    link: str = ""


@dataclass(frozen=True, slots=True)
class Cited:
    """What a question cites, in order, each article once; `notes` say in Korean what is not so.

    `missing` means that something was cited that is not there: without `articles` nothing that was asked for exists.
    """

    articles: tuple[CitedArticle, ...] = ()
    notes: tuple[str, ...] = ()
    missing: bool = False


@dataclass
class _Findings:
    """What is collected on the way: spans by article, in order, notes, and labels that are not there by statute."""

    spans: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    absent: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    deleted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def look_up(question: str, history: Sequence[str], laws: Laws, texts: Texts) -> Cited:
    """Return the articles that `question` cites; `history` are the earlier questions, oldest first."""
    question = unicodedata.normalize("NFC", question)
    citations = [c for c in find_citations(question, laws, last_law(history, laws)) if c.name or c.key]
    findings = _Findings()
    at_hand = _statutes(citations, laws, findings)
    wanted = _through(at_hand, texts)
    labels = list(dict.fromkeys(article_id(edition, c.label) for c, edition in wanted))
    if len(labels) > MOST_ARTICLES:
        findings.notes.append(f"인용한 조문이 많아 앞의 {MOST_ARTICLES}개만 찾았습니다.")
        kept = set(labels[:MOST_ARTICLES])
        wanted = [(c, edition) for c, edition in wanted if article_id(edition, c.label) in kept]
    found = texts.articles(_ids(wanted))
    for citation, edition in wanted:
        _read(citation, edition, found, findings)
    absent = _absent_notes(findings, laws, texts)
    notes = [*findings.notes, *absent, *_state_notes(wanted, findings, laws), *_other_notes(question, citations, laws)]
    articles = tuple(CitedArticle(name, *found[name], _unique(spans)) for name, spans in findings.spans.items())
    return Cited(articles, tuple(dict.fromkeys(notes)), len(at_hand) < len(citations) or bool(absent))


def _statutes(citations: Iterable[Citation], laws: Laws, findings: _Findings) -> list[tuple[Citation, Edition]]:
    """Return the citations of statutes at hand with their editions; the others, and guesses, get their notes."""
    wanted = []
    for citation in citations:
        key = citation.key
        if citation.guessed:
            findings.notes.append(_josa(f"'{citation.name}'", "을", "를") + " " + _read_as(laws.title(key)))
        if key and key not in laws.editions and (became := _became(key)):
            title, same_numbers = became
            findings.notes.append(_renamed_note(laws.title(key), title, same_numbers))
            if not same_numbers:
                continue
            key = normalize_title(title)
        edition = laws.editions.get(key)
        if edition is None:
            findings.notes.append(_unknown_note(citation, key, laws))
        else:
            wanted.append((citation, edition))
    return wanted


def _through(wanted: Iterable[tuple[Citation, Edition]], texts: Texts) -> list[tuple[Citation, Edition]]:
    """Add what a range passes over without naming it: between 제297조 and 제299조 also 제297조의2."""
    outlines: dict[str, dict[int, list[str]]] = {}
    result: list[tuple[Citation, Edition]] = []
    for citation, edition in wanted:
        result.append((citation, edition))
        key = article_key(citation.label)
        if not citation.through or len(key) != 1:
            continue
        if edition.key not in outlines:
            outlines[edition.key] = _branches(texts, edition)
        for label in outlines[edition.key].get(key[0], []):
            result.append((_at(citation, label), edition))
    return result


def _branches(texts: Texts, edition: Edition) -> dict[int, list[str]]:
    branches: dict[int, list[str]] = defaultdict(list)
    for label, _, _ in texts.outline(edition):
        key = article_key(label)
        if len(key) > 1 and "[" not in label:
            branches[key[0]].append(label)
    return branches


def _at(citation: Citation, label: str) -> Citation:
    where = (citation.start, citation.end, citation.key)
    return Citation(citation.name, label, None, None, *where, guessed=citation.guessed, through=True)


def _ids(wanted: Iterable[tuple[Citation, Edition]]) -> list[str]:
    """Ids of the articles, and of a second article of the same number where a statute has one."""
    ids = (f"{article_id(edition, c.label)}{second}" for c, edition in wanted for second in ("", " [2]"))
    return list(dict.fromkeys(ids))


def _read(
    citation: Citation, edition: Edition, found: Mapping[str, tuple[Edition, Article]], findings: _Findings
) -> None:
    identity = article_id(edition, citation.label)
    if identity not in found:
        findings.absent[edition.key].append(citation.label)
        return
    place = Place(citation.paragraph, citation.subparagraph, citation.item)
    article = found[identity][1]
    spans = place_spans(article, place)
    findings.spans.setdefault(identity, []).extend(spans)
    if (second := f"{identity} [2]") in found:
        findings.spans.setdefault(second, []).extend(place_spans(found[second][1], place))
    if article.deleted:
        findings.deleted[edition.key].append(citation.label)
    elif place != Place() and not spans:
        findings.notes.append(_no_place(edition, article, place))
    elif spans and all(_is_deleted(article.text[start:end]) for start, end in spans):
        cited = f"「{edition.title}」 {article.label}{place.render()}"
        findings.notes.append(_josa(cited, "은", "는") + " 삭제되었습니다.")


# Places in an article


def place_spans(article: Article, place: Place) -> list[tuple[int, int]]:
    """Return where a cited place stands in `article.text`, [] where the article has no such place.

    A 호 without a 항 is sought in all of them. The article itself (an empty place) has no span.
    """
    if place == Place():
        return []
    spans = []
    for paragraph, (start, end) in zip(article.paragraphs, article.paragraph_spans(), strict=True):
        if place.paragraph and paragraph.number != place.paragraph:
            continue
        if place.subparagraph is None:
            spans.append((start, end))
        else:
            spans += [(start + a, start + b) for a, b in _line_spans(paragraph.lines, place)]
    return spans


def _line_spans(lines: Sequence[Line], place: Place) -> list[tuple[int, int]]:
    """Return the spans, within a paragraph's text, of a 호 or 목 with what hangs from it."""
    spans: list[tuple[int, int]] = []
    position, inside, taken = 0, False, 0
    for line in lines:
        end = position + len(line.render())
        if line.depth == 1 and line.label:
            inside = line.label.rstrip(".") == place.subparagraph
        elif line.depth < 1:
            inside = False
        is_item = line.depth == 2 and bool(line.label)
        opens = inside and (
            line.label.rstrip(".") == place.item if place.item and is_item else not place.item and line.depth == 1
        )
        if opens and line.label:
            spans.append((position + 2 * line.depth, end))
            taken = line.depth
        elif taken and inside and (line.depth > taken or (line.depth == taken and not line.label)):
            spans[-1] = (spans[-1][0], end)
        else:
            taken = 0
        position = end + 1
    return spans


def _is_deleted(text: str) -> bool:
    return re.fullmatch(r"\s*\S{1,6}?\s*삭제\s*", strip_marks(text)) is not None


def _no_place(edition: Edition, article: Article, place: Place) -> str:
    """Say that an article has no such 항, 호 or 목, and which it has."""
    here = f"「{edition.title}」 {article.label}"
    numbers = [p.number for p in article.paragraphs if p.number]
    if place.paragraph and place.paragraph not in numbers:
        has = f"제1항부터 제{max(numbers)}항까지 있습니다." if numbers else "항이 나뉘어 있지 않습니다."
        if len(numbers) == 1:
            has = f"제{numbers[0]}항만 있습니다."
        return f"{here}에 제{place.paragraph}항은 없습니다. {has}"
    above = Place(place.paragraph, place.subparagraph if place.item else None)
    within = here + above.render()
    if place.item and place_spans(article, above):
        return f"{within}에 {Place(item=place.item).render()}은 없습니다."
    within = here + Place(place.paragraph).render()
    return f"{within}에 " + _josa(Place(subparagraph=place.subparagraph).render(), "은", "는") + " 없습니다."


# Notes


def _absent_notes(findings: _Findings, laws: Laws, texts: Texts) -> list[str]:
    notes = []
    for key, labels in findings.absent.items():
        edition = laws.editions[key]
        known = [label for label, _, _ in texts.outline(edition) if any(article_key(label))]
        has = "" if edition.repealed else " 조로 나뉘어 있지 않은 법령입니다."
        if known:
            first, last = min(known, key=article_key), max(known, key=article_key)
            has = f" {first}부터 {last}까지 있습니다." if first != last else f" {first}만 있습니다."
        notes.append(f"「{edition.title}」에 {_josa(_listed(labels), '은', '는')} 없습니다.{has}")
    return notes


def _state_notes(wanted: Iterable[tuple[Citation, Edition]], findings: _Findings, laws: Laws) -> list[str]:
    """Say which articles are deleted and which statutes repealed."""
    notes = [
        f"「{laws.editions[key].title}」 {_josa(_listed(labels), '은', '는')} 삭제된 조문입니다."
        for key, labels in findings.deleted.items()
    ]
    repealed = {edition.key: edition for _, edition in wanted if edition.repealed}
    return notes + [_josa(f"「{edition.title}」", "은", "는") + " 폐지된 법령입니다." for edition in repealed.values()]


def _other_notes(question: str, citations: Iterable[Citation], laws: Laws) -> list[str]:
    """Say what became of statutes that are named without an article."""
    cited = {citation.key for citation in citations}
    notes = []
    for name in laws.find(question):
        became = _became(name.key) if name.key not in laws.editions and name.key not in cited else None
        if became:
            notes.append(_renamed_note(laws.title(name.key), *became, cited=False))
    return notes


def _unknown_note(citation: Citation, key: str, laws: Laws) -> str:
    if refers_back(citation.name) and not key:
        return (
            f"'{citation.name} {citation.label}'가 어느 법령의 조문인지 알 수 없습니다. 법령 이름을 함께 적어 주십시오."
        )
    title = laws.title(key) if key else ""
    named = f"'{citation.name}'" if not title or normalize_title(citation.name) == key else f"「{title}」"
    candidates = () if key else laws.guess(citation.name)[1]
    near = f" 이름이 비슷한 법령: {', '.join(f'「{candidate}」' for candidate in candidates)}." if candidates else ""
    return f"{named}은(는) 지금 들어 있는 법령 가운데 없습니다.{near}"


def _became(key: str) -> tuple[str, bool] | None:
    """Return (current title, whether the numbers are the same) of a statute that goes by another name now."""
    base, _ = split_subordinate(key)
    if key in renamed():
        return renamed()[key].title, renamed()[key].same_numbers
    # Whether the new act has a decree of that kind is not known: the act itself is named.
    return (renamed()[base].title, False) if base in renamed() else None


def _renamed_note(old: str, title: str, same_numbers: bool, cited: bool = True) -> str:
    now = _josa(f"「{title}」", "으로", "로")
    if same_numbers:
        return _josa(f"「{old}」", "은", "는") + f" 이름이 {now} 바뀌었습니다."
    numbers = " 조문 번호가 서로 달라 같은 번호의 조문을 대신 보이지 않습니다." if cited else ""
    return _josa(f"「{old}」", "은", "는") + f" 지금은 없는 법령으로, {now} 바뀌거나 대체되었습니다.{numbers}"


def _read_as(title: str) -> str:
    return _josa(f"「{title}」", "으로", "로") + " 읽었습니다."


def _listed(labels: Sequence[str]) -> str:
    unique = list(dict.fromkeys(labels))
    if len(unique) <= _MOST_LABELS:
        return ", ".join(unique)
    return f"{', '.join(unique[:3])} 등 {len(unique)}개 조"


_READ_DIGITS = dict(zip("0123456789", "영일이삼사오육칠팔구", strict=True))


def _josa(word: str, after_consonant: str, after_vowel: str) -> str:
    """Return a word with the particle that its last sound takes."""
    letters = re.sub(r"[^가-힣0-9]", "", word)
    last = _READ_DIGITS.get(letters[-1:], letters[-1:] or "가")
    final = (ord(last) - ord("가")) % 28
    closed = final > 0 and not (after_consonant == "으로" and final == 8)  # ㄹ takes 로
    return word + (after_consonant if closed else after_vowel)


def _unique(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple(dict.fromkeys(spans))
