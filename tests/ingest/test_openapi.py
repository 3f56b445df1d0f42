"""The Open API of law.go.kr, served here from real statutes as it answers by what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import httpx
import pytest

from ingest.fetch import open_client
from ingest.openapi import Api, Listed, find, open_api, text_of
from ingest.sources.files import read_file
from rag.errors import NetworkError, SettingsError, SourceError
from rag.statutes import Statute
from tests.ingest.format_samples import api_tree, to_xml
from tests.ingest.site import Answer, Request, Site, serve
from tests.ingest.test_fetch import EAGER

TODAY = date(2026, 6, 8)
HTML = "<!DOCTYPE html>\n<html><head><title>오류</title></head><body>국가법령정보 공동활용 미신청</body></html>"


class LawGoKr:
    """An Open API over statutes, each under a serial number."""

    def __init__(self, site: Site):
        self.site = site
        self.laws: dict[str, tuple[Statute, str]] = {}
        site.say("/DRF/lawSearch.do", self.search)
        site.say("/DRF/lawService.do", self.service)

    def hold(self, serial: str, statute: Statute, status: str = "현행") -> None:
        self.laws[serial] = (statute, status)

    def search(self, request: Request) -> Answer:
        codes = {"연혁": "1", "시행예정": "2", "현행": "3"}
        wanted = request.query["nw"].split(",")
        found = [
            self._row(serial, statute, status)
            for serial, (statute, status) in self.laws.items()
            if request.query["query"].replace(" ", "") in statute.edition.key and codes[status] in wanted
        ]
        page, size = int(request.query["page"]), int(request.query["display"])
        rows = "".join(found[(page - 1) * size : page * size])
        head = f"<target>eflaw</target><totalCnt>{len(found)}</totalCnt><page>{page}</page>"
        return xml(f"<LawSearch>{head}{rows}</LawSearch>")

    def service(self, request: Request) -> Answer:
        query = request.query
        if query["target"] == "eflaw" and "efYd" not in query:
            return Answer(HTML.encode())
        if query["MST"] not in self.laws:
            return xml("<Law>일치하는 법령이 없습니다.  법령명을 확인하여 주십시오.</Law>")
        return xml(to_xml("법령", api_tree(self.laws[query["MST"]][0])["법령"]))

    def _row(self, serial: str, statute: Statute, status: str) -> str:
        edition = statute.edition
        return (
            f"<law id='1'><법령일련번호>{serial}</법령일련번호><현행연혁코드>{status}</현행연혁코드>"
            f"<법령명한글><![CDATA[{edition.title}]]></법령명한글><법령약칭명>{escape(edition.abbreviation)}</법령약칭명>"
            f"<법령ID>{edition.law_id}</법령ID><시행일자>{edition.effective:%Y%m%d}</시행일자></law>"
        )


def xml(text: str) -> Answer:
    return Answer(f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode())


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


@pytest.fixture
def law(site: Site, statute_book: Path) -> LawGoKr:
    """An act with its decree and rule, and another act whose title the first one's is part of."""
    served = LawGoKr(site)
    for serial, path in enumerate(sorted((statute_book / "국가배상법").glob("*.md")), 100):
        served.hold(str(serial), read_file(path))
    other = read_file(statute_book / "대한노인회지원에관한법률" / "법률.md")
    served.hold("200", replace(other, edition=replace(other.edition, title="새 국가배상법", law_id="999999")))
    return served


@pytest.fixture
def api(site: Site) -> Iterator[Api]:
    with open_client(EAGER, "https://www.law.go.kr/") as client:
        yield open_api(client, site.address + "/DRF/", "someone", EAGER)


def titles(listed: list[Listed]) -> list[str]:
    return [each.title for each in listed]


def changed(statute: Statute, **edition: object) -> Statute:
    return replace(statute, edition=replace(statute.edition, **edition))  # type: ignore[arg-type]


