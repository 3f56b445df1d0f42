"""Several editions of one statute at hand: which one is answered from on a day, and what is kept beside it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.changes import ChangeKind, changes, render, summary
from ingest.pipeline import Outcome, Result, add, remove
from ingest.sources.files import read_file
from ingest.sources.markdown import read_markdown
from ingest.versions import choose, editions_of
from rag.embedding import StatuteEmbedder
from rag.retriever import StatuteRetriever
from rag.statutes import Article, Edition, Line, Paragraph, Statute, fold_wording, wording
from rag.store import StatuteStore
from tests.ingest.test_lawgokr import article
from tests.ingest.test_lawgokr import read as read_api
from tests.samples import mini

TITLE = "빨래터의 이용에 관한 법률"
PENALTY = "위반한 사람에게는 {}만원 이하의 과태료를 부과한다."
TODAY = date(2024, 6, 1)


def version(folder: Path, effective: str, amount: int, **more: str) -> Path:
    return mini(folder, f"{effective}.md", effective=effective, penalty=PENALTY.format(amount), **more)


def bring(store: StatuteStore, embedder: StatuteEmbedder, *paths: Path, today: date = TODAY) -> list[Outcome]:
    return add(paths, store, embedder, 256, today=today)


def state(store: StatuteStore) -> dict[str, list[str]]:
    """Effective dates by what the store does with the edition."""
    (stored,) = store.texts.statutes()
    return {
        "before": [str(stored.previous.edition.effective)] if stored.previous else [],
        "now": [str(stored.edition.effective)],
        "coming": [str(kept.edition.effective) for kept in stored.coming],
    }


def penalty(store: StatuteStore) -> str:
    found = store.texts.article("999001:제3조의2")
    return found[1].text if found else ""


def test_the_edition_in_force_is_answered_from_and_the_coming_one_kept(
    store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    now, coming = version(tmp_path, "2024-01-01", 10), version(tmp_path, "2025-01-01", 20)
    told = {outcome.name: outcome for outcome in bring(store, embedder, coming, now)}
    assert (told[now.name].result, told[coming.name].result) == (Result.ADDED, Result.COMING)
    assert "2025-01-01" in told[coming.name].message
    assert "2025-01-01" in told[now.name].message
    assert state(store) == {"before": [], "now": ["2024-01-01"], "coming": ["2025-01-01"]}
    assert "10만원" in penalty(store)
    assert store.vector_count() == store.texts.counts()[2] == 3
    assert {outcome.result for outcome in bring(store, embedder, coming, now)} == {Result.UNCHANGED}


def test_a_coming_edition_does_not_replace_the_one_in_force_until_its_day(
    store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    bring(store, embedder, version(tmp_path, "2024-01-01", 10))
    (outcome,) = bring(store, embedder, version(tmp_path, "2025-01-01", 20))
    assert outcome.result is Result.COMING
    assert bring(store, embedder, today=date(2024, 12, 31)) == []
    assert "10만원" in penalty(store)
    (promoted,) = bring(store, embedder, today=date(2025, 1, 1))
    assert promoted.result is Result.UPDATED
    assert [(change.kind, change.label) for change in promoted.changes] == [(ChangeKind.CHANGED, "제3조의2")]
    assert "20만원" in penalty(store)
    assert state(store) == {"before": ["2024-01-01"], "now": ["2025-01-01"], "coming": []}
    assert bring(store, embedder, today=date(2025, 1, 1)) == []


def test_on_its_day_only_what_differs_is_embedded_again(
    store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    seen: list[str] = []

    class Noting(StatuteEmbedder):
        def passage_vectors(self, texts):  # type: ignore[no-untyped-def]
            seen.extend(texts)
            return super().passage_vectors(texts)

    noting = Noting.__new__(Noting)
    noting.__dict__.update(embedder.__dict__)
    bring(store, noting, version(tmp_path, "2024-01-01", 10), version(tmp_path, "2025-01-01", 20))
    assert len(seen) == 3
    seen.clear()
    bring(store, noting, today=date(2025, 1, 1))
    assert [text.splitlines()[0] for text in seen] == [f"{TITLE} 제3조의2(벌칙)"]


def test_where_only_a_coming_text_is_at_hand_it_is_answered_from_with_a_warning(
    store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    (outcome,) = bring(store, embedder, version(tmp_path, "2025-01-01", 20))
    assert outcome.result is Result.ADDED
    assert "시행일이 아직 오지 않은" in outcome.message
    retriever = StatuteRetriever(store=store, embedder=embedder)
    assert [note for note in retriever.search("빨래터 과태료", today=TODAY).notes if "2025-01-01" in note]
    assert not retriever.search("빨래터 과태료", today=date(2025, 1, 1)).notes
    (outcome,) = bring(store, embedder, version(tmp_path, "2024-01-01", 10))
    assert outcome.result is Result.UPDATED
    assert state(store) == {"before": [], "now": ["2024-01-01"], "coming": ["2025-01-01"]}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_a_chain_ends_up_the_same_in_any_order(
    store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path, order: tuple[int, ...]
) -> None:
    days = ["2022-01-01", "2023-01-01", "2024-01-01", "2025-01-01"]
    chain = [version(tmp_path, day, amount) for amount, day in enumerate(days, 1)]
    for place in order:
        bring(store, embedder, chain[place])
    assert state(store) == {"before": ["2023-01-01"], "now": ["2024-01-01"], "coming": ["2025-01-01"]}
    assert "3만원" in penalty(store)


def test_an_older_edition_never_replaces_a_newer_and_only_one_before_is_kept(
    store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    for day in ("2021-01-01", "2022-01-01", "2023-01-01"):
        bring(store, embedder, version(tmp_path, day, 10))
    (outcome,) = bring(store, embedder, version(tmp_path, "2020-06-01", 5))
    assert outcome.result is Result.OLDER
    assert state(store) == {"before": ["2022-01-01"], "now": ["2023-01-01"], "coming": []}
    (count,) = store.texts.query("SELECT COUNT(*) FROM kept")[0]
    assert count == 1


def test_two_editions_of_one_day_are_told_apart_by_their_numbers(
    store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    first = mini(tmp_path, "a.md", effective="2024-01-01", number="00010", penalty=PENALTY.format(10))
    second = mini(tmp_path, "b.md", effective="2024-01-01", number="00011", penalty=PENALTY.format(11))
    for order in ((first, second), (second, first)):
        bring(store, embedder, *order)
        assert "11만원" in penalty(store)
    (stored,) = store.texts.statutes()
    assert stored.previous is not None
    assert (stored.edition.number, stored.previous.edition.number) == ("11", "10")


def test_a_coming_edition_under_a_new_title(store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path) -> None:
    bring(store, embedder, version(tmp_path, "2024-01-01", 10))
    bring(store, embedder, version(tmp_path, "2025-01-01", 20, title="공동빨래터법"))
    assert [edition.title for edition in store.texts.editions()] == [TITLE]
    bring(store, embedder, today=date(2025, 1, 1))
    (stored,) = store.texts.statutes()
    assert stored.edition.title == "공동빨래터법"
    assert stored.previous is not None
    assert stored.previous.edition.title == TITLE


def test_removing_a_statute_removes_all_its_editions(
    store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    bring(store, embedder, version(tmp_path, "2024-01-01", 10), version(tmp_path, "2025-01-01", 20))
    remove(TITLE, store)
    assert store.texts.query("SELECT COUNT(*) FROM kept_articles") == [(0,)]
    bring(store, embedder, today=date(2025, 1, 1))
    assert store.texts.statutes() == []


def test_a_repealed_statute_is_not_answered_from_unless_it_is_cited(
    store: StatuteStore, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    bring(store, embedder, version(tmp_path, "2024-01-01", 10))
    ends = version(tmp_path, "2025-01-01", 10)
    ends.write_text(ends.read_text("utf-8").replace("상태: 시행", "상태: 폐지"), "utf-8")
    (outcome,) = bring(store, embedder, ends)
    assert outcome.result is Result.COMING
    retriever = StatuteRetriever(store=store, embedder=embedder)
    assert retriever.search("빨래터 과태료").hits
    bring(store, embedder, today=date(2025, 1, 1))
    assert not retriever.search("빨래터 과태료").hits
    cited = retriever.search(f"{TITLE} 제3조의2")
    assert [hit.article.label for hit in cited.hits] == ["제3조의2"]
    assert any("폐지" in note for note in cited.notes)
    assert cited.hits[0].edition.repealed


# Real statutes


def amended(statute: Statute, effective: date, *labels: str) -> Statute:
    """A later edition of a real statute in which these articles say something else."""
    articles = tuple(
        replace(
            article,
            paragraphs=(
                replace(
                    article.paragraphs[0],
                    lines=(
                        replace(article.paragraphs[0].lines[0], text="새 내용으로 한다."),
                        *article.paragraphs[0].lines[1:],
                    ),
                ),
                *article.paragraphs[1:],
            ),
        )
        if article.label in labels
        else article
        for article in statute.articles
    )
    edition = replace(statute.edition, effective=effective, number=str(int(statute.edition.number) + 1))
    return replace(statute, edition=edition, articles=articles)


def test_real_editions_and_what_changed_between_them(
    store: StatuteStore, embedder: StatuteEmbedder, statute_book: Path
) -> None:
    path = statute_book / "소액사건심판법" / "법률.md"
    statute = read_file(path)
    later = amended(statute, date(2030, 1, 1), "제1조", "제5조의3")
    add([path], store, embedder, 256, today=date(2026, 1, 1))
    add([path], store, embedder, 256, today=date(2026, 1, 1), read=lambda _: later)
    (stored,) = store.texts.statutes()
    assert stored.edition == statute.edition
    assert store.texts.kept_statute(stored.coming[0]) == replace(later, warnings=())
    assert [change.label for change in changes(statute, later)] == ["제1조", "제5조의3"]
    found = store.texts.article(f"{statute.edition.law_id}:제1조")
    assert found is not None
    coming = store.texts.coming(*found)
    assert coming is not None
    assert coming.edition.effective == date(2030, 1, 1)
    assert coming.article is not None
    assert "새 내용" in coming.article.text
    unchanged = store.texts.article(f"{statute.edition.law_id}:제2조")
    assert unchanged is not None
    assert store.texts.coming(*unchanged) is None


def test_the_labour_standards_act_of_the_mirror_is_the_living_one(statute_book: Path) -> None:
    editions = [read_markdown(path).edition for path in sorted((statute_book / "근로기준법").glob("법률*.md"))]
    assert len(editions) == 2
    choice = choose(editions, date(2026, 6, 8))
    assert (choice.current.law_id, choice.current.effective) == ("001872", date(2027, 1, 1))
    assert (choice.previous, choice.coming) == (None, ())


def test_a_pdf_that_prints_articles_twice_holds_several_editions(real_pdfs: list[Path]) -> None:
    (path,) = (path for path in real_pdfs if path.name.startswith("근로기준법"))
    editions = editions_of(read_file(path))
    assert [str(each.edition.effective) for each in editions] == ["2024-10-22", "2025-02-23", "2025-10-23"]
    texts = [{article.label: article for article in each.articles} for each in editions]
    assert not any("[" in label for text in texts for label in text)
    assert "제43조의4" not in texts[0]
    assert "제43조의4" in texts[2]
    assert texts[0]["제74조"] != texts[1]["제74조"] == texts[2]["제74조"]
    assert texts[0]["제37조"] == texts[1]["제37조"] != texts[2]["제37조"]
    assert not [warning for each in editions for warning in each.warnings if "번 나와" in warning]
    assert choose([each.edition for each in editions], date(2025, 1, 1)).current == editions[0].edition
    assert choose([each.edition for each in editions], date(2025, 10, 23)).current == editions[2].edition


def test_that_pdf_is_answered_from_as_of_the_day(
    store: StatuteStore, embedder: StatuteEmbedder, real_pdfs: list[Path]
) -> None:
    (path,) = (path for path in real_pdfs if path.name.startswith("주민등록법"))
    (outcome,) = add([path], store, embedder, 256, today=date(2024, 7, 1))
    assert outcome.result is Result.ADDED
    assert state(store) == {"before": [], "now": ["2024-06-27"], "coming": ["2024-12-27"]}
    assert store.texts.article("주민등록법:제24조의2") is None
    (promoted,) = add([], store, embedder, 256, today=date(2024, 12, 27))
    assert ("신설", "제24조의2") in [(change.kind.value, change.label) for change in promoted.changes]
    assert store.texts.article("주민등록법:제24조의2") is not None


# Choosing, whatever is at hand


EDITIONS = st.lists(
    st.builds(
        Edition,
        title=st.just("가법"),
        law_id=st.sampled_from(["", "1", "2"]),
        number=st.integers(1, 5).map(str),
        promulgated=st.none() | st.dates(date(2020, 1, 1), date(2020, 1, 4)),
        effective=st.none() | st.dates(date(2020, 1, 1), date(2020, 1, 4)),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda edition: edition.version,
)


@settings(deadline=None)
@given(EDITIONS, st.dates(date(2019, 12, 31), date(2020, 1, 5)), st.randoms())
def test_the_choice_depends_on_the_editions_and_the_day_alone(editions: list[Edition], today: date, order) -> None:  # type: ignore[no-untyped-def]
    choice = choose(editions, today)
    shuffled = editions[:]
    order.shuffle(shuffled)
    if len({edition.law_id for edition in editions} - {""}) <= 1:
        assert choose(shuffled, today) == choice
    kept = [choice.current, *([choice.previous] if choice.previous else []), *choice.coming]
    assert choose(kept, today) == choice  # what was left out is not missed
    assert all(each.version > choice.current.version for each in choice.coming)
    in_force = [each for each in kept if each.effective and not each.coming(today)]
    if in_force:
        assert choice.current == max(in_force, key=lambda each: each.version)


# Differences


def test_words_that_changed_are_shown_where_they_stand(tmp_path: Path) -> None:
    old, new = (read_markdown(version(tmp_path, f"{year}-01-01", amount)) for year, amount in ((2024, 10), (2025, 20)))
    (change,) = changes(old, new)
    assert render(change).splitlines() == [
        "[변경] 제3조의2(벌칙)",
        "    …벌칙 위반한 사람에게는 [-10만원-]{+20만원+} 이하의 과태료를 부과한다.…",
    ]
    assert summary([change]) == "조문 변경 1"
    assert changes(old, old) == []


def test_added_removed_and_moved_articles(statute_book: Path) -> None:
    statute = read_markdown(statute_book / "민법" / "법률.md")
    articles = {article.label: article for article in statute.articles}
    gone = [a for a in statute.articles if a.label not in ("제750조", "제3조")]
    moved = replace(articles["제3조"], label="제3조의9")
    other = replace(statute, articles=(*gone, moved))
    found = {(change.kind, change.label, change.was) for change in changes(statute, other)}
    assert found == {(ChangeKind.REMOVED, "제750조", ""), (ChangeKind.MOVED, "제3조의9", "제3조")}
    found = {(change.kind, change.label, change.was) for change in changes(other, statute)}
    assert found == {(ChangeKind.ADDED, "제750조", ""), (ChangeKind.MOVED, "제3조", "제3조의9")}


@settings(deadline=None)
@given(st.text('가나다 .\n①“"', max_size=60), st.text('가나다 .\n①“"', max_size=60))
def test_what_is_shown_of_a_change_stands_in_the_texts(old: str, new: str) -> None:
    before, after = one_article(old), one_article(new)
    found = changes(before, after)
    for words in (words for change in found for words in change.words):
        assert words.old in wording(before.articles[0])
        assert words.new in wording(after.articles[0])
    same = fold_wording("가" + old) == fold_wording("가" + new)
    assert bool(found) is not same


def test_how_a_source_prints_is_no_change(statute_book: Path, real_pdfs: list[Path]) -> None:
    """The mirror and law.go.kr's PDF differ in quotes and spaces; what is left is what was amended."""
    (path,) = (path for path in real_pdfs if path.name.startswith("근로기준법"))
    printed, mirrored = editions_of(read_file(path))[-1], read_file(statute_book / "근로기준법" / "법률(법률).md")
    found = {change.label: change for change in changes(printed, mirrored)}
    assert list(found) == ["제43조의6", "제59조", "제60조"]
    (words,) = found["제59조"].words
    assert (words.old, words.new) == ("통계청장이", "국가데이터처장이")


def one_article(text: str) -> Statute:
    article = Article("제1조", "", (Paragraph(None, (Line(0, "", "가 " + text),)),))
    return Statute(Edition("가법"), (article,))


def test_the_day_of_an_article_as_the_api_states_it(tmp_path: Path) -> None:
    units = (
        article("1", "제1조(목적) 가", 조문시행일자="20240101"),
        article("2", "제2조(이용) 옛", 조문시행일자="20240101"),
        article("2", "제2조(이용) 새", 조문시행일자="20250701"),
        article("3", "제3조(벌칙) 신설", 조문시행일자="20250701"),
    )
    first, second = editions_of(read_api(tmp_path, *units))
    assert [a.label for a in first.articles] == ["제1조", "제2조"]
    assert [a.label for a in second.articles] == ["제1조", "제2조", "제3조"]
    assert (str(first.edition.effective), str(second.edition.effective)) == ("2024-01-01", "2025-07-01")
    assert first.articles[1].text == "옛"
    assert second.articles[1].text == "새\n[시행일: 2025. 7. 1.] 제2조"
