"""Reads citations of articles out of a question: '민법 제750조', '주임법 3조의3 ②', '같은 법 시행령 제7조'.

The only place with that grammar; `rag.laws` says which statute a name stands for. An article is followed by what of it
is cited, 항, 호 and 목, alone, in lists and in ranges; each place becomes a `Citation` of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rag.laws import PARTICLES, Laws, Name, abbreviations, named_laws, split_subordinate
from rag.places import Place, read_places
from rag.statutes import CIRCLED

__all__ = ["Citation", "Laws", "abbreviations", "find_citations", "last_law", "named_laws", "refers_back"]

_NUMBER = r"(?:제\s*\d(?:\s*\d){0,5}|(?<!\d)\d{1,6})"
# 의2, also written 839조2 and 839조-2; but '3조의 2항', '5조의 3가지 요건', '3조2교대' have no such part.
_NOT_A_BRANCH = r"(?!\d|\s*(?:항|호(?!의)|조|목|교대|개|명|년|월|일|가지|차례|인\s|[천백십만억]|원))"
_BRANCH = rf"(?:(?:\s*의\s*\d{{1,3}}{_NOT_A_BRANCH})+|-?\d{{1,2}}{_NOT_A_BRANCH})?"
_DASH = r"[-~〜～∼–—‐−]"
_AFTER_BARE = r"(?!\s*(?:\d|[.,]\d|조|항|호|편|장|절|년|월|일|세|살|명|인|개|시|분|번|%|[천백십만억]|원))"
_HEAD = re.compile(
    rf"(?P<first>{_NUMBER})(?:\s*조(?P<first_branch>{_BRANCH}))?\s*(?P<to>부터|에서|내지|{_DASH})\s*"
    rf"(?P<last>{_NUMBER})\s*조(?P<last_branch>{_BRANCH})(?P<until>\s*까지)?"
    rf"|(?P<list>{_NUMBER}(?:\s*[,ㆍ·]\s*\d{{1,4}}){{1,49}})\s*조(?P<list_branch>{_BRANCH})"
    rf"|(?P<one>{_NUMBER})\s*조(?P<one_branch>{_BRANCH})"
    rf"|(?P<bare>{_NUMBER})\s*(?P<bare_to>{_DASH})\s*(?P<bare_last>\d{{1,4}}){_AFTER_BARE}"
    rf"|(?<![가-힣])(?:같\s*은|동)\s*(?P<same>조)(?=\s*(?:제\s*)?\d{{1,2}}\s*항|\s*[{CIRCLED}])"
)
_SUM_OR_SHIFT = re.compile(
    r"조(?:\s{0,9}의)?\s{0,9}(?:[\d,.]{1,24}\s{0,9}[천백십만억]|\d\s{0,9}교대|[몇수여]?[\d,.\s천백십만억]{0,24}"
    r"(?:원(?![칙인고심상래본리천])|달러|엔(?![가-힣])|유로|위안))"
)
_LONGEST_STATUTE = 1500
_WIDEST_RANGE = 2000

_GLUE = re.compile(rf"[\s「」『』<>()\[\],.:;'\"“”‘’]*(?:{PARTICLES}(?![가-힣]))?[\s「」『』<>()\[\],.:;'\"“”‘’]*")
_ADDENDUM = re.compile(r"부\s*칙\s*(?:[<(][^<>()]*[>)])?\s*$")
_WHOLE = rf"(?=$|[^가-힣]|{PARTICLES}(?![가-힣]))"
_APPENDED = re.compile(
    rf"(?:(?<![가-힣])|(?<=[법령칙]))(?:"
    rf"별\s?지\s*(?:제\s*)?(?P<form>\d{{1,3}})\s*호(?:\s*의\s*(?P<form_branch>\d{{1,2}}))?(?:\s*서식)?"
    rf"|(?P<annex>별\s?표){_WHOLE}(?:\s*(?:제\s*)?(?P<number>\d{{1,3}})(?!\d|\s*[개장조항])"
    rf"(?:\s*의\s*(?P<branch>\d{{1,2}}))?(?:\s*호)?)?"
    rf"|부\s?칙{_WHOLE}"
    rf"(?:\s*[<(\[]?\s*(?:[가-힣]{{1,12}}\s*)?제\s*(?P<decree>\d{{1,6}})\s*호[^<>()\[\]]{{0,30}}[>)\]]?)?"
    rf"(?:\s*(?:제\s*)?(?P<article>\d{{1,3}})\s*조(?P<article_branch>{_BRANCH}))?)"
)
_BACK = (
    r"(?:(?:같\s*은|이|그|위|본|해당|당해)\s*(?:법\s*률|법|시행령|시행규칙|영|규칙)|동\s*(?:법\s*률|법|시행령|시행규칙|영)"
    r"|(?:같\s*은|동)(?=\s*시\s*행)|법|시\s*행\s*령|시\s*행\s*규\s*칙|영)\s*(?:시\s*행\s*(?:령|규\s*칙))?"
)
_REFERS_BACK = re.compile(rf"(?:(?<![0-9A-Za-z가-힣])|(?<=[조항호목\d][와과및]))({_BACK})\s*{PARTICLES}?\s*$")
_QUOTED = re.compile(rf"[「『]([^「」『』]{{2,80}})[」』]\s*(시행령|시행규칙)?\s*{PARTICLES}?\s*$")
_WORDS = re.compile(r"((?:[0-9A-Za-z가-힣ㄱ-ㅣㆍ·]+[^\S\n]+)*[0-9A-Za-z가-힣ㄱ-ㅣㆍ·]+)[\s(<「」『』:,]*$")
_LAW_WORD = re.compile(r"[가-힣](?:법률|법|시행령|시행규칙|규칙|규정)$|^(?:법률|시행령|시행규칙)$")
_NO_LAW = re.compile(
    r"(?:방|불|위|적|합|사|입|편|탈|준|해|기|수|요|화|문|용|무|범|악|신|구|일반|현행|국내|상위|특별|개정|관련|해당|"
    r"계산|사용|이용|작성|처리|해결|조리)법$|^(?:이|그|위|본|해당)?(?:규정|규칙)$"
)
_PRIVATE = re.compile(
    r"(?:계약서?|약관|정관|협약|합의서|규약|조례|조약|협정|내규|세칙|지침|고시|훈령|예규|취업\s*규칙)$"
)
_NOT_IN_A_NAME = re.compile(r"(?:은|는|을|를|고|면|요|다|까|야|서|며|랑|와)$|^(?:그럼|그리고|그런데|또|혹시|및|또는)$")
_TRAILING_PARTICLE = re.compile(rf"{PARTICLES}$")
_MOST_WORDS = 8
_FARTHEST = 200
"""How many characters before an article are read for what it is an article of, if no known name is there."""
_BARE = ("법", "영", "시행령", "시행규칙")


@dataclass(frozen=True, slots=True)
class Citation:
    """An article as cited: the name as written before it ('' where there is none), its label, 항, 호 and 목.

    `start:end` is where it stands in the text's NFC form; `key` is the statute it resolves to, '' if none. `guessed`
    means that the name is only the beginning of that statute's title or nearly it; `through`, that it is in a range
    that goes on after it, so that the articles between it and the next (제3조의2) are cited too.
    """

    name: str
    label: str
    paragraph: int | None
    subparagraph: str | None
    start: int
    end: int
    key: str = ""
    item: str | None = None
    guessed: bool = False
    through: bool = False

    def render(self) -> str:
        """Return the citation in the form of the statutes themselves: 민법 제750조제1항제2호가목."""
        place = Place(self.paragraph, self.subparagraph, self.item)
        return (self.name + " " if self.name else "") + self.label + place.render()


@dataclass(frozen=True, slots=True)
class AppendedCitation:
    """An addendum or annex as cited: the name as written before it, the key it resolves to ('' for none), its label.

    `label` is 부칙, 별표, 별표 1의2 or 별지 제3호의2서식; of a 부칙 `number` is the promulgation number and `article`
    the article of it that is cited, '' where they are not. `start:end` is where it stands in the text's NFC form.
    """

    name: str
    key: str
    label: str
    start: int
    end: int
    number: str = ""
    article: str = ""

    def render(self) -> str:
        """Return the citation without its statute: 부칙 <제8372호> 제3조."""
        return " ".join(filter(None, [self.label, f"<제{self.number}호>" if self.number else "", self.article]))


@dataclass(frozen=True, slots=True)
class _Naming:
    """The statute that an article belongs to: name as written, key, whether it was guessed."""

    name: str = ""
    key: str = ""
    guessed: bool = False


def find_citations(text: str, laws: Laws, previous: str = "") -> list[Citation]:
    """Return the articles cited in `text`, in order.

    `previous` is the key of the statute that '같은 법' means before any is named. An article with no name directly
    before it belongs to the statute named last ('민법 제750조와 제751조'). A name that is not known is kept as
    written, with an empty key: the caller says so instead of guessing.
    """
    text = unicodedata.normalize("NFC", text)
    names = laws.find(text)
    citations: list[Citation] = []
    naming = _Naming(laws.title(previous), previous) if previous else _Naming()
    after = position = 0
    while head := _HEAD.search(text, position):
        position = head.start() + 1
        labels = _labels(head, citations)
        inside = any(name.start <= head.start() < name.end for name in names)  # 관세법 제69조에 따른 … 규정
        if inside or not labels or _ADDENDUM.search(text, max(after, head.start() - _FARTHEST), head.start()):
            position = head.start(head.lastgroup or 0) if inside else _past_number(head)
            continue
        before = [name for name in names if after <= name.start and name.end <= head.start()]
        if (head["list"] or head["bare"]) and not _adjoins(text, before, head.start()):
            position = _past_number(head)
            continue
        owner, naming = _owner(text[after : head.start()], after, text, before, laws, naming)
        places, after = read_places(text, head.end())
        position = after
        citations += _cite(owner, labels, places, head)
    return citations


def find_appended(text: str, laws: Laws, previous: str = "") -> list[AppendedCitation]:
    """Return the addenda and annexes cited in `text`, in order; whose they are is read as of articles."""
    text = unicodedata.normalize("NFC", text)
    heads = list(_APPENDED.finditer(text))
    names = laws.find(text) if heads else []
    articles = find_citations(text, laws, previous) if heads else []
    naming = _Naming(laws.title(previous), previous) if previous else _Naming()
    found: list[AppendedCitation] = []
    after = 0
    for head in heads:
        for article in articles:
            if after < article.end <= head.start():
                naming, after = _Naming(article.name, article.key, article.guessed), article.end
        if any(name.start <= head.start() < name.end for name in names):
            continue
        before = [name for name in names if after <= name.start and name.end <= head.start()]
        owner, naming = _owner(text[after : head.start()], after, text, before, laws, naming)
        after = head.end()
        found.append(_appended(head, owner))
    return found


def _appended(head: re.Match[str], owner: _Naming) -> AppendedCitation:
    where = (owner.name, owner.key)
    if head["form"]:
        branch = f"의{int(head['form_branch'])}" if head["form_branch"] else ""
        return AppendedCitation(*where, f"별지 제{int(head['form'])}호{branch}서식", head.start(), head.end())
    if head["annex"]:
        number = f" {int(head['number'])}" if head["number"] else ""
        branch = f"의{int(head['branch'])}" if head["branch"] else ""
        return AppendedCitation(*where, f"별표{number}{branch}", head.start(), head.end())
    article = _label(head["article"], head["article_branch"]) if head["article"] else ""
    number = head["decree"].lstrip("0") if head["decree"] else ""
    return AppendedCitation(*where, "부칙", head.start(), head.end(), number, article)


def last_law(texts: Sequence[str], laws: Laws) -> str:
    """Return the key of the statute that was cited or named last in a conversation, '' if none was."""
    key = ""
    for text in texts:
        citations = find_citations(text, laws, key)
        named = named_laws(text, laws)
        if citations and citations[-1].key:
            key = citations[-1].key
        elif named:
            key = named[-1]
    return key


def refers_back(name: str) -> bool:
    """Whether a name only points to a statute named before: '같은 법', '동법 시행령', '시행령'."""
    return re.fullmatch(_BACK, name) is not None


def _cite(
    owner: _Naming, labels: Sequence[str], places: Sequence[tuple[Place, int]], head: re.Match[str]
) -> list[Citation]:
    """One citation for every article of the head; what is said of 항, 호, 목 is said of the last one."""
    start, end = head.start(), head.end()
    cited: list[Citation] = [
        Citation(
            owner.name, label, None, None, start, end, owner.key, None, owner.guessed, bool(head["to"] or head["bare"])
        )
        for label in labels[:-1]
    ]
    for place, until in places or [(Place(), end)]:
        where = (place.paragraph, place.subparagraph, start, until)
        cited.append(Citation(owner.name, labels[-1], *where, owner.key, place.item, owner.guessed))
    return cited


# The head: 제750조, 399~401조, 750·751조, 839-2


def _past_number(head: re.Match[str]) -> int:
    digits = re.compile(r"\D*\d+").match(head.string, head.start(), head.end())
    return digits.end() if digits else head.end()


def _labels(head: re.Match[str], earlier: Sequence[Citation]) -> list[str]:
    """Return the labels that a head cites, [] where it is no citation."""
    if head["same"]:
        return [earlier[-1].label] if earlier else []
    if _is_sum(head):
        return []
    if head["list"]:
        numbers = re.findall(r"\d+", head["list"])
        labels = [_label(number) for number in numbers[:-1]] + [_label(numbers[-1], head["list_branch"])]
        return labels if all(labels) else []
    if head["one"]:
        return [label] if (label := _label(head["one"], head["one_branch"])) else []
    if head["bare"]:
        return _bare(head)
    return _range(head)


def _is_sum(head: re.Match[str]) -> bool:
    """Whether the number is money (5조 원, 1조 2천억) or a shift (3조 2교대), or the tail of one (1,000조)."""
    text, start = head.string, head.start()
    if head[0].startswith("제"):
        return False
    for jo in re.finditer("조", head[0]):
        if _SUM_OR_SHIFT.match(text, start + jo.start()):
            return True
    return re.search(r"\d[,.]$", text[:start]) is not None and re.match(r"\d{3}\s*조", head[0]) is not None


def _label(number: str, branch: str | None = "") -> str:
    main = int(re.sub(r"\D", "", number))
    return f"제{main}조" + "".join(f"의{int(n)}" for n in re.findall(r"\d+", branch or "")) if main else ""


def _bare(head: re.Match[str]) -> list[str]:
    first, last = int(re.sub(r"\D", "", head["bare"])), int(head["bare_last"])
    if not 0 < first <= _LONGEST_STATUTE or last == 0:
        return []
    if head["bare_to"] == "-" and last < 100:
        return [f"제{first}조의{last}"]
    return _between((first,), (last,)) if first < last <= _LONGEST_STATUTE else []


def _range(head: re.Match[str]) -> list[str]:
    first, last = _key(head["first"], head["first_branch"]), _key(head["last"], head["last_branch"])
    if head["first_branch"] is None and head["to"] == "-" and last[0] < min(first[0], 100) and not head["last_branch"]:
        return [f"제{first[0]}조의{last[0]}"] if first[0] and last[0] else []  # 839-2조
    if not first[0] or not last[0]:
        return []
    plain = head["first_branch"] is None and head["to"] in ("부터", "에서", "내지")
    if plain or (head["to"] == "에서" and not head["until"]) or first >= last:
        return [_label(head["first"], head["first_branch"])] if head["first_branch"] is not None else []
    return _between(first, last)


def _key(number: str, branch: str | None) -> tuple[int, ...]:
    return (int(re.sub(r"\D", "", number)), *map(int, re.findall(r"\d+", branch or "")))


def _between(first: tuple[int, ...], last: tuple[int, ...]) -> list[str]:
    """Return the labels from first to last, as far as numbers alone tell: 제3조의2, 제3조의3; 제399조, 제400조."""
    keys = [first]
    if first[0] == last[0] and len(first) <= 2 == len(last):
        keys += [(first[0], n) for n in range(first[1] + 1 if len(first) == 2 else 2, last[1])]
    elif last[0] - first[0] <= _WIDEST_RANGE:
        keys += [(n,) for n in range(first[0] + 1, last[0] + (len(last) > 1))]
    return [f"제{key[0]}조" + "".join(f"의{n}" for n in key[1:]) for key in dict.fromkeys([*keys, last])]


# The statute


def _adjoins(text: str, before: Sequence[Name], start: int) -> bool:
    near = bool(before) and start - before[-1].end <= _FARTHEST
    return near and _GLUE.fullmatch(text, before[-1].end, start) is not None


def _owner(
    between: str, offset: int, text: str, before: Sequence[Name], laws: Laws, last: _Naming
) -> tuple[_Naming, _Naming]:
    """Return whose article it is that `between` leads up to, and whose the next is if nothing else is named."""
    known = _Naming(_written(text, before[-1]), before[-1].key) if before else None
    if known and _adjoins(text, before, offset + len(between)):
        return known, known
    last = known or last
    rest = text[before[-1].end : offset + len(between)] if before else between
    rest = rest[-_FARTHEST:]
    if quoted := _QUOTED.search(rest):
        name = " ".join(part.strip() for part in quoted.groups("")).strip()
        last = _guess([name], laws) or _Naming(name)
        return last, last
    words = _WORDS.search(rest)
    back = _REFERS_BACK.search(rest)
    if back and not (words and back[1].strip() in _BARE and _leads_to(words[1].split(), laws)):
        last = _same(re.sub(r"\s+", "", back[1]), back[1].strip(), laws, last)
        return last, last
    if not words:
        return last, last
    if _PRIVATE.search(words[1]):
        return _Naming(), last  # 이 계약서 제3조
    return (named, named) if (named := _by_words(words[1].split(), laws, last)) else (last, last)


def _leads_to(words: Sequence[str], laws: Laws) -> bool:
    """Whether words that end in '시행령' or '법' name an act of their own, known or not: '근로기준볍 시행령'."""
    if len(words) < 2:
        return False
    tails = [" ".join(words[start:]) for start in range(max(0, len(words) - _MOST_WORDS), len(words) - 1)]
    return bool(_LAW_WORD.search(words[-2]) and not _NO_LAW.search(words[-2])) or _guess(tails, laws) is not None


def _written(text: str, name: Name) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[「」『』]", "", text[name.start : name.end])).strip()


def _same(folded: str, written: str, laws: Laws, last: _Naming) -> _Naming:
    """Return what '같은 법', '동법 시행령', '시행령' and '법' stand for after `last`."""
    suffix = "시행규칙" if folded.endswith("시행규칙") else "시행령" if folded.endswith(("시행령", "영")) else ""
    if not last.key:
        name = f"{last.name} {suffix}".strip() if last.name and not refers_back(last.name) else written
        return _Naming(name)
    base, _ = split_subordinate(last.key)
    key = base + suffix if suffix else base if folded == "법" else last.key
    return last if key == last.key else _Naming(laws.title(key), key)


def _by_words(words: Sequence[str], laws: Laws, last: _Naming) -> _Naming | None:
    """Return what the words right before an article name though no name is found there, None if they name nothing."""
    stripped = _TRAILING_PARTICLE.sub("", words[-1])
    endings = [words[-1]] + ([stripped] if stripped not in ("", words[-1]) else [])
    heads = [words[n:-1] for n in range(max(0, len(words) - _MOST_WORDS), len(words))]
    spellings = [" ".join([*head, end]) for head in heads for end in endings]
    ordinary = _NO_LAW.search(words[-1]) is not None
    if guessed := _guess(spellings, laws, slips=not ordinary):
        return guessed
    if ordinary:
        return None
    if law_word := next((end for end in endings if _LAW_WORD.search(end)), ""):
        return _Naming(_unknown_name([*words[:-1], law_word]))
    if not last.key and not last.name:  # the beginning of several titles
        return next((_Naming(spelling) for spelling in spellings if laws.guess(spelling)[1]), None)
    return None


def _guess(spellings: Sequence[str], laws: Laws, *, slips: bool = True) -> _Naming | None:
    for spelling in spellings:
        if key := laws.resolve(spelling):
            return _Naming(spelling, key)
    for spelling in spellings:
        key, _ = laws.guess(spelling, slips=slips)
        if key:
            return _Naming(spelling, key, guessed=True)
    return None


def _unknown_name(words: Sequence[str]) -> str:
    """Return how much of `words` is the name of a statute: the last, or, before 'a 에 관한 법률', what leads to it."""
    start = len(words) - 1
    if words[-1] in ("법률", "시행령", "시행규칙", "규칙", "규정"):
        while start and len(words) - start < 2 * _MOST_WORDS and not _NOT_IN_A_NAME.search(words[start - 1]):
            start -= 1
    return " ".join(words[start:])
