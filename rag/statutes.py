"""The data types of the field: editions, articles, paragraphs, chunks, hits; their ids. No I/O, no libraries."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

LAW_GO_KR = "https://www.law.go.kr/법령/"

PREAMBLE = "전문"
"""Label of the text before the first article (대한민국헌법 has one)."""

BODY = "본문"
"""Label of the whole text of a statute that has no articles."""

UNDETERMINED = date(9999, 1, 1)
"""The effective date, in the official data, of a text whose date is not determined yet."""

CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳㉑㉒㉓㉔㉕㉖㉗㉘㉙㉚㉛㉜㉝㉞㉟㊱㊲㊳㊴㊵㊶㊷㊸㊹㊺㊻㊼㊽㊾㊿"

_MIDDLE_DOTS = str.maketrans(dict.fromkeys("·‧•・∙⋅･᛫", "ㆍ"))


def normalize_title(title: str) -> str:
    """Return a statute title for comparison: NFC, no white space, every middle dot as ㆍ, no 「」."""
    folded = unicodedata.normalize("NFC", title).translate(_MIDDLE_DOTS)
    return re.sub(r"[\s「」『』]+", "", folded)


def base_key(key: str) -> str:
    """Return the key of the act that a 시행령 or 시행규칙 is named after, or the key itself."""
    return key.removesuffix("시행규칙").removesuffix("시행령")


_ARTICLE_LABEL = re.compile(r"제?(\d+)조(?:의(\d+))?(?:의(\d+))?(?:\[\d+\])?")


def article_key(label: str) -> tuple[int, ...]:
    """Return a label's place in its statute, e.g. 제3조의2 -> (3, 2); labels without a number come first."""
    match = _ARTICLE_LABEL.fullmatch(re.sub(r"\s+", "", label))
    return tuple(int(part) for part in match.groups() if part) if match else ()


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line of an article: a 항, 호, 목 or finer division, or text without a label.

    `depth` is 0 for body text and 항, 1 for 호, 2 for 목, 3 for 1), 4 for 가); a line without a label has the
    depth of the division it continues.
    """

    depth: int
    label: str
    text: str

    def render(self) -> str:
        """Return the line as it is shown, indented by two spaces a depth."""
        return "  " * self.depth + " ".join(part for part in (self.label, self.text) if part)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A 항 with its 호 and 목; `number` is None for text that stands before or without numbered 항."""

    number: int | None
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The paragraph as it is shown."""
        return "\n".join(line.render() for line in self.lines)


@dataclass(frozen=True, slots=True)
class Article:
    """A 조: the unit of answer. `divisions` are the headings of 편, 장, 절, 관 it stands under, outermost first."""

    label: str
    title: str
    paragraphs: tuple[Paragraph, ...]
    divisions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The article's text as it is shown, amendment marks and all, without its heading."""
        return "\n".join(paragraph.text for paragraph in self.paragraphs)

    @property
    def heading(self) -> str:
        """E.g. 제750조(불법행위의 내용)."""
        return f"{self.label}({self.title})" if self.title else self.label

    @property
    def deleted(self) -> bool:
        """Whether nothing is left of the article but its number (and a 삭제 mark)."""
        return strip_marks(self.text) in ("", "삭제")

    def paragraph_spans(self) -> list[tuple[int, int]]:
        """Return (start, end) of every paragraph in `text`; the spans and the newlines between them make it up."""
        spans, start = [], 0
        for paragraph in self.paragraphs:
            end = start + len(paragraph.text)
            spans.append((start, end))
            start = end + 1
        return spans


