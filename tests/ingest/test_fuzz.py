"""Made-up files of every format, built of what statutes are built of, in any order: a statute or a plain refusal.

FUZZ_EXAMPLES=5000 makes a campaign of it; what campaigns found is kept as `@example`.
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.sax.saxutils import escape

import docx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.chunking import chunk_statute
from ingest.links import links_of
from ingest.sources.files import READERS, read_untitled
from ingest.sources.stated import Stated, complete
from rag.characters import clean
from rag.errors import SourceError
from rag.texts import Texts
from tests.ingest.format_samples import HP, pack, to_xml

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
campaign = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

PIECES = (
    "제1조(목적) 가 제2조의3 제1조 (가 제9999조의999(나) 제0조 제١조(라) 제1조(가)(나)에 ① ② ㊿ ①① 1. "
    "2의2. 999. 가. 하의2. 나.나 1) 가) 제1장 제1장의2 제1편 제1절 제9관 부칙 부칙<제1호,2020.1.1> 부 "
    "칙 [별표1] [별표 <별표2> 별표 전문 본문 삭제 <2020.1.1> 삭제<2020.1.1> [전문개정2020.1.1] [시행 "
    "2020.1.1.] [법률 제1호, 다음각목의 각호 폐지한다. 제1조에 제1조, 에 의 은 이법은 ( ) 「 」 [ ] < "
    "> ##### ## # **①** **제1장** 1\\. 가\\. --- : ' \" │ ─ <img </img> <b> &lt; &#0; &#x1b; ² Ⅳ ㆍ "
    "2020-02-30 00000000"
).split()
ODD = ("9" * 5000, "\u2028", "\x0b", "\x1c", "\x85", "\u200b", "\u202e", "\ud800", "\u1100\u1161", " ", "\t")
pieces = st.sampled_from([*PIECES, *ODD])
gaps = st.sampled_from(["", " ", "\n", "\n\n", "\n  ", "\n    ", "\n\t", "\r\n"])
texts = st.lists(st.tuples(gaps, pieces | st.text(max_size=4)).map("".join), max_size=25).map("".join)


def check(path: Path) -> None:
    """Read a file by its reader, which must refuse with a SourceError or give a statute that can go in as it is."""
    said = ""
    try:
        READERS[path.suffix](path)  # `read_untitled` would turn whatever it raises into a refusal
        statute = complete(read_untitled(path), Stated(title="가법"), path.name)
    except SourceError as error:
        said = str(error)
        assert said.startswith(path.name)
        return
    labels = [article.label for article in statute.articles]
    assert len(labels) == len(set(labels)) > 0
    shown = "".join(article.heading + article.text for article in statute.articles)
    assert clean(shown) == shown
    chunks = chunk_statute(statute, len, 200)
    for article in statute.articles if chunks else ():
        own = [chunk for chunk in chunks if chunk.article_id.endswith(f":{article.label}")]
        if not article.deleted:
            assert "".join(article.text[chunk.start : chunk.end] for chunk in own) == article.text
    stored = Texts(Path(":memory:"))
    stored.put(statute, chunks, links_of(statute))
    assert stored.statute(statute.edition).fingerprint() == statute.fingerprint()
    stored.close()


def written(text: str) -> bytes:
    return text.encode("utf-8", "replace")


@campaign
@given(texts, st.sampled_from([".md", ".txt", ".html"]), st.sampled_from(["", "---\n제목: 가법\n---\n", "가법\n"]))
def test_any_text_of_statute_pieces(text: str, suffix: str, head: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"x{suffix}"
        path.write_bytes(written(head + text))
        check(path)


NAMES = (
    "조문 조문단위 조문번호 조문가지번호 조문여부 조문제목 조문내용 조문참고자료 조문시행일자 항 "
    "항번호 항내용 호 호번호 호가지번호 호내용 목 목번호 목내용 부칙 부칙단위 부칙공포일자 "
    "부칙공포번호 부칙내용 별표 별표단위 별표번호 별표가지번호 별표구분 별표제목 별표내용 content"
).split()
FACTS = ("법령명_한글", "공포일자", "소관부처", "법종구분", "제개정구분")
leaves = texts | st.lists(texts, max_size=3) | st.none() | st.integers() | st.floats() | st.booleans()
trees = st.recursive(
    leaves,
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner | st.lists(inner, max_size=3), max_size=5),
    max_leaves=25,
)
units = st.dictionaries(st.sampled_from(NAMES), trees | st.lists(trees, max_size=3), max_size=8)


def law(info: Any, articles: list[Any], rest: Any) -> dict[str, Any]:
    about = {"법령명_한글": "가법", "법령ID": "1", "시행일자": "20200101"}
    return {"법령": {"기본정보": about | info, "조문": {"조문단위": articles}} | rest}


@campaign
@given(
    st.dictionaries(st.sampled_from(FACTS), trees, max_size=2),
    st.lists(units, max_size=6),
    st.dictionaries(st.sampled_from(["부칙", "별표"]), trees, max_size=2),
)
@example({}, [{"조문번호": "9" * 5000, "조문여부": "조문", "조문내용": "제1조(가) 나"}], {})
@example(
    {}, [{"조문번호": "١", "조문여부": "조문", "조문내용": "가"}], {"별표": {"별표단위": {"별표번호": "9" * 5000}}}
)
def test_any_tree_of_the_open_api(info: Any, articles: list[Any], rest: Any) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.json"
        path.write_bytes(written(json.dumps(law(info, articles, rest))))
        check(path)
        path = path.with_suffix(".xml")
        path.write_bytes(written(to_xml("법령", plain(law(info, articles, rest)["법령"]))))
        check(path)


def plain(value: Any) -> Any:
    """Return a tree whose leaves XML can hold as they are."""
    if isinstance(value, dict):
        return {name: str(child) if name == "content" else plain(child) for name, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return "".join(c for c in str(value) if c.isprintable() or c in "\n\t").replace("]]>", "")


def elements(prefix: str, names: list[str]) -> st.SearchStrategy[str]:
    """Return XML of these element names nested in any way."""
    words = texts.map(lambda text: escape("".join(c for c in text if c.isprintable())))

    def wrap(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        children = st.lists(inner, max_size=4).map("".join)
        return st.builds(
            lambda name, child: f"<{prefix}:{name}>{child}</{prefix}:{name}>", st.sampled_from(names), children
        )

    return st.recursive(words, wrap, max_leaves=30)


HWPX = "p run t tbl tr tc subList ctrl lineBreak tab footNote deleteBegin rect drawText".split()
DOCX = "p r t tbl tr tc sdt sdtContent ins del br tab hyperlink txbxContent numPr pPr".split()


@campaign
@given(st.lists(elements("hp", HWPX), max_size=6))
def test_any_hwpx(parts: list[str]) -> None:
    body = f"<hp:p><hp:run><hp:t>가법</hp:t></hp:run></hp:p>{''.join(parts)}"
    section = f'<hs:sec xmlns:hs="urn:s" xmlns:hp="{HP}">{body}</hs:sec>'
    with TemporaryDirectory() as folder:
        check(pack(Path(folder) / "x.hwpx", {"Contents/section0.xml": section.encode()}))


@campaign
@given(st.lists(elements("w", DOCX), max_size=6))
def test_any_docx(parts: list[str]) -> None:
    with TemporaryDirectory() as folder:
        plain_file = Path(folder) / "plain.docx"
        docx.Document().save(str(plain_file))
        with zipfile.ZipFile(plain_file) as archive:
            inside: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
        document = inside["word/document.xml"].decode()
        head, _, tail = document.partition("<w:body>")
        body = f"<w:p><w:r><w:t>가법</w:t></w:r></w:p>{''.join(parts)}"
        inside["word/document.xml"] = f"{head}<w:body>{body}{tail}".encode()
        check(pack(Path(folder) / "x.docx", inside))
