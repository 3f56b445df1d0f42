"""Files of every format, made from a `Statute` as law.go.kr prints, shows or serves it."""

from __future__ import annotations

import html
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import docx

from rag.statutes import PREAMBLE, Article, Line, Statute
from tests.ingest.hwp_samples import hwp_of

Tree = dict[str, Any]


def day(value: date | None) -> str:
    return f"{value.year}. {value.month}. {value.day}." if value else ""


def head_lines(statute: Statute) -> list[str]:
    edition = statute.edition
    short = f" ( 약칭: {edition.abbreviation} )" if edition.abbreviation else ""
    return [
        edition.title + short,
        f"[시행 {day(edition.effective)}] [{edition.kind} 제{edition.number}호, {day(edition.promulgated)}, 일부개정]",
        *(f"{ministry}(담당과), 044-202-7543" for ministry in edition.ministries),
    ]


def _blocks(statute: Statute) -> Iterator[tuple[str, list[str]]]:
    """Yield (kind, paragraphs) of each heading, article and addendum."""
    above: tuple[str, ...] = ()
    for article in statute.articles:
        if new := [division for division in article.divisions if division not in above]:
            yield "장", new
        above = article.divisions
        lines = [line.render().strip() for paragraph in article.paragraphs for line in paragraph.lines]
        if article.label != PREAMBLE:
            lines[:1] = [f"{article.heading} {lines[0] if lines else ''}"]
        yield "조", [line for line in lines if line.strip()]
    for addendum in statute.addenda:
        yield "부칙", [addendum.heading, *filter(str.strip, addendum.text.splitlines())]


def print_lines(statute: Statute) -> list[str]:
    """Return a statute's paragraphs, its head first."""
    return head_lines(statute) + [line for _, lines in _blocks(statute) for line in lines]


def write_plain(statute: Statute, path: Path) -> None:
    body = [("" if line[0] in "제부" else "  ") + line for line in print_lines(statute)[1:]]
    copied = [statute.edition.title, *body[:3], "조문체계도버튼연혁", *body[3:]]
    path.write_text("\r\n\r\n".join(copied), "utf-8")


def write_html(statute: Statute, path: Path) -> None:
    title, edition, *ministries = map(html.escape, head_lines(statute))
    parts = [
        '<!DOCTYPE html><html lang="ko"><head><meta charset="utf-8"><title>법령</title>',
        "<script>var a = '제1조(가)';</script></head><body>",
        "<ul id='treeMenu'><li><a>제1조(목적)</a></li><li><a>제2조(정의)</a></li></ul>",
        f'<div id="conTop"><h2>{title}</h2><div class="ct_sub">{edition}</div></div><div id="conScroll">',
        *(f'<p class="cont_subtit">{ministry}</p>' for ministry in ministries),
    ]
    for kind, lines in _blocks(statute):
        shown = [html.escape(line).replace("제1조", "<a class='link' href='#'>제1조</a>") for line in lines]
        if kind == "조":
            head = re.match(r"제\d+조(?:의\d+)*(?:\([^()]*\))?", lines[0])
            if head:
                label = (
                    f'<input type="checkbox" value="1"><span class="bl"><label> {html.escape(head[0])} </label></span>'
                )
                shown[0] = label + html.escape(lines[0][head.end() :])
            parts.append('<div class="lawcon">' + "\n".join(f'<p class="pty1_p4">{line}</p>' for line in shown))
            parts.append('<ul class="btn"><li><img alt="연혁" src="i.gif"></li></ul></div>')
        else:
            parts += [f'<p class="gtit">{line}</p>' for line in shown]
    parts.append("<div class='byl_pop'>별표 1 파일 저장 닫힘</div></div><div id='footer'>법제처</div></body></html>")
    path.write_text("\n".join(parts), "utf-8")


def write_docx(statute: Statute, path: Path) -> None:
    document = docx.Document()
    for line in print_lines(statute):
        document.add_paragraph(line)
    document.save(str(path))


HP = "http://www.hancom.co.kr/hwpml/2011/paragraph"


