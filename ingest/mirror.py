"""The whole statute book from the public mirror legalize-kr: one archive of Markdown files, kr/<법령>/<종류>.md.

The archive is not trusted: its checksums are verified to the last byte, only plain files of that layout leave it, and
what it holds must look like a whole statute book before anything is removed because of it.
"""

from __future__ import annotations

import gzip
import re
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

import httpx

from ingest.fetch import OnBytes, Patience, download, forget
from ingest.sources.markdown import stated_title
from rag.errors import NetworkError, SettingsError, StoreError
from rag.statutes import normalize_title

NAME = "법령 미러"
MAX_ARCHIVE = 500 * 2**20
MAX_UNPACKED = 3 * 2**30
MAX_FILE = 50 * 2**20
MAX_ENTRIES = 200_000
"""Some seven times what the book has now: 60 MB packed, 300 MB and 9,000 entries unpacked."""

MUST_HAVE = tuple(
    """
    민법 형법 상법 민사소송법 형사소송법 민사집행법 행정절차법 행정소송법 국가배상법 헌법재판소법 법원조직법 정부조직법
    근로기준법 최저임금법 산업재해보상보험법 국민연금법 국민건강보험법 주택법 주택임대차보호법 상가건물임대차보호법
    부동산등기법 건축법 도로교통법 자동차관리법 소득세법 법인세법 부가가치세법 지방세법 국세기본법 조세특례제한법
    개인정보보호법 저작권법 특허법 병역법 국적법 한국은행법 자본시장과금융투자업에관한법률
    독점규제및공정거래에관한법률 가족관계의등록등에관한법률
    """.split()
)
"""Acts without which no statute book is whole; the mirror once had no 주택법, 헌법재판소법, 지방세법 and others."""

_CONSTITUTION = "대한민국헌법"
_HEAD = 4096  # bytes of a file that its title is among
_REF = re.compile(r"(?!.*\.\.)[\w.-]+(?:/[\w.-]+)*")
_ENTRY = re.compile(r"[^/]+/kr/([^/]+)/([^/]+)\.md")


class DamagedArchiveError(NetworkError):
    """The archive is not what was packed: cut, garbled, or no archive at all."""


@dataclass(frozen=True, slots=True)
class Book:
    """What an archive holds: the keys of all its statutes (those of old titles too), the files that were unpacked,
    and the commit, where it says."""

    keys: frozenset[str]
    files: tuple[Path, ...]
    commit: str


def mirror_address(base: str, ref: str) -> str:
    """Return where the archive of a branch or commit is. Raises SettingsError."""
    if not re.match(r"https?://", base):
        raise SettingsError("LAW_MIRROR_URL이 없거나 http(s) 주소가 아닙니다.")
    if not _REF.fullmatch(ref):
        raise SettingsError(f"'{ref}'은(는) 브랜치나 커밋의 이름이 아닙니다.")
    return f"{base.rstrip('/')}/{ref}"


def fetch_book(
    client: httpx.Client,
    url: str,
    archive: Path,
    into: Path,
    wanted: Callable[[str], bool],
    patience: Patience,
    on_bytes: OnBytes,
) -> Book:
    """Bring the archive (or keep the one at hand, where nothing changed) and unpack the wanted statutes, by key.

    A damaged archive is fetched once more. Raises NetworkError, and StoreError where the disk cannot take it.
    """
    download(client, url, archive, patience, MAX_ARCHIVE, on_bytes, NAME)
    try:
        return unpack(archive, into / "1", wanted)
    except DamagedArchiveError:
        forget(archive)
        download(client, url, archive, patience, MAX_ARCHIVE, on_bytes, NAME)
    try:
        return unpack(archive, into / "2", wanted)
    except DamagedArchiveError:
        forget(archive)
        raise


