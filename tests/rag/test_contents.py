from __future__ import annotations

from rag.contents import STRETCH, contents, open_at
from rag.store import StatuteStore


def test_a_statute_opens_at_an_article_with_those_around_it(constitution: StatuteStore) -> None:
    (edition,) = constitution.texts.editions()
    opened = open_at(constitution.texts, f"{edition.statute_id}:제70조")
    assert opened
    assert opened.entries[opened.at].label == "제70조"
    assert opened.entries[opened.at].divisions[0].startswith("제4장")
    assert len(opened.articles) == STRETCH
    assert opened.articles[opened.at - opened.first].text.startswith("대통령의 임기는 5년")
    assert [entry.label for entry in opened.entries] == [label for label, _, _ in constitution.texts.outline(edition)]


def test_every_article_is_in_exactly_one_stretch(constitution: StatuteStore) -> None:
    (edition,) = constitution.texts.editions()
    entries = contents(constitution.texts, edition)
    seen: dict[int, set[str]] = {}
    for entry in entries:
        opened = open_at(constitution.texts, entry.article_id)
        assert opened
        assert entry.label in {article.label for article in opened.articles}
        seen.setdefault(opened.first, {article.label for article in opened.articles})
    assert sum(map(len, seen.values())) == len(entries)


def test_a_title_opens_at_the_start_and_what_is_not_there_opens_nothing(constitution: StatuteStore) -> None:
    by_title = open_at(constitution.texts, " 대한민국 헌법")
    assert by_title
    assert (by_title.at, by_title.first) == (0, 0)
    for missing in ("", "없는법", "001444:제999조", "' OR 1=1 --"):
        assert open_at(constitution.texts, missing) is None