def hwpx_section(paragraphs: list[str], extra: str = "") -> str:
    body = "".join(
        f'<hp:p id="0"><hp:run charPrIDRef="0"><hp:t>{escape(text)}</hp:t></hp:run></hp:p>' for text in paragraphs
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><hs:sec xmlns:hs="urn:s" xmlns:hp="{HP}">{body}{extra}</hs:sec>'


def pack(path: Path, parts: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def write_hwpx(statute: Statute, path: Path) -> None:
    lines = print_lines(statute)
    middle = len(lines) // 2
    pack(
        path,
        {
            "mimetype": "application/hwp+zip",
            "Contents/section1.xml": hwpx_section(lines[middle:]),
            "Contents/section0.xml": hwpx_section(lines[:middle]),
        },
    )


def api_tree(statute: Statute, *, beside: bool = True, grouped: bool = False) -> Tree:
    """Return a statute as the Open API has it: 목 `beside` their 호 or inside; `grouped`: after all 호, as in JSON."""
    edition = statute.edition
    info: Tree = {
        "법령ID": edition.law_id,
        "공포일자": f"{edition.promulgated:%Y%m%d}",
        "공포번호": edition.number.zfill(5),
        "법종구분": {"법종구분코드": "A0002", "content": edition.kind},
        "법령명_한글": edition.title,
        "법령명약칭": edition.abbreviation,
        "제명변경여부": "N",
        "소관부처": {"소관부처코드": "1", "content": ",".join(edition.ministries)},
        "시행일자": f"{edition.effective:%Y%m%d}",
        "제개정구분": "일부개정",
    }
    units: list[Tree] = []
    above: tuple[str, ...] = ()
    for article in statute.articles:
        heads = [division for division in article.divisions if division not in above]
        above = article.divisions
        units += [{"조문번호": "1", "조문여부": "전문", "조문내용": f"        {text}"} for text in heads]
        units.append(_api_article(article, beside=beside, grouped=grouped))
    addenda = [
        {"부칙공포번호": "1", "부칙내용": [[addendum.heading, *addendum.text.splitlines()]]}
        for addendum in statute.addenda
    ]
    return {"법령": {"기본정보": info, "조문": {"조문단위": units}, "부칙": {"부칙단위": addenda}}}


def _api_article(article: Article, *, beside: bool, grouped: bool) -> Tree:
    lines = [line for paragraph in article.paragraphs for line in paragraph.lines]
    if article.label == PREAMBLE:
        return {"조문번호": "0", "조문여부": "전문", "조문내용": ["전문", *(line.render() for line in lines)]}
    number = re.fullmatch(r"제(\d+)조(?:의(\d+))?", article.label)
    assert number
    unit: Tree = {"조문번호": number[1], "조문여부": "조문", "조문제목": article.title, "항": []}
    if number[2]:
        unit["조문가지번호"] = number[2]
    head = [article.heading]
    marks = []
    while lines and not lines[-1].label and lines[-1].text.startswith("["):
        marks.insert(0, lines.pop().text)
    while lines and not lines[0].label:
        head.append(lines.pop(0).text)
    unit["조문내용"] = "\n".join([" ".join(head[:2]), *head[2:]])
    unit["조문참고자료"] = "\n".join(marks)
    unit["항"] = _api_paragraphs(lines, beside=beside, grouped=grouped)
    return unit


def _api_paragraphs(lines: list[Line], *, beside: bool, grouped: bool) -> list[Tree]:
    paragraphs: list[Tree] = []
    content: list[str] = []
    for line in lines:
        text = f"{line.label} {line.text}".strip()
        if not line.label or line.depth > 2:
            content.append(f"    {text}")
            continue
        content = [text]
        if line.depth == 0 or not paragraphs:
            paragraphs.append(
                {"항번호": line.label, "항내용": content, "parts": []} if line.depth == 0 else {"parts": []}
            )
        if line.depth:
            kind = "호" if line.depth == 1 else "목"
            paragraphs[-1]["parts"].append((kind, {f"{kind}번호": line.label, f"{kind}내용": content}))
    return [_with_parts(paragraph, beside=beside, grouped=grouped) for paragraph in paragraphs]


def _with_parts(paragraph: Tree, *, beside: bool, grouped: bool) -> Tree:
    parts = paragraph.pop("parts")
    if grouped:
        return paragraph | {kind: [part for k, part in parts if k == kind] for kind in ("호", "목")}
    if beside:
        return paragraph | ({"parts": parts} if parts else {})
    for kind, part in parts:
        if kind == "호":
            paragraph.setdefault("호", []).append(part)
        else:
            paragraph["호"][-1].setdefault("목", []).append(part)
    return paragraph


def to_xml(name: str, value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return "".join(to_xml(kind, part) for kind, part in value)
    if isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
        return "".join(to_xml(name, part) for part in value)
    if isinstance(value, list):
        return f"<{name}><![CDATA[{chr(10).join(value)}]]></{name}>"
    if isinstance(value, dict):
        if "content" in value:
            return f"<{name} 코드='1'>{escape(value['content'])}</{name}>"
        return f"<{name}>" + "".join(to_xml(key, part) for key, part in value.items()) + f"</{name}>"
    return f"<{name}><![CDATA[{value}]]></{name}>"


def write_hwp(statute: Statute, path: Path) -> None:
    path.write_bytes(hwp_of(print_lines(statute)))


def write_xml(statute: Statute, path: Path) -> None:
    tree = api_tree(statute)
    path.write_text('<?xml version="1.0" encoding="UTF-8"?>' + to_xml("법령", tree["법령"]), "utf-8")


def write_json(statute: Statute, path: Path) -> None:
    path.write_text(json.dumps(api_tree(statute, grouped=True), ensure_ascii=False), "utf-8")


WRITERS: dict[str, Callable[[Statute, Path], None]] = {
    ".txt": write_plain,
    ".html": write_html,
    ".docx": write_docx,
    ".hwp": write_hwp,
    ".hwpx": write_hwpx,
    ".xml": write_xml,
    ".json": write_json,
}
