"""The app's offer to fetch the whole statute book: when it holds, and what taking it does."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.embedding import StatuteEmbedder
from rag.errors import StoreBusyError
from rag.settings import Settings
from rag.store import StatuteStore
from tests.ingest.site import Answer, Site, pack_book, serve
from tests.samples import MINI
from web.service import Job, Service

TITLE = "빨래터의 이용에 관한 법률"
BOOK = pack_book(
    {
        "kr/빨래터의이용에관한법률/법률.md": MINI.format(
            title=TITLE, law_id="1", number="1", promulgated="2020-01-01", effective="2020-01-01", penalty="."
        )
    }
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        running.say("/tar.gz/main", Answer(BOOK, etag='"1"'))
        yield running


@pytest.fixture
def service(site: Site, store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path) -> Service:
    """A service without a corpus, whose mirror has a book of one statute."""
    options = Settings(
        _env_file=None, home=store.home, corpus=tmp_path / "none", mirror_url=site.address + "/tar.gz", mirror_least=1
    )
    return Service(options, embedder, store)


def test_the_book_is_offered_fetched_and_then_not_offered_any_more(service: Service) -> None:
    assert service.lacks_the_book()
    service.fetch_the_book().join()
    assert not service.job.running
    assert [stored.edition.title for stored in service.inventory()] == [TITLE]
    assert not service.lacks_the_book()
    assert service.search("빨래터는 몇 시까지 여나요?").hits[0].article.label == "제2조"


def test_it_is_not_offered_without_a_network_or_a_mirror(
    service: Service, site: Site, store: StatuteStore, embedder: StatuteEmbedder
) -> None:
    for status in (404, 500):
        site.say("/tar.gz/main", Answer(b"", status))
        assert not service.lacks_the_book()
    for url in ("http://127.0.0.1:9", "", "file:///etc"):
        options = service.settings.model_copy(update={"mirror_url": url})
        assert not Service(options, embedder, store).lacks_the_book()


def test_it_is_neither_offered_nor_fetched_while_indexing(service: Service) -> None:
    service.job = Job(running=True)
    assert not service.lacks_the_book()
    with pytest.raises(StoreBusyError):
        service.fetch_the_book()


def test_what_went_wrong_is_told_and_it_is_offered_again(service: Service, site: Site) -> None:
    site.say("/tar.gz/main", Answer(gzip.compress(b"no tar" * 1000)))
    service.fetch_the_book().join()
    assert "손상" in service.job.problems[0]
    assert service.lacks_the_book()
