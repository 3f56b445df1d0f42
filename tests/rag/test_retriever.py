from __future__ import annotations

from pathlib import Path

import pytest

from ingest.pipeline import add
from rag.answer import as_json, extractive_answer
from rag.embedding import StatuteEmbedder
from rag.ranking import load_ranker
from rag.retriever import StatuteRetriever, in_context, leans
from rag.store import StatuteStore
from tests.samples import mini


@pytest.fixture
def retriever(constitution: StatuteStore, embedder: StatuteEmbedder) -> StatuteRetriever:
    ranker = load_ranker(embedder.fingerprint)
    assert ranker, "the shipped ranking belongs to the shipped embedder"
    return StatuteRetriever(store=constitution, embedder=embedder, ranker=ranker, top_k=5, abstain_below=0.0)


@pytest.mark.parametrize(
    ("question", "label"),
    [
        ("대통령은 몇 년 동안 하나요? 또 할 수도 있나요?", "제70조"),
        ("경찰이 영장 없이 우리 집을 뒤져도 되나요?", "제16조"),
        ("우리나라의 영토는 어디까지야", "제3조"),
        ("국회의원은 몇 명 이상이어야 하나요", "제41조"),
        ("종교를 믿지 않을 자유도 있나요", "제20조"),
    ],
)
def test_questions_in_everyday_words_find_their_article(retriever: StatuteRetriever, question: str, label: str) -> None:
    assert label in [hit.article.label for hit in retriever.search(question).hits[:3]]


def test_each_article_comes_once_in_one_order(retriever: StatuteRetriever) -> None:
    hits = retriever.search("국회는 어떤 일을 하나요?", 30).hits
    assert len({hit.article_id for hit in hits}) == len(hits) == 30
    assert all(-1 <= hit.score <= 1 for hit in hits)
    assert retriever.search("국회는 어떤 일을 하나요?", 5).hits == tuple(hits[:5]), "the order does not depend on k"


def test_the_best_paragraph_is_marked(retriever: StatuteRetriever) -> None:
    hits = retriever.search("자백이 유일한 증거라도 처벌할 수 있나요?").hits
    hit = next(hit for hit in hits if hit.article.label == "제12조")
    ((start, end),) = hit.highlight
    assert hit.article.text[start:end].startswith("⑦ 피고인의 자백이")


def test_a_cited_article_comes_first_with_its_paragraph_marked(retriever: StatuteRetriever) -> None:
    search = retriever.search("헌법 제12조 제4항이 무슨 뜻인가요?")
    best = search.hits[0]
    assert (best.article.label, best.signals[0]) == ("제12조", "citation")
    assert [best.article.text[s:e][:1] for s, e in best.highlight] == ["④"]
    assert 0 < best.score < 1, "a citation does not make a similarity"
    assert not search.abstained


def test_an_article_that_does_not_exist_is_said_not_to(retriever: StatuteRetriever) -> None:
    search = retriever.search("헌법 제200조에 뭐라고 되어 있나요?")
    assert search.notes == ("「대한민국헌법」에 제200조는 없습니다. 제1조부터 제130조까지 있습니다.",)
    assert search.abstained
    assert all("citation" not in hit.signals for hit in search.hits)
    assert "제200조는 없습니다" in extractive_answer(search)


def test_a_statute_that_is_not_indexed_is_said_not_to_be(retriever: StatuteRetriever) -> None:
    search = retriever.search("상법 제399조가 뭐예요?")
    assert search.notes == ("'상법'은(는) 지금 들어 있는 법령 가운데 없습니다.",)
    assert search.abstained


