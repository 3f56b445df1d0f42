"""Printed lines -> logical lines: which lines belong together, and whether a space stood where one was broken.

A logical line is one 조 head with its text, one 항, 호, 목, heading or mark. Whether a printed line continues the one
before is read from the page first: a line that had room for what follows is the last of its paragraph; lines of one
paragraph are indented alike. Numbering, open brackets and wording decide what the page leaves open.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.grammar import Depth, is_addendum, is_heading, split_heading, split_label
from ingest.sources.lines import (
    ADDENDUM,
    ANNEX,
    DIVISION,
    HEAD,
    MARK,
    TEXT,
    LogicalLine,
    label_key,
    look_at,
    may_follow,
)
from ingest.sources.pdf_lines import PrintedLine, splits
from ingest.sources.pdf_spacing import Spacing
from ingest.sources.pdf_tables import CELL_BORDER
from rag.statutes import article_key

_TOLERANCE = 1.5  # points by which indentations that are meant to be equal may differ
_ANNOUNCEMENT = re.compile(r"다음|아래|각\s?[호목]")
_ENDED = re.compile(r"[.:>)\]\"”』」]$|삭제$|^제\S+조(?:의\d+)*$")
_CLOSING = {")": "(", "]": "[", ">": "<", "」": "「", "”": "“"}
_PARTICLE = re.compile(r"(?:[은는을를의와과도만]|에서?|으?로서?|이라|가)(?=\s|[ㆍ,])|(?:이라|에게|에서|으로|까지|부터)")


@dataclass(frozen=True, slots=True)
class Layout:
    """What a document's lines have in common: right margins by page, indentations by kind, the style of heads."""

    margins: Sequence[float]
    hanging: dict[str, float]
    columns: dict[str, float]
    head_styles: frozenset[str]
    by_word: bool
    breaks_after_cjk: bool

    def full(self, line: PrintedLine, following: PrintedLine) -> bool:
        """Whether a line had no room for what follows it, so that the paragraph may go on."""
        piece = following.word if self.by_word else following.run
        slack = 0.15 * line.size if self.by_word else 0  # of ragged lines the margin is only guessed
        return self.touches(line) or line.x0 + line.width + line.space + piece + slack > self.margins[line.page]

    def touches(self, line: PrintedLine) -> bool:
        """Whether a line reaches the right margin."""
        return line.x1 > self.margins[line.page] - 0.8

    def stretched(self, line: PrintedLine) -> bool:
        """Whether a line was spread out to reach the right margin, which the last of a paragraph is not."""
        return self.touches(line) and line.x1 - line.x0 - line.width > 0.3

    def had_room(self, line: PrintedLine, following: PrintedLine) -> bool:
        """Whether what follows would have fitted without a space before it, so that there was a space."""
        return line.x0 + line.width + following.run < self.margins[line.page] - 0.05


def join_lines(lines: Sequence[PrintedLine], margins: Sequence[float]) -> list[LogicalLine]:
    """Return the logical lines of a document's printed lines, top to bottom."""
    joiner = _Joiner(find_layout(lines, margins), Spacing.learn([line.text for line in lines]))
    for line in lines:
        joiner.add(line)
    joiner.close()
    return joiner.done


def look(line: PrintedLine, head_styles: frozenset[str]) -> str:
    """Return what kind of line a printed line looks like by itself."""
    kind = look_at(_ending(line.text))
    if head_styles and kind in (HEAD, TEXT) and split_heading(line.text):
        return HEAD if line.style in head_styles else TEXT
    return kind


def find_layout(lines: Sequence[PrintedLine], margins: Sequence[float]) -> Layout:
    """Learn a document's layout from its own lines."""
    # Addenda number their own articles, indent them otherwise, and quote other statutes' articles.
    end = next((i for i, line in enumerate(lines) if i and is_addendum(line.text)), len(lines))
    styles = _head_styles(lines[:end])
    looks = [look(line, styles) for line in lines]
    kinsoku = any(line.text[0] in ")”’」』,.>" for line in lines)
    draft = Layout(margins, {}, {}, styles, _breaks_at_words(lines, looks, margins), kinsoku)
    hanging: dict[str, Counter[float]] = defaultdict(Counter)
    columns: dict[str, Counter[float]] = defaultdict(Counter)
    for i, line in enumerate(lines[:end]):
        if i == 0 or looks[i] in (HEAD, Depth.PARAGRAPH.name) or not draft.full(lines[i - 1], line):
            columns[looks[i]][round(line.x0)] += 1
    for line, following, kind, next_kind in zip(lines, lines[1:], looks, looks[1:], strict=False):
        if kind != TEXT and next_kind == TEXT and draft.full(line, following):
            hanging[kind][round(following.x0 - line.x0)] += 1
    return Layout(margins, _modes(hanging), _modes(columns), styles, draft.by_word, kinsoku)