def test_an_act_is_found_with_its_decree_and_rule_and_nothing_else(law: LawGoKr, api: Api) -> None:
    assert titles(find(api, "국가배상법", TODAY, exact=False)) == [
        "국가배상법",
        "국가배상법 시행규칙",
        "국가배상법 시행령",
    ]
    assert titles(find(api, "국가배상법", TODAY, exact=True)) == ["국가배상법"]
    assert titles(find(api, "국가배상법 시행령", TODAY, exact=False)) == ["국가배상법 시행령"]


def test_the_text_is_read_as_the_markdown_of_it(law: LawGoKr, api: Api, tmp_path: Path) -> None:
    (listed,) = find(api, "국가배상법", TODAY, exact=True)
    (tmp_path / "a.xml").write_bytes(text_of(api, listed, TODAY))
    read, expected = read_file(tmp_path / "a.xml"), law.laws[listed.serial][0]
    assert [(a.label, a.text) for a in read.articles] == [(a.label, a.text) for a in expected.articles]
    assert read.edition.version == expected.edition.version


def test_every_request_has_the_key_a_referer_and_a_browsers_name(law: LawGoKr, api: Api, site: Site) -> None:
    (listed,) = find(api, "국가배상법", TODAY, exact=True)
    text_of(api, listed, TODAY)
    for request in site.requests:
        assert request.query["OC"] == "someone"
        assert request.headers["Referer"] == "https://www.law.go.kr/"
        assert "Mozilla" in request.headers["User-Agent"]
    assert site.requests[-1].query["efYd"] == listed.effective


def test_all_pages_are_read(law: LawGoKr, api: Api) -> None:
    act = law.laws["100"][0]
    law.laws = {
        str(n): (changed(act, title=f"국가배상법 {n}호", law_id=str(n)), "현행") for n in range(1000, 1250)
    } | law.laws
    assert "국가배상법" in titles(find(api, "국가배상법", TODAY, exact=True))
    assert [request.query["page"] for request in law.site.requests] == ["1", "2", "3"]


def test_no_coming_edition_is_dropped_and_no_past_one_taken(law: LawGoKr, api: Api) -> None:
    act = law.laws["100"][0]
    law.hold("90", changed(act, effective=date(2020, 1, 1)))  # called 현행 though a later one is in force
    law.hold("89", changed(act, effective=date(2019, 1, 1)), "연혁")
    for serial in range(110, 117):
        law.hold(str(serial), changed(act, effective=date(2027, 1, serial - 100)), "시행예정")
    found = find(api, "국가배상법", TODAY, exact=True)
    assert [each.serial for each in found] == ["100", *(str(serial) for serial in range(110, 117))]
    assert [each.coming(TODAY) for each in found] == [False] + [True] * 7


def test_staggered_enforcement_under_one_serial_number_is_kept_apart(api: Api, site: Site) -> None:
    row = (
        "<law><법령일련번호>7</법령일련번호><현행연혁코드>{}</현행연혁코드><법령명한글>가법</법령명한글>"
        "<법령ID>1</법령ID><시행일자>{}</시행일자></law>"
    )
    rows = row.format("현행", "20260101") + row.format("시행예정", "20270101") + row.format("시행예정", "20280101") * 2
    site.say("/DRF/lawSearch.do", xml(f"<LawSearch><totalCnt>4</totalCnt>{rows}</LawSearch>"))
    assert [each.effective for each in find(api, "가법", TODAY, exact=True)] == ["20260101", "20270101", "20280101"]


def test_a_statute_is_found_by_its_official_abbreviation(law: LawGoKr, api: Api, site: Site) -> None:
    law.hold("100", changed(law.laws["100"][0], abbreviation="국배법"))
    everything = law.search
    site.say(
        "/DRF/lawSearch.do", lambda request: everything(replace(request, query=request.query | {"query": "국가배상"}))
    )
    assert titles(find(api, "국배법", TODAY, exact=True)) == ["국가배상법"]


def test_what_there_is_not_and_what_was_repealed_are_told_apart(law: LawGoKr, api: Api) -> None:
    law.hold("300", changed(law.laws["100"][0], title="민법", law_id="001706"))
    with pytest.raises(SourceError, match="찾지 못했습니다"):
        find(api, "없는법", TODAY, exact=True)
    law.hold("301", changed(law.laws["100"][0], title="옛법", law_id="5"), "연혁")
    with pytest.raises(SourceError, match="폐지되었거나"):
        find(api, "옛법", TODAY, exact=True)