def unpack(archive: Path, into: Path, wanted: Callable[[str], bool]) -> Book:
    """Verify an archive to its end and unpack the wanted statutes below `into`.

    Raises DamagedArchiveError, NetworkError where it holds what a statute book does not, and StoreError.
    """
    keys: set[str] = set()
    files: list[Path] = []
    unpacked = entries = 0
    try:
        with gzip.open(archive) as raw:
            packed = _Zeros(cast(IO[bytes], raw))
            with tarfile.open(fileobj=cast(IO[bytes], packed), mode="r|") as tar:
                for member in tar:
                    entries, unpacked = entries + 1, unpacked + member.size
                    if entries > MAX_ENTRIES or unpacked > MAX_UNPACKED or member.size > MAX_FILE:
                        raise NetworkError(f"{NAME}: 압축을 풀면 너무 큰 자료라 쓰지 않습니다({member.name[-80:]!r}).")
                    _refuse_escape(member.name)
                    entry = _ENTRY.fullmatch(member.name)
                    if entry is None or not member.isreg():
                        continue
                    source = cast(IO[bytes], tar.extractfile(member))
                    head = source.read(_HEAD)
                    names = statute_keys(entry[1], entry[2], stated_title(head))
                    keys.update(names)
                    if any(map(wanted, names)):
                        files.append(_write(head, source, into / entry[1] / f"{entry[2]}.md"))
                end = tar.offset
                commit = str(tar.pax_headers.get("comment", ""))
            packed.drain()
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DamagedArchiveError(f"{NAME}: 받은 파일이 손상되었습니다({type(error).__name__}).") from error
    except OSError as error:
        raise StoreError(
            f"{NAME}: 받은 자료를 풀 수 없습니다({error.strerror}). 디스크 공간과 권한을 확인해 주십시오."
        ) from error
    if packed.size - end < 2 * tarfile.BLOCKSIZE or packed.last > end:
        raise DamagedArchiveError(f"{NAME}: 받은 파일이 중간에서 끝나거나 손상되었습니다.")
    return Book(frozenset(keys), tuple(sorted(files)), commit if re.fullmatch(r"[0-9a-f]{40,64}", commit) else "")


def check_whole(keys: Iterable[str], least: int, before: int) -> list[str]:
    """Return which acts a statute book must have and this one has not.

    Raises NetworkError where it has fewer statutes than `least`, or than nine tenths of those it brought `before`.
    """
    held = frozenset(keys)
    if len(held) < least:
        raise NetworkError(
            f"{NAME}: 법령이 {len(held):,}개뿐이라 전체 법령집으로 보지 않습니다(적어도 {least:,}개). 아무것도 바꾸지 "
            "않았습니다. LAW_MIRROR_URL과 LAW_MIRROR_LEAST를 확인해 주십시오."
        )
    if len(held) < 0.9 * before:
        raise NetworkError(
            f"{NAME}: 전에는 법령 {before:,}개가 들어왔는데 지금은 {len(held):,}개뿐입니다. 미러의 잘못일 수 있어 "
            "아무것도 바꾸지 않았습니다."
        )
    return [key for key in (_CONSTITUTION, *MUST_HAVE) if key not in held]


def statute_keys(folder: str, kind: str, title: str) -> tuple[str, ...]:
    """Return the keys that name the statute in kr/<folder>/<kind>.md: by its title, by its path.

    They differ where a statute was renamed: 22 of the 5,674 files of 2026-06-08 stand under an old title.
    """
    suffix = next((name for name in ("시행규칙", "시행령") if kind.startswith(name)), "")
    by_path = normalize_title(folder) + suffix
    return tuple(dict.fromkeys((normalize_title(title) or by_path, by_path)))


class _Zeros:
    """A stream that notes how long it is and where its last byte other than zero stands: tarfile takes whatever it
    cannot read between two files for the archive's end, and only zeros may follow that."""

    def __init__(self, stream: IO[bytes]):
        self._stream = stream
        self.size = 0
        self.last = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        if filled := len(data.rstrip(b"\0")):
            self.last = self.size + filled
        self.size += len(data)
        return data

    def drain(self) -> None:
        """Read to the end, where gzip compares checksum and length."""
        while self.read(1 << 20):
            if self.size > MAX_UNPACKED:
                raise NetworkError(f"{NAME}: 압축을 풀면 너무 큰 자료라 쓰지 않습니다.")


def _refuse_escape(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or not name.isprintable():
        raise NetworkError(f"{NAME}: 위험한 경로가 든 자료라 쓰지 않습니다({name[:80]!r}).")


def _write(head: bytes, rest: IO[bytes], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(head)
        shutil.copyfileobj(rest, file)
    return path