def test_a_deleted_article_is_shown_and_said_to_be_deleted(
    constitution: StatuteStore, retriever: StatuteRetriever, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    add([mini(tmp_path)], constitution, embedder, window=256)
    search = retriever.search("빨래터의 이용에 관한 법률 제3조")
    assert search.hits[0].article.label == "제3조"
    assert search.notes == ("「빨래터의 이용에 관한 법률」 제3조는 삭제된 조문입니다.",)
    found = retriever.search("빨래터는 몇 시까지 이용하나요?", 30)
    assert "999001:제3조" not in [hit.article_id for hit in found.hits]
    assert found.hits[0].article.label == "제2조"


def test_a_follow_up_is_read_with_the_question_before(retriever: StatuteRetriever) -> None:
    history = ["대통령의 임기는 몇 년인가요?"]
    labels = [hit.article.label for hit in retriever.search("그럼 국회의원은요?", history=history).hits[:3]]
    assert "제42조" in labels
    assert retriever.search("같은 법 제10조는?", history=["헌법 제11조는?"]).hits[0].article.label == "제10조"


@pytest.mark.parametrize(
    ("question", "leaning"),
    [
        ("그럼 국회의원은요?", True),
        ("10년 못 채우고 그만두면요?", True),
        ("우리나라 영토는 어디까지인가요?", False),
        ("월급을 못 받으면 어떻게 해야 하나요?", False),
    ],
)
def test_which_questions_lean_on_the_one_before(question: str, leaning: bool) -> None:
    assert leans(question, ["앞의 질문"]) == leaning
    assert in_context(question, []) == question


def test_what_a_question_was_rewritten_to_is_what_is_searched(retriever: StatuteRetriever) -> None:
    history = ["대통령의 임기는 몇 년인가요?"]
    found = retriever.search("그럼 그 사람들은요?", history=history, standalone="국회의원의 임기는 몇 년인가요?")
    assert found.hits[0].article.label == "제42조"
    assert (found.question, found.asked) == ("그럼 그 사람들은요?", "국회의원의 임기는 몇 년인가요?")


def test_a_question_that_stands_alone_is_not_drawn_to_the_one_before(retriever: StatuteRetriever) -> None:
    history = ["대통령의 임기는 몇 년인가요?"]
    alone = retriever.search("우리나라 영토는 어디까지인가요?")
    after = retriever.search("우리나라 영토는 어디까지인가요?", history=history)
    assert [h.article_id for h in after.hits] == [h.article_id for h in alone.hits]


def test_in_a_long_paragraph_only_the_best_subparagraph_is_marked(retriever: StatuteRetriever) -> None:
    hits = retriever.search("국무회의에서 영전 수여도 심의하나요?", 10).hits
    hit = next(hit for hit in hits if hit.article.label == "제89조")
    ((start, end),) = hit.highlight
    marked = hit.article.text[start:end]
    assert marked.lstrip()[0].isdigit()
    assert len(marked.splitlines()) == 1 < len(hit.article.text.splitlines())


def test_below_the_threshold_it_abstains_but_shows_the_nearest(
    constitution: StatuteStore, embedder: StatuteEmbedder
) -> None:
    strict = StatuteRetriever(store=constitution, embedder=embedder, abstain_below=0.99)
    search = strict.search("라면 끓이는 법")
    assert search.abstained
    assert search.hits
    assert "찾지 못했습니다" in extractive_answer(search)


def test_an_empty_store_says_that_nothing_is_indexed(store: StatuteStore, embedder: StatuteEmbedder) -> None:
    search = StatuteRetriever(store=store, embedder=embedder).search("대통령 임기는?")
    assert search.hits == ()
    assert "들어 있는 법령이 없습니다" in extractive_answer(search)


def test_it_is_a_langchain_retriever(retriever: StatuteRetriever) -> None:
    documents = retriever.invoke("대통령의 임기는?")
    assert documents[0].metadata["law"] == "대한민국헌법"
    assert documents[0].metadata["article"] == "제70조"
    assert documents[0].page_content == "대통령의 임기는 5년으로 하며, 중임할 수 없다."


def test_the_json_is_the_contract(retriever: StatuteRetriever) -> None:
    search = retriever.search("대통령의 임기는?", 1)
    data = as_json(search, extractive_answer(search))
    assert set(data) == {"question", "answer", "abstained", "hits"}
    (hit,) = data["hits"]
    assert set(hit) == {
        "law", "article", "title", "text", "score", "signals", "highlight", "effective", "coming", "url",
    }  # fmt: skip
    assert hit["url"] == "https://www.law.go.kr/법령/대한민국헌법/제70조"
    assert hit["effective"] == "1988-02-25"
    assert "5년으로 하며" in data["answer"]


def test_statute_text_cannot_become_markup_in_an_answer(
    constitution: StatuteStore, retriever: StatuteRetriever, embedder: StatuteEmbedder, tmp_path: Path
) -> None:
    hostile = "<script>alert(1)</script> [누르세요](javascript:alert(1)) **굵게** 빨래 벌칙"
    add([mini(tmp_path, penalty=hostile)], constitution, embedder, window=256)
    answer = extractive_answer(retriever.search("빨래터의 이용에 관한 법률 제3조의2"))
    assert "<script" not in answer
    assert "[누르세요](" not in answer