@dataclass(frozen=True, slots=True)
class Addendum:
    """A 부칙: its heading line (부칙 <제8372호,2007.4.11>) and its text."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Annex:
    """A 별표 or 별지 서식: 별표 1의2 or 별지 제3호서식, its title; text and the address of its file where known."""

    label: str
    title: str = ""
    text: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Edition:
    """What identifies one version of a statute. Dates are None where the source does not give them."""

    title: str
    kind: str = ""
    law_id: str = ""
    number: str = ""
    promulgated: date | None = None
    effective: date | None = None
    ministries: tuple[str, ...] = ()
    abbreviation: str = ""
    repealed: bool = False
    source: str = ""

    @property
    def key(self) -> str:
        """The normalised title: two editions with one key are versions of one statute."""
        return normalize_title(self.title)

    @property
    def statute_id(self) -> str:
        """법령ID, or the normalised title where the source has none."""
        return self.law_id or self.key

    @property
    def version(self) -> tuple[date, date, str]:
        """What orders editions of a statute: effective date, promulgation date, number."""
        return (self.effective or date.min, self.promulgated or date.min, self.number.zfill(6))

    @property
    def designation(self) -> str:
        """Kind and number, as far as known: 법률 제21454호."""
        return " ".join(part for part in (self.kind, f"제{self.number}호" if self.number else "") if part)

    @property
    def effective_text(self) -> str:
        """The effective date as it is shown: 2027-01-01, 미정 where it is not determined yet, '' where not known."""
        if self.effective is None:
            return ""
        return "미정" if self.effective >= UNDETERMINED else self.effective.isoformat()

    @property
    def effective_phrase(self) -> str:
        """The effective date as a card states it: 2027-01-01 시행, 시행일 미정, 시행일 미상."""
        if self.effective is None:
            return "시행일 미상"
        return "시행일 미정" if self.effective >= UNDETERMINED else f"{self.effective_text} 시행"

    def coming(self, today: date) -> bool:
        """Whether this text takes effect only after `today`."""
        return self.effective is not None and self.effective > today

    def in_force(self, today: date) -> bool:
        """Whether this text is the law on `today`, as far as its dates say."""
        return not self.repealed and not self.coming(today)


@dataclass(frozen=True, slots=True)
class Statute:
    """A statute as read from one source. `warnings` say, in Korean, what was odd but kept."""

    edition: Edition
    articles: tuple[Article, ...]
    addenda: tuple[Addendum, ...] = ()
    warnings: tuple[str, ...] = ()
    annexes: tuple[Annex, ...] = ()

    @property
    def living(self) -> tuple[Article, ...]:
        """The articles that are not deleted."""
        return tuple(article for article in self.articles if not article.deleted)

    def fingerprint(self) -> str:
        """Return a hash of everything that is stored of it, the name of its source aside."""
        edition = self.edition
        parts: list[str] = [
            edition.title, edition.kind, edition.law_id, edition.number, str(edition.promulgated),
            str(edition.effective), *edition.ministries, edition.abbreviation, str(edition.repealed),
        ]  # fmt: skip
        for article in self.articles:
            parts += [article.label, article.title, *article.divisions, article.text]
        for addendum in self.addenda:
            parts += [addendum.heading, addendum.text]
        for annex in self.annexes:
            parts += [annex.label, annex.title, annex.text, annex.url]
        return digest(parts)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The unit of search: `start:end` of an article's text; `text` is what is embedded, header first."""

    id: str
    article_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """What one article says of another; `source` and `target` are (statute key, article label).

    `kind` is delegation (a decree's article -> what it carries out), citation, penalty (a penal clause -> what it
    punishes the violation of) or definition (a user of `word` -> the article that defines it).
    """

    kind: str
    source: tuple[str, str]
    target: tuple[str, str]
    word: str = ""


@dataclass(frozen=True, slots=True)
class Coming:
    """What an article becomes on the effective date of an edition to come; `article` is None where it is dropped."""

    edition: Edition
    article: Article | None


@dataclass(frozen=True, slots=True)
class Hit:
    """An article found for a question, or an addendum or annex in the shape of one (`rag.appended`).

    `score` is the cosine similarity of question and best chunk, in [-1, 1]; `signals` name what found it;
    `highlight` are (start, end) spans of `article.text`, best first. `coming` is what the article is about to become;
    `link` is the address of an annex's file.
    """

    article_id: str
    edition: Edition
    article: Article
    score: float
    signals: tuple[str, ...]
    highlight: tuple[tuple[int, int], ...] = ()
    coming: Coming | None = None
    link: str = ""

    @property
    def url(self) -> str:
        """The official text, opened at the article."""
        return self.link or official_url(self.edition.title, self.article.label)