def _modes(counts: dict[str, Counter[float]]) -> dict[str, float]:
    modes = {}
    for kind, counter in counts.items():
        value, count = counter.most_common(1)[0]
        if count >= max(2, 0.7 * counter.total()):
            modes[kind] = value
    return modes


def _head_styles(lines: Sequence[PrintedLine]) -> frozenset[str]:
    """Return the styles in which articles' heads stand out from the text; none if they do not."""
    body: Counter[str] = Counter()
    heads: Counter[str] = Counter()
    for line in lines:
        heading = split_heading(line.text)
        if heading and is_heading(heading, line.text):
            heads[line.style] += 1
        elif not heading:
            body[line.style] += 1
    if not body:
        return frozenset()
    plain = body.most_common(1)[0][0]
    standing_out = {style: count for style, count in heads.items() if style != plain}
    total = heads.total()
    if sum(standing_out.values()) < max(1, 0.8 * total):
        return frozenset()
    return frozenset(style for style, count in standing_out.items() if count >= 0.05 * total)


def _breaks_at_words(lines: Sequence[PrintedLine], looks: Sequence[str], margins: Sequence[float]) -> bool:
    """Whether lines are broken only between words, as word processors do it, and not inside them."""
    inside = between = 0
    for line, following, kind in zip(lines, lines[1:], looks[1:], strict=False):
        if kind != TEXT or line.text[-1] in ".>])" or abs(line.x0 - following.x0) > 4 * line.size:
            continue
        room = margins[line.page] - line.x0 - line.width
        inside += room < line.space + following.run
        between += line.space + following.run <= room < line.space + following.word
    return between > 1 and between > 0.2 * inside


