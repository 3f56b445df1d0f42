"""Chosen statutes from the Open API of law.go.kr, with the user's key: search by name, then each edition's text as XML.

What it says when it means no (looked up in 2026-11, see docs/sync.md): a page of HTML with status 200, also where
`eflaw` lacks `efYd`; a <Response> with 실패 in it for a key or address that is not registered; no results at all for
machines it does not like. None of these is ever taken for 'there is no such law'.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from xml.etree.ElementTree import Element

import httpx

from ingest.fetch import Patience, TryAgainError, fetch
from ingest.sources.markdown import decode
from ingest.sources.raw import is_html, parse_xml
from rag.errors import NetworkError, SettingsError, SourceError
from rag.statutes import base_key, normalize_title

NAME = "국가법령정보 Open API"
SURE = "민법"
"""A statute there is: where a search for it finds nothing, the API does not answer us."""

T = TypeVar("T")

_PAGE = 100
_MAX_PAGES = 60
_NOT_PROOF = "법령이 없다는 뜻은 아닙니다."


@dataclass(frozen=True, slots=True)
class Api:
    """Where the API is, and the user's key (OC)."""

    client: httpx.Client
    base: str
    key: str
    patience: Patience


@dataclass(frozen=True, slots=True)
class Listed:
    """An edition of a statute as the search lists it; `effective` is YYYYMMDD. Staggered enforcement gives several
    editions of one serial number (MST), each with an effective date of its own."""

    title: str
    abbreviation: str
    law_id: str
    serial: str
    effective: str
    status: str

    @property
    def key(self) -> str:
        """The normalised title."""
        return normalize_title(self.title)

    def coming(self, today: date) -> bool:
        """Whether it takes effect only after `today`."""
        return self.status == "시행예정" or self.effective > f"{today:%Y%m%d}"


def open_api(client: httpx.Client, base: str, key: str, patience: Patience) -> Api:
    """Return the API at an address. Raises SettingsError without a key or with an address that is none."""
    if not key:
        raise SettingsError(
            "국가법령정보 Open API의 인증값이 없습니다. https://open.law.go.kr 에서 신청해서 받은 값을 "
            "LAW_LAWGOKR_OC에 넣어 주십시오."
        )
    if not re.match(r"https?://", base):
        raise SettingsError("LAW_LAWGOKR_URL이 http(s) 주소가 아닙니다.")
    return Api(client, base.rstrip("/"), key, patience)


def find(api: Api, name: str, today: date, *, exact: bool) -> list[Listed]:
    """Return the edition in force and every one to come of the statute of that title or abbreviation, and of its
    decrees and rules unless `exact`.

    Raises SourceError where there is no such statute in force, and NetworkError where the API does not answer.
    """
    key = normalize_title(name)
    listed = [each for each in _search(api, name, "2,3") if each.status != "연혁"]
    keys = {each.key for each in listed if key in (each.key, *_abbreviations(each))}
    if not exact:
        keys |= {each.key for each in listed if base_key(each.key) in keys}
    if not keys:
        raise SourceError(_why_not_found(api, name, key))
    return [edition for each in sorted(keys) for edition in _living([e for e in listed if e.key == each], today)]


def text_of(api: Api, listed: Listed, today: date) -> bytes:
    """Return one edition's XML. Raises NetworkError where the API gives anything else."""

    def read(body: bytes) -> bytes:
        _check_text(_parse(body), listed)
        return body

    # Without efYd `eflaw` answers with a page of HTML since 2026-08-27.
    query = {"target": "eflaw", "MST": listed.serial, "efYd": listed.effective}
    try:
        return _ask(api, "lawService.do", query, read)
    except NetworkError:
        if listed.coming(today):
            raise
        return _ask(api, "lawService.do", {"target": "law", "MST": listed.serial}, read)


def _living(editions: list[Listed], today: date) -> list[Listed]:
    """Return of one statute's editions the one in force and all to come, each once, in the order they take effect."""
    each = sorted({(e.effective, e.serial): e for e in editions}.values(), key=lambda e: (e.effective, e.serial))
    return [e for e in each if not e.coming(today)][-1:] + [e for e in each if e.coming(today)]


