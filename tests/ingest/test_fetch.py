"""Downloads from servers that are slow, cut, busy, gone or changed."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from ingest.fetch import MAX_BODY, Patience, TryAgainError, download, fetch, open_client
from rag.errors import LawError, NetworkError, StoreError
from tests.ingest.site import Answer, Request, Site, serve

EAGER = Patience(attempts=3, wait=0.01, longest=2.0, pause=0.0, silence=5.0)
BODY = random.Random(7).randbytes(300_000)
FILE = "/book.tar.gz"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


def bring(site: Site, target: Path, patience: Patience = EAGER, limit: int = 10**6) -> bool:
    with open_client(patience, "https://example.org/") as client:
        return download(client, site.address + FILE, target, patience, limit, lambda *_: None, "서버")


def ask(site: Site, path: str = "/api", patience: Patience = EAGER) -> bytes:
    with open_client(patience) as client:
        return fetch(client, site.address + path, {"OC": "secret"}, patience, lambda body: body, "서버")


def ranges(site: Site) -> list[str | None]:
    return [request.headers.get("Range") for request in site.requests]


def test_a_slow_download_arrives_whole_and_tells_how_far_it_is(site: Site, tmp_path: Path) -> None:
    site.say(FILE, Answer(BODY, pause=0.01))
    told: list[tuple[int, int]] = []
    with open_client(EAGER) as client:
        new = download(client, site.address + FILE, tmp_path / "a", EAGER, 10**6, lambda *at: told.append(at), "서버")
    assert new
    assert (tmp_path / "a").read_bytes() == BODY
    assert told[-1] == (len(BODY), len(BODY))
    assert told == sorted(told)


def test_a_cut_download_goes_on_where_it_was_cut(site: Site, tmp_path: Path) -> None:
    site.say(
        FILE, Answer(BODY, etag='"v1"', cut=100_000), Answer(BODY, etag='"v1"', cut=50_000), Answer(BODY, etag='"v1"')
    )
    assert bring(site, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == BODY
    assert ranges(site) == [None, "bytes=100000-", "bytes=150000-"]


def test_a_later_run_goes_on_with_what_an_earlier_one_left(site: Site, tmp_path: Path) -> None:
    site.say(
        FILE, Answer(BODY, etag='"v1"', cut=120_000), Answer(b"", 503), Answer(b"", 503), Answer(BODY, etag='"v1"')
    )
    with pytest.raises(NetworkError, match=r"바쁘거나.*503.*3번"):
        bring(site, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    assert bring(site, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == BODY
    assert ranges(site)[-1] == "bytes=120000-"


@pytest.mark.parametrize(
    "second",
    [
        Answer(BODY, etag='"v2"'),  # another file by now
        Answer(BODY, etag='"v1"', ranges=False),  # a server that gives no ranges
    ],
)
def test_a_cut_download_that_cannot_be_continued_starts_anew(site: Site, tmp_path: Path, second: Answer) -> None:
    site.say(FILE, Answer(b"x" * 200_000, etag='"v1"', cut=100_000), second)
    assert bring(site, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == BODY


def test_a_weak_or_missing_etag_is_not_trusted_for_going_on(site: Site, tmp_path: Path) -> None:
    for etag in ('W/"v1"', ""):
        site.requests.clear()
        site.say(FILE, Answer(BODY, etag=etag, cut=100_000), Answer(BODY, etag=etag))
        assert bring(site, tmp_path / f"a{len(etag)}")
        assert (tmp_path / f"a{len(etag)}").read_bytes() == BODY
        assert ranges(site) == [None, None]


def test_a_server_that_sends_another_range_is_not_believed(site: Site, tmp_path: Path) -> None:
    def wrong(request: Request) -> Answer:
        headers = {"Content-Range": f"bytes 5-{len(BODY) - 1}/{len(BODY)}"}
        return Answer(BODY[5:], 206, headers) if "Range" in request.headers else Answer(BODY, etag='"v1"')

    site.say(FILE, Answer(BODY, etag='"v1"', cut=100_000), wrong)
    assert bring(site, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == BODY


def test_more_than_there_is_left_starts_anew(site: Site, tmp_path: Path) -> None:
    site.say(FILE, Answer(BODY, etag='"v1"', cut=200_000), Answer(BODY[:1000], etag='"v1"'))
    assert bring(site, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == BODY[:1000]


def test_what_has_not_changed_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    site.say(FILE, Answer(BODY, etag='W/"v1"'))
    assert bring(site, tmp_path / "a")
    assert not bring(site, tmp_path / "a")
    site.say(FILE, Answer(BODY[:5000], etag='W/"v2"'))
    assert bring(site, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == BODY[:5000]


def test_too_large_a_file_is_refused_before_and_while_it_comes(site: Site, tmp_path: Path) -> None:
    for answer in (Answer(BODY), Answer(BODY, length=False)):
        site.say(FILE, answer)
        with pytest.raises(NetworkError, match="MB가 넘는"):
            bring(site, tmp_path / "a", limit=100_000)
        assert not (tmp_path / "a").exists()


def test_a_disk_that_cannot_take_it_is_a_sentence(site: Site, tmp_path: Path) -> None:
    site.say(FILE, Answer(BODY))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="디스크"):
        bring(site, tmp_path / "file" / "a")


def test_500_then_success(site: Site) -> None:
    site.say("/api", Answer(b"no", 500), Answer(b"no", 502), Answer(b"yes"))
    assert ask(site) == b"yes"


def test_429_is_asked_again_when_it_says(site: Site) -> None:
    site.say("/api", Answer(b"", 429, {"Retry-After": "1"}), Answer(b"yes"))
    before = time.monotonic()
    assert ask(site) == b"yes"
    assert time.monotonic() - before >= 1.0


def test_retry_after_may_be_a_date_and_is_not_waited_for_longer_than_patience(site: Site) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    for value in ("7200", later):
        site.requests.clear()
        site.say("/api", Answer(b"", 503, {"Retry-After": value}), Answer(b"yes"))
        with pytest.raises(NetworkError, match="120분 뒤"):
            ask(site)
        assert len(site.requests) == 1
    site.say("/api", Answer(b"", 503, {"Retry-After": "soon"}), Answer(b"yes"))
    assert ask(site) == b"yes"


@pytest.mark.parametrize(("status", "said"), [(404, "404"), (403, "거절"), (410, "거절"), (401, "거절")])
def test_other_refusals_are_final_and_do_not_show_the_key(site: Site, status: int, said: str) -> None:
    site.say("/api", Answer(b"", status))
    with pytest.raises(NetworkError, match=said) as raised:
        ask(site)
    assert "secret" not in str(raised.value)
    assert len(site.requests) == 1


def test_an_answer_that_was_cut_is_asked_for_again(site: Site) -> None:
    site.say("/api", Answer(BODY, cut=1000), Answer(BODY))
    assert ask(site) == BODY


def test_an_answer_that_its_reader_rejects_is_asked_for_again(site: Site) -> None:
    def read(body: bytes) -> int:
        if body == b"html":
            raise TryAgainError("HTML")
        return len(body)

    site.say("/api", Answer(b"html"), Answer(b"xml"))
    with open_client(EAGER) as client:
        assert fetch(client, site.address + "/api", {}, EAGER, read, "서버") == 3


def test_an_endless_answer_is_refused(site: Site) -> None:
    site.say("/api", Answer(b"x" * (MAX_BODY + 1), length=False))
    with pytest.raises(NetworkError, match="50 MB"):
        ask(site)


def test_silence_and_nobody_there_are_sentences(site: Site) -> None:
    site.say("/api", Answer(b"late", pause=2.0))
    with pytest.raises(NetworkError, match="응답하지 않습니다"):
        ask(site, patience=replace(EAGER, silence=0.2, attempts=2))
    with open_client(EAGER) as client, pytest.raises(NetworkError, match="연결할 수 없습니다"):
        fetch(client, "http://127.0.0.1:9/", {}, EAGER, lambda body: body, "서버")


def test_redirects_are_followed_but_not_for_ever(site: Site, tmp_path: Path) -> None:
    site.say("/api", Answer(status=302, headers={"Location": "/there"}))
    site.say("/there", Answer(b"yes"))
    assert ask(site) == b"yes"
    site.say("/there", Answer(status=302, headers={"Location": "/api"}))
    with pytest.raises(LawError, match="주소에 문제"):
        ask(site)


def test_it_says_who_asks(site: Site, tmp_path: Path) -> None:
    site.say(FILE, Answer(BODY))
    bring(site, tmp_path / "a")
    headers = site.requests[0].headers
    assert headers["User-Agent"].startswith("Mozilla/5.0")
    assert headers["Referer"] == "https://example.org/"
    assert headers["Accept-Encoding"] == "identity"