@dataclass
class _Joiner:
    """Takes printed lines one by one; `parts` are those of the logical line that is open, `text` their text."""

    layout: Layout
    spacing: Spacing
    done: list[LogicalLine] = field(default_factory=list)
    kind: str = ""
    text: str = ""
    parts: list[PrintedLine] = field(default_factory=list)
    numbers: dict[Depth, tuple[tuple[int, ...], float]] = field(default_factory=dict)
    article: tuple[int, ...] = ()

    def add(self, line: PrintedLine) -> None:
        """Begin a logical line with a printed line, or continue the open one."""
        kind = self._begins(line)
        if kind:
            self.close()
            self.kind, self.text, self.parts = kind, line.text, [line]
            self._count(kind, line)
        else:
            self.text += self._gap(line) + line.text
            self.parts.append(line)

    def close(self) -> None:
        """End the open logical line."""
        if self.parts:
            self.done.append(LogicalLine(self.kind, self.text))
        self.parts = []

    def _begins(self, line: PrintedLine) -> str:
        """Return the kind of logical line that a printed line begins; '' if it continues the one before."""
        kind = look(line, self.layout.head_styles)
        if kind == TEXT and split_heading(line.text):
            kind = HEAD
        stands_out = line.style in self.layout.head_styles and kind in (HEAD, DIVISION, ADDENDUM)
        if kind == TEXT and self.parts and self.kind in (HEAD, Depth.PARAGRAPH.name) and not _ENDED.search(self.text):
            return ""  # articles and 항 are sentences: what stops in the middle goes on, however short the line
        if not self.parts or stands_out or self._ended_before(line):
            return kind if self._fits(kind, line, certain=True) else TEXT
        return kind if kind != TEXT and self._fits(kind, line, certain=False) else ""

    def _ended_before(self, line: PrintedLine) -> bool:
        """Whether the page shows that the open logical line has ended before a printed line."""
        first, last, layout = self.parts[0], self.parts[-1], self.layout
        if not layout.full(last, line) or CELL_BORDER in last.text or CELL_BORDER in line.text:
            return True
        if len(self.parts) > 1:
            if abs(line.x0 - last.x0) > _TOLERANCE:
                return True
            if not layout.touches(last) and all(layout.stretched(part) for part in self.parts[:-1]):
                return True
        else:
            column, hanging = layout.columns.get(self.kind), layout.hanging.get(self.kind)
            usual = column is not None and abs(first.x0 - column) <= _TOLERANCE
            if usual and hanging is not None and abs(line.x0 - first.x0 - hanging) > _TOLERANCE:
                return True
        return self.kind == MARK and self.text.endswith("]") and not _open_bracket(self.text)

    def _fits(self, kind: str, line: PrintedLine, certain: bool) -> bool:
        """Whether numbering, indentation and wording let a line be of its kind.

        `certain` says that the page shows a new paragraph; otherwise the open one may just go on.
        """
        if kind == HEAD:
            return self._heads_article(line, certain)
        if certain and kind == Depth.PARAGRAPH.name:
            return True
        if kind in Depth.__members__:
            return self._is_next(line, certain)
        return certain or kind == TEXT or (self.text[-1] in ".>])" and not _open_bracket(self.text))

    def _heads_article(self, line: PrintedLine, certain: bool) -> bool:
        heading = split_heading(line.text)
        if heading is None or line.style in self.layout.head_styles:
            return heading is not None
        column = self.layout.columns.get(HEAD)
        if column is not None and abs(line.x0 - column) > _TOLERANCE:
            return False
        titled, key = is_heading(heading, line.text), article_key(heading.label)
        if self.layout.head_styles:
            # Heads of this document stand out; one that does not has to have everything else.
            return certain and titled and column is not None and may_follow(self.article, key)
        if certain:
            bare = re.match(r"제\s*\d+\s*조(?:의\s*\d+)*\s", line.text) is not None
            return key >= self.article if titled else bare and may_follow(self.article, key)
        follows, ended = may_follow(self.article, key), self.text[-1] in ".>])"
        if _open_bracket(self.text):
            return titled and follows and ended  # the bracket is a slip of the pen
        return titled and key > self.article and (ended or (follows and column is not None))

    def _is_next(self, line: PrintedLine, certain: bool) -> bool:
        """Whether the label of a 항, 호, 목 or finer division is the one to be expected."""
        label = split_label(_ending(line.text))
        if label is None:
            return False
        depth, key = label[0], label_key(label[1])
        last, column = self.numbers.get(depth, ((0,), self.layout.columns.get(depth.name)))
        if certain:
            return key == (1,) or last < key <= (last[0] + 20,)
        if column is not None and abs(line.x0 - column) > _TOLERANCE:
            return False
        follows = key == (last[0] + 1,) or (len(key) == 2 and key > last and key[0] == last[0])
        if depth == Depth.PARAGRAPH:
            return not _open_bracket(self.text) or (follows and self.text[-1] in ".>")
        if _open_bracket(self.text) or not follows:
            return False
        if label[1] == "다." and self.text[-1] not in ".>)]" and re.match(r"$|<|다만|이 경우", label[2]):
            return False  # the end of a sentence: 하여야 한|다.
        return last != (0,) or self.text[-1] in ".>:)]" or _ANNOUNCEMENT.search(self.text) is not None

    def _count(self, kind: str, line: PrintedLine) -> None:
        if kind in Depth.__members__ and (label := split_label(_ending(line.text))):
            depth = Depth[kind]
            self.numbers = {d: n for d, n in self.numbers.items() if d < depth}
            self.numbers[depth] = label_key(label[1]), line.x0
        elif kind in (HEAD, DIVISION, ADDENDUM, ANNEX, MARK):
            self.numbers = {}
        if kind == HEAD and (heading := split_heading(line.text)):
            self.article = article_key(heading.label)
        elif kind in (ADDENDUM, ANNEX):
            self.article = ()

    def _gap(self, line: PrintedLine) -> str:
        """Return what stood between the open logical line and the printed line that continues it."""
        last = self.text[-1]
        # Where lines are broken at words, only one that is longer than a line is broken inside.
        by_word = self.layout.by_word and " " in self.parts[-1].text
        if by_word or self.layout.had_room(self.parts[-1], line):
            return " "
        if splits(last):
            return " " if self.spacing.space_between(self.text, line.text) else ""
        if self.layout.breaks_after_cjk or not re.match(r"[가-힣]", line.text):
            return " "  # the line could only be broken here at a space
        return "" if last.isdigit() or (last in ")]”’」』>" and _PARTICLE.match(line.text)) else " "


def _ending(text: str) -> str:
    """Return a line's text with the space that the end of a line is: a label can stand alone on it."""
    return f"{text} "


def _open_bracket(text: str) -> bool:
    """Whether a bracket is open at the end of a text; one opened long ago was a slip of the pen."""
    stack: list[str] = []
    for char in text[-400:]:
        if char in _CLOSING.values():
            stack.append(char)
        elif stack and stack[-1] == _CLOSING.get(char):
            stack.pop()
    return bool(stack)