def test_an_api_that_finds_nothing_at_all_is_an_outage(law: LawGoKr, api: Api) -> None:
    law.laws.clear()
    with pytest.raises(NetworkError, match="법령이 없다는 뜻은 아닙니다"):
        find(api, "국가배상법", TODAY, exact=True)


@pytest.mark.parametrize("path", ["/DRF/lawSearch.do", "/DRF/lawService.do"])
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(HTML.encode()), "HTML 쪽을 보냈습니다.*미신청.*뜻은 아닙니다"),
        (Answer(HTML.lower().encode("cp949")), "HTML 쪽을 보냈습니다"),
        (xml("<LawSearch><totalCnt>3</totalCnt><law>"), "손상된 XML"),
        (Answer(b"\xff\xfe\x00"), "뜻은 아닙니다"),
        (Answer(b""), "손상된 XML"),
        (xml("<!DOCTYPE a [<!ENTITY b 'c'>]><LawSearch>&b;</LawSearch>"), "손상된 XML"),
        (
            xml("<Response><result>사용자 정보 검증에 실패하였습니다.</result><msg>IP주소를 등록해</msg></Response>"),
            "IP주소",
        ),
        (xml("<Other/>"), "뜻은 아닙니다"),
    ],
)
def test_no_is_never_taken_for_there_is_none(
    law: LawGoKr, api: Api, site: Site, path: str, answer: Answer, said: str
) -> None:
    (listed,) = find(api, "국가배상법", TODAY, exact=True)
    site.say(path, answer)
    ask: Callable[[], object] = (
        (lambda: find(api, "국가배상법", TODAY, exact=True))
        if "Search" in path
        else (lambda: text_of(api, listed, TODAY))
    )
    with pytest.raises(NetworkError, match=said) as raised:
        ask()
    assert "someone" not in str(raised.value)


def test_html_once_is_got_over(law: LawGoKr, api: Api, site: Site) -> None:
    site.say("/DRF/lawSearch.do", Answer(HTML.encode()), Answer(b"", 500), law.search)
    assert find(api, "국가배상법", TODAY, exact=True)


def test_a_list_that_breaks_off_is_an_outage(law: LawGoKr, api: Api, site: Site) -> None:
    site.say("/DRF/lawSearch.do", xml("<LawSearch><totalCnt>3</totalCnt></LawSearch>"))
    with pytest.raises(NetworkError, match="3개 중 0개에서 끊겼습니다"):
        find(api, "국가배상법", TODAY, exact=True)


def test_where_eflaw_fails_law_gives_the_text_in_force_but_never_a_coming_one(
    law: LawGoKr, api: Api, site: Site
) -> None:
    (listed,) = find(api, "국가배상법", TODAY, exact=True)
    site.say(
        "/DRF/lawService.do",
        lambda request: Answer(HTML.encode()) if request.query["target"] == "eflaw" else law.service(request),
    )
    assert "국가배상법" in text_of(api, listed, TODAY).decode()
    with pytest.raises(NetworkError, match="HTML"):
        text_of(api, replace(listed, effective="20300101", status="시행예정"), TODAY)


def test_another_statute_than_asked_for_is_refused(law: LawGoKr, api: Api) -> None:
    (listed,) = find(api, "국가배상법", TODAY, exact=True)
    with pytest.raises(NetworkError, match="다른 법령"):
        text_of(api, replace(listed, serial="200"), TODAY)


def test_without_a_key_or_an_address_it_says_what_to_set(site: Site) -> None:
    with httpx.Client() as client:
        with pytest.raises(SettingsError, match="LAW_LAWGOKR_OC"):
            open_api(client, site.address, "", EAGER)
        with pytest.raises(SettingsError, match="LAW_LAWGOKR_URL"):
            open_api(client, "ftp://x", "someone", EAGER)