def article_id(edition: Edition, label: str) -> str:
    """Return an article's stable id, e.g. 001706:제750조."""
    return f"{edition.statute_id}:{label}"


def chunk_id(of_article: str, ordinal: int) -> str:
    """Return a chunk's stable id, e.g. 001706:제750조#0."""
    return f"{of_article}#{ordinal}"


def appended_id(edition: Edition, label: str) -> str:
    """Return the id of an addendum or annex, which no article has, e.g. 007079+별표 28."""
    return f"{edition.statute_id}+{label}"


def is_appended(identity: str) -> bool:
    """Whether an id is that of an addendum or annex."""
    return "+" in identity


def official_url(title: str, label: str = "") -> str:
    """Return the address of a statute, or of one of its articles, on law.go.kr (an IRI: Hangul stays readable)."""
    parts = [normalize_title(title)]
    if article_key(label):
        parts.append(label.split(" ")[0])
    return LAW_GO_KR + "/".join(re.sub(r"[^\w.~()-]", lambda m: quote(m[0]), part) for part in parts)


def digest(parts: Iterable[str]) -> str:
    """Return a hash of a sequence of texts in which their borders count."""
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode()
        sha.update(len(data).to_bytes(8, "big"))
        sha.update(data)
    return sha.hexdigest()


# Amendment history inside the text: <개정 2013.8.13>, <신설 2015. 1. 6.>, [전문개정 2008.3.21], [제3조에서 이동 …].
_HISTORY = "개정|신설|삭제|제정|이동|시행일|종전|유효기간|판결|결정|선고|단순위헌|위헌|헌법불합치"
_ANGLE_MARK = re.compile(rf"<(?=[^<>]*(?:{_HISTORY}|\d{{4}}\s*\.))[^<>]{{0,600}}>")
_BRACKET_MARK = re.compile(rf"\[(?=[^\[\]]*\d{{4}}\s*\.)(?=[^\[\]]*(?:{_HISTORY}))[^\[\]]{{0,900}}\]")
_IMAGE = re.compile(r"\[그림: [^\]]*\]")
_HANJA_GLOSS = re.compile(r"\((?:[\u3400-\u9fff\uf900-\ufaff][\u3400-\u9fff\uf900-\ufaff\s,·ㆍ]*)\)")
_RULES = re.compile(r"[\u2500-\u257f]+")


def strip_marks(text: str) -> str:
    """Return text without amendment marks, Hanja glosses, image links and table rules: what is embedded."""
    for pattern in (_ANGLE_MARK, _BRACKET_MARK, _IMAGE, _HANJA_GLOSS):
        text = pattern.sub("", text)
    text = _RULES.sub(" ", text)
    lines = (re.sub(r"[ \t\u3000\xa0]+", " ", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


_FROM_A_DAY = re.compile(r"\[\s*시행일[^\]\n]*\][^\n]*")
_TYPOGRAPHY = str.maketrans(
    {**dict.fromkeys("“”„‟″", '"'), **dict.fromkeys("‘’‚‛′", "'"), **dict.fromkeys("∼～〜–—", "~")}
)


def wording(article: Article) -> str:
    """Return an article's title and text without marks, those of the day it takes effect with what they are of."""
    text = strip_marks(_FROM_A_DAY.sub("", article.text))
    return f"{article.title}\n{text}" if article.title else text


def fold_wording(text: str) -> str:
    """Return a wording without what sources print each in their way: spaces, kinds of quotes, dots and dashes."""
    folded = unicodedata.normalize("NFC", text).translate(_MIDDLE_DOTS).translate(_TYPOGRAPHY)
    return re.sub(r"\s+", "", folded)


def wording_key(article: Article) -> str:
    """Return what two texts of an article have in common exactly if no word of them differs."""
    return fold_wording(wording(article))


def passage(edition: Edition, article: Article, start: int, end: int) -> str:
    """Return what is embedded for a span of an article: its header, then the span without marks."""
    return f"{edition.title} {article.heading}\n{strip_marks(article.text[start:end])}"
