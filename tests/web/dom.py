"""Reads made HTML back with the standard library's parser."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"br", "img", "meta", "input"}


class Dom(HTMLParser):
    """The elements of a piece of HTML: `elements` as (tag, attributes), `text` all text, `marks` the marked texts."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.marks: list[str] = []
        self.open: list[str] = []
        self.folded: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "mark":
            self.marks.append("")
        if tag == "details":
            self.folded.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"closed, never opened: {tag}"
        assert self.open[-1] == tag, f"{tag} closed inside {self.open[-1]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        if "mark" in self.open:
            self.marks[-1] += data
        if "details" in self.open:
            self.folded[-1] += data

    def tags(self) -> set[str]:
        """Return the names of all elements."""
        return {tag for tag, _ in self.elements}

    def all(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def of_class(self, name: str) -> list[dict[str, str]]:
        """Return the attributes of every element of that class."""
        return [attributes for _, attributes in self.elements if name in attributes.get("class", "").split()]