def _check_text(root: Element, listed: Listed) -> None:
    info = root.find("기본정보")
    if root.tag != "법령" or info is None:
        said = re.sub(r"\s+", " ", "".join(root.itertext())).strip()[:80]
        raise NetworkError(f"{NAME}: '{listed.title}'의 조문 대신 다른 답을 보냈습니다('{said}'). {_NOT_PROOF}")
    if info.findtext("법령ID", "").strip().lstrip("0") != listed.law_id.lstrip("0"):
        raise NetworkError(f"{NAME}: '{listed.title}'이(가) 아닌 다른 법령을 보냈습니다. {_NOT_PROOF}")


def _search(api: Api, name: str, states: str) -> Iterator[Listed]:
    """Yield what a search by name lists, all pages; `states` are 1 past, 2 coming, 3 in force, with commas."""
    total, seen, page = 0, 0, 1
    while page == 1 or seen < total:
        if page > _MAX_PAGES:
            raise NetworkError(f"{NAME}: '{name}'의 검색 결과가 {total:,}개나 됩니다. 정식 이름으로 찾아 주십시오.")
        query = {"target": "eflaw", "query": name, "nw": states, "display": str(_PAGE), "page": str(page)}
        root = _ask(api, "lawSearch.do", query, _parse)
        stated = root.findtext("totalCnt", "").strip()
        if root.tag != "LawSearch" or not stated.isdigit():
            raise NetworkError(f"{NAME}: 검색 목록이 아닌 답을 받았습니다. {_NOT_PROOF}")
        total, laws = int(stated), root.findall("law")
        if not laws and seen < total:
            raise NetworkError(f"{NAME}: '{name}'의 목록이 {total:,}개 중 {seen:,}개에서 끊겼습니다. {_NOT_PROOF}")
        yield from map(_listed, laws)
        seen, page = seen + len(laws), page + 1


def _listed(law: Element) -> Listed:
    def value(name: str) -> str:
        found = law.find(name)
        # The title can have the words sought marked in it.
        return re.sub(r"\s+", " ", "".join(found.itertext())).strip() if found is not None else ""

    return Listed(
        title=value("법령명한글"),
        abbreviation=value("법령약칭명"),
        law_id=value("법령ID"),
        serial=value("법령일련번호"),
        effective=re.sub(r"\D", "", value("시행일자")),
        status=value("현행연혁코드"),
    )


def _abbreviations(listed: Listed) -> list[str]:
    return [normalize_title(part) for part in re.split(r"[,;]", listed.abbreviation) if part.strip()]


def _why_not_found(api: Api, name: str, key: str) -> str:
    past = list(_search(api, name, "1"))
    if any(each.key == key for each in past):
        return f"'{name}'은(는) 폐지되었거나 이름이 바뀐 법령이라 현행 목록에 없습니다."
    if not past and not any(True for _ in _search(api, SURE, "3")):
        raise NetworkError(
            f"{NAME}: 어떤 법령도 찾아 주지 않습니다('{SURE}'도 0건). 접속이 막혔거나 장애일 수 있습니다. {_NOT_PROOF}"
        )
    return f"'{name}'이라는 현행 법령을 찾지 못했습니다. 정식 이름을 확인해 주십시오."


def _ask(api: Api, service: str, query: dict[str, str], read: Callable[[bytes], T]) -> T:
    time.sleep(api.patience.pause)
    return fetch(api.client, f"{api.base}/{service}", {"OC": api.key, "type": "XML"} | query, api.patience, read, NAME)


def _parse(body: bytes) -> Element:
    """Parse an answer. Raises TryAgainError where it is no XML, NetworkError where it is a refusal."""
    try:
        text = decode(body)
    except UnicodeDecodeError as error:
        raise TryAgainError(f"글자를 읽을 수 없는 답을 보냈습니다. {_NOT_PROOF}") from error
    if is_html(text):
        said = re.sub(r"\s+", " ", re.sub(r"(?s)<(script|style)\b.*?</\1>|<[^>]*>", " ", text)).strip()[:80]
        raise TryAgainError(
            f"법령 대신 HTML 쪽을 보냈습니다('{said}'). 인증값과 신청 내용, 접속 주소를 확인해 주십시오. {_NOT_PROOF}"
        )
    try:
        root = parse_xml(re.sub(r"^\s*<\?xml[^>]*\?>", "", text), NAME)
    except SourceError as error:
        raise TryAgainError(f"손상된 XML을 보냈습니다. {_NOT_PROOF}") from error
    result = " ".join(filter(None, (root.findtext("result", "").strip(), root.findtext("msg", "").strip())))
    if "실패" in result:
        raise NetworkError(f"{NAME}: {result[:200]} LAW_LAWGOKR_OC와 등록한 접속 주소를 확인해 주십시오.")
    return root
