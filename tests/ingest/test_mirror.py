"""Archives of the mirror: whole ones of real statutes, damaged ones, hostile ones."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import mirror
from ingest.fetch import open_client
from ingest.mirror import Book, DamagedArchiveError, check_whole, fetch_book, mirror_address, statute_keys, unpack
from ingest.sources.files import read_file
from ingest.sources.markdown import stated_title
from rag.errors import NetworkError, SettingsError
from tests.ingest.site import Answer, Site, pack_book, serve
from tests.ingest.test_fetch import EAGER

ELDERS = "대한노인회지원에관한법률"
FILES: dict[str, str | bytes] = {
    "README.md": "# 법령",
    "kr/민법/법률.md": "민법" * 5000,
    "kr/도로교통법/시행령.md": "영",
    "kr/도로교통법/시행규칙(행정안전부령).md": "규칙",
    "kr/도로교통법/법률.md": "법",
    "kr/metadata.json": "{}",
    "scripts/법률.md": "아님",
}


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


def opened(data: bytes, folder: Path, wanted: str = "") -> Book:
    (folder / "a.tar.gz").write_bytes(data)
    return unpack(folder / "a.tar.gz", folder / "out", lambda key: key.startswith(wanted))


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_real_statutes_come_out_as_they_went_in(statute_book: Path, tmp_path: Path) -> None:
    names = (ELDERS, "국가배상법", "근로기준법", "대한민국헌법", "송유관사업법")
    files = {
        path.relative_to(statute_book): path.read_bytes() for name in names for path in (statute_book / name).iterdir()
    }
    book = opened(pack_book({f"kr/{path}": data for path, data in files.items()}), tmp_path)
    assert {path.relative_to(tmp_path / "out"): path.read_bytes() for path in book.files} == files
    assert book.keys == {read_file(path).edition.key for path in book.files} | {"송유관사업법"}
    assert book.commit == "c" * 40


def test_only_statutes_and_only_the_wanted_ones_are_unpacked(tmp_path: Path) -> None:
    book = opened(pack_book(FILES), tmp_path, wanted="도로교통법시행")
    assert book.keys == {"민법", "도로교통법", "도로교통법시행령", "도로교통법시행규칙"}
    assert tree(tmp_path / "out") == {"도로교통법/시행령.md", "도로교통법/시행규칙(행정안전부령).md"}


def test_keys_are_those_of_the_titles_and_of_old_titles_too(statute_book: Path) -> None:
    for name in (ELDERS, "근로기준법", "3ㆍ15의거참여자의명예회복등에관한법률", "송유관사업법"):
        for path in sorted((statute_book / name).iterdir()):
            title = stated_title(path.read_bytes()[:4096])
            assert title == read_file(path).edition.title
            assert statute_keys(name, path.stem, title)[0] == read_file(path).edition.key
    assert statute_keys("송유관사업법", "법률", "송유관 안전관리법") == ("송유관안전관리법", "송유관사업법")
    assert statute_keys("도로교통법", "시행규칙(행정안전부령)", "") == ("도로교통법시행규칙",)


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("---\n제목: 민법\n법령ID: '1'\n", "민법"),
        ("---\n제목: '민법: 총칙'\n법령ID: '1'\n", "민법: 총칙"),
        ("---\n법령ID: '1'\n제목: 아주 긴\n  제목\n상태: 시행\n", "아주 긴 제목"),
        ("---\n제목: [민법\n상태: 시행\n", ""),
        ("# 제목: 민법\n", ""),
        ("", ""),
    ],
)
def test_a_title_is_read_from_a_files_beginning(head: str, title: str) -> None:
    assert stated_title(head.encode()) == title


@pytest.mark.parametrize("kept", [0, 1, 300, 5000, -300, -9, -1])
def test_a_cut_archive_is_noticed(tmp_path: Path, kept: int) -> None:
    noise = random.Random(1).randbytes(40_000).hex()
    with pytest.raises(DamagedArchiveError, match="손상"):
        opened(pack_book({**FILES, "kr/상법/법률.md": noise})[:kept], tmp_path)


def test_an_archive_that_was_cut_before_it_was_packed_is_noticed(tmp_path: Path) -> None:
    whole = gzip.decompress(pack_book(FILES))
    # In a file, between two files, and where one zero block of the end is left.
    for length in (len(whole) // 2, 2048, len(whole.rstrip(b"\0")) // 512 * 512 + 512):
        with pytest.raises(DamagedArchiveError, match="손상"):
            opened(gzip.compress(whole[:length]), tmp_path)


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    data = pack_book(FILES)
    for place in random.Random(2).sample(range(10, len(data)), 40):
        spoilt = bytearray(data)
        spoilt[place] ^= 0x55
        with pytest.raises(NetworkError):
            opened(bytes(spoilt), tmp_path)


def test_a_spoilt_header_between_two_files_is_not_taken_for_the_end(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for number in range(5):
            tar.addfile(tarfile.TarInfo(f"top/kr/law{number}/a.md"))
    whole = bytearray(packed.getvalue())
    at = whole.index(b"top/kr/law3/a.md")
    assert len(opened(gzip.compress(bytes(whole)), tmp_path).files) == 5
    whole[at + 148 : at + 156] = b"77777777"  # its checksum
    with pytest.raises(DamagedArchiveError, match="손상"):
        opened(gzip.compress(bytes(whole)), tmp_path)


@pytest.mark.parametrize(
    "data", [b"<!DOCTYPE html><html>not found</html>", b"", gzip.compress(b"no tar" * 500), gzip.compress(b"")]
)
def test_what_is_no_archive_is_said_to_be_damaged(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DamagedArchiveError, match="손상"):
        opened(data, tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/cron.d/x",
        "/etc/passwd",
        "top/kr/../../../x/법률.md",
        "top/kr/a\\..\\b/법률.md",
        "top/kr/\x1b[2J/법률.md",
    ],
)
def test_an_archive_with_a_path_that_leads_out_is_refused_whole(tmp_path: Path, name: str) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for each in ("top/kr/민법/법률.md", name):
            member = tarfile.TarInfo(each)
            member.size = 3
            tar.addfile(member, io.BytesIO(b"abc"))
    with pytest.raises(NetworkError, match="위험한 경로"):
        opened(packed.getvalue(), tmp_path)
    assert tree(tmp_path) == {"a.tar.gz", "out/민법/법률.md"}


def test_links_and_devices_stay_in_the_archive(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for kind, link in ((tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "../../x"), (tarfile.CHRTYPE, "")):
            member = tarfile.TarInfo(f"top/kr/민법/법률{int(kind)}.md")
            member.type, member.linkname = kind, link
            tar.addfile(member)
    assert opened(packed.getvalue(), tmp_path).files == ()
    assert tree(tmp_path) == {"a.tar.gz"}


def test_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, value in (("MAX_FILE", 1000), ("MAX_UNPACKED", 9000), ("MAX_ENTRIES", 3)):
        with monkeypatch.context() as smaller:
            smaller.setattr(mirror, limit, value)
            with pytest.raises(NetworkError, match="너무 큰"):
                opened(pack_book(FILES), tmp_path)
    bomb = gzip.compress(gzip.decompress(pack_book(FILES)) + bytes(50_000_000))
    monkeypatch.setattr(mirror, "MAX_UNPACKED", 10_000_000)
    with pytest.raises(NetworkError, match="너무 큰"):
        opened(bomb, tmp_path)


def test_a_whole_book_has_enough_statutes_and_the_great_ones() -> None:
    everything = ["대한민국헌법", *mirror.MUST_HAVE]
    assert check_whole(everything, least=10, before=0) == []
    assert check_whole([key for key in everything if key != "주택법"], least=10, before=0) == ["주택법"]
    with pytest.raises(NetworkError, match=r"40개뿐이라.*5,000"):
        check_whole(everything, least=5000, before=0)
    with pytest.raises(NetworkError, match="전에는 법령 50개"):
        check_whole(everything, least=10, before=50)


def test_the_must_have_acts_are_in_the_real_book(statute_book: Path) -> None:
    keys = {statute_keys(path.parent.name, path.stem, "")[0] for path in statute_book.glob("*/*.md")}
    assert check_whole(keys, least=5000, before=5600) == []


def test_a_damaged_download_is_fetched_once_more(site: Site, tmp_path: Path) -> None:
    whole = pack_book(FILES)
    # Without a length nobody notices the cut but the checksum.
    site.say("/tar.gz/main", Answer(whole, length=False, cut=len(whole) - 20), Answer(whole))
    with open_client(EAGER) as client:
        url = mirror_address(site.address + "/tar.gz/", "main")
        book = fetch_book(client, url, tmp_path / "a.tar.gz", tmp_path / "out", lambda _: True, EAGER, lambda *_: None)
    assert len(book.files) == 4


def test_a_mirror_that_is_damaged_itself_is_given_up_and_nothing_is_kept(site: Site, tmp_path: Path) -> None:
    site.say("/tar.gz/main", Answer(pack_book(FILES)[:-20], etag='"bad"'))
    url = mirror_address(site.address + "/tar.gz", "main")
    with open_client(EAGER) as client, pytest.raises(DamagedArchiveError):
        fetch_book(client, url, tmp_path / "a.tar.gz", tmp_path / "out", lambda _: True, EAGER, lambda *_: None)
    assert len(site.requests) == 2
    assert not list(tmp_path.glob("a.tar.gz*"))


def test_addresses_are_checked() -> None:
    assert mirror_address("https://x.example/tar.gz/", "refs/heads/main") == "https://x.example/tar.gz/refs/heads/main"
    for base, ref in (
        ("", "main"),
        ("file:///etc", "main"),
        ("https://x", "../main"),
        ("https://x", "a?b"),
        ("https://x", ""),
    ):
        with pytest.raises(SettingsError):
            mirror_address(base, ref)
