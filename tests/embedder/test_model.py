"""The shipped model folder, and a build from a source small enough to make in a test."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoTokenizer, BertConfig, BertModel

from embedder import build, encoder, vocabulary
from embedder import tokenizer as unigram
from embedder.export import export
from rag.embedding import OnnxEncoder, load_embedder
from rag.settings import Settings

MURDER = "형법 제250조(살인, 존속살해) 사람을 살해한 자는 사형, 무기 또는 5년 이상의 징역에 처한다."
PROVISIONS = [
    MURDER,
    "형법 제329조(절도) 타인의 재물을 절취한 자는 6년 이하의 징역 또는 1천만원 이하의 벌금에 처한다.",
    "형법 제257조(상해) 사람의 신체를 상해한 자는 7년 이하의 징역 또는 1천만원 이하의 벌금에 처한다.",
    "형법 제319조(주거침입) 사람의 주거에 침입한 자는 3년 이하의 징역에 처한다.",
    "형법 제152조(위증) 법률에 의하여 선서한 증인이 허위의 진술을 한 때에는 5년 이하의 징역에 처한다.",
    "대한민국헌법 제1조 대한민국은 민주공화국이다. 대한민국의 주권은 국민에게 있다.",
    "대한민국헌법 제12조 모든 국민은 신체의 자유를 가진다.",
    "대한민국헌법 제22조 모든 국민은 학문과 예술의 자유를 가진다.",
    "대한민국헌법 제31조 모든 국민은 능력에 따라 균등하게 교육을 받을 권리를 가진다.",
    "대한민국헌법 제38조 모든 국민은 법률이 정하는 바에 의하여 납세의 의무를 진다.",
    "대한민국헌법 제42조 국회의원의 임기는 4년으로 한다.",
    "대한민국헌법 제70조 대통령의 임기는 5년으로 하며, 중임할 수 없다.",
]
QUESTIONS = {
    "사람을 죽이면 어떤 처벌을 받나요?": 0,
    "편의점에서 물건을 훔쳤어요": 1,
    "국회의원은 몇 년 동안 일하나요?": 10,
    "세금은 꼭 내야 하나요?": 9,
}


@pytest.fixture(scope="module")
def model() -> SentenceTransformer:
    torch.set_num_threads(1)
    return SentenceTransformer(str(build.MODEL), device="cpu")


def test_the_folder_is_small_and_complete() -> None:
    files = [path for path in build.MODEL.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 60e6
    assert {"README.md", "LICENSE", "modules.json", "model.safetensors", "tokenizer.json"} <= {
        path.name for path in files
    }


def test_it_loads_alone_with_its_prompts(model: SentenceTransformer) -> None:
    assert model.prompts == {"query": "query: ", "document": "passage: "}
    assert model.default_prompt_name is None
    assert model.similarity_fn_name == "cosine"
    assert model.max_seq_length == 512
    assert model.dtype == torch.float32


def test_the_tokenizer_is_the_fast_one_and_keeps_the_prompts_whole() -> None:
    tokenizer = AutoTokenizer.from_pretrained(build.MODEL)
    assert tokenizer.is_fast
    assert tokenizer("query: ", add_special_tokens=False).tokens() == ["▁que", "ry", ":"]
    assert tokenizer("passage: ", add_special_tokens=False).tokens() == ["▁passage", ":"]
    assert tokenizer.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>"]) == [0, 1, 2, 3]
    assert tokenizer.unk_token_id not in tokenizer("헌법 제1조 ① 이거 불법임? ㅋㅋ PC방 2026년 😭")["input_ids"]


def test_vectors_are_unit_length_and_repeatable(model: SentenceTransformer) -> None:
    first = model.encode_document(PROVISIONS)
    assert first.shape == (len(PROVISIONS), 384)
    assert first.dtype == np.float32
    assert np.allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    assert np.array_equal(first, model.encode_document(PROVISIONS))


def test_prompts_change_the_vector(model: SentenceTransformer) -> None:
    assert not np.allclose(model.encode_query(MURDER), model.encode_document(MURDER), atol=1e-3)
    assert np.allclose(model.encode_query(MURDER), model.encode("query: " + MURDER), atol=1e-5)


def test_questions_find_their_provision(model: SentenceTransformer) -> None:
    scores = model.similarity(model.encode_query(list(QUESTIONS)), model.encode_document(PROVISIONS))
    first_two = scores.topk(2, dim=1).indices.tolist()
    assert all(right in found for right, found in zip(QUESTIONS.values(), first_two, strict=True))


def tiny_source() -> build.Source:
    pieces = [(token, 0.0) for token in unigram.SPECIAL[:-1]]
    pieces += [("▁", -3.0), *((chr(point), -5.0) for point in range(ord("가"), ord("가") + 60))]
    pieces += [("слово", -6.0), (unigram.MASK, 0.0)]
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=512, pad_token_id=1,
    )  # fmt: skip
    torch.manual_seed(7)
    state = BertModel(config).state_dict()
    return build.Source("From a test.", unigram.build(pieces, {"①": "1"}), state, config)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        source = tiny_source()
        build.assemble(source, vocabulary.select(source.tokenizer, []), tmp_path / name)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_a_folder_serves_as_hub_source_and_rebuilds_to_the_same_vectors(tmp_path: Path) -> None:
    source = tiny_source()
    every = [piece for piece, _ in unigram.vocabulary(source.tokenizer)]
    build.assemble(source, every, tmp_path / "whole", torch.float32)
    kept = [piece for piece in every if piece != "слово"]
    build.assemble(build.from_hub(str(tmp_path / "whole")), kept, tmp_path / "out", torch.float32)
    texts = ["각각 갈갑", "감가 값"]
    before, after = (SentenceTransformer(str(tmp_path / name), device="cpu").encode(texts) for name in ("whole", "out"))
    assert json.loads((tmp_path / "out" / "config.json").read_text())["vocab_size"] == len(kept)
    assert np.allclose(before, after, atol=1e-6)


def test_a_failed_build_leaves_the_old_folder(tmp_path: Path) -> None:
    source = tiny_source()
    out = tmp_path / "model"
    out.mkdir()
    (out / "kept").write_text("old")
    with pytest.raises(ValueError, match="unknown pieces"):
        build.assemble(source, [*unigram.SPECIAL, "없음"], out)
    assert (out / "kept").read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_only_word_rows_are_dropped() -> None:
    state = {encoder.WORDS: torch.arange(8.0).reshape(4, 2), "other": torch.ones(3)}
    kept = encoder.keep_rows(state, [0, 3])
    assert kept[encoder.WORDS].tolist() == [[0, 1], [6, 7]]
    assert kept["other"] is state["other"]


def test_the_graph_that_serves_gives_nearly_the_vectors_of_the_weights(model: SentenceTransformer) -> None:
    served = load_embedder(Settings(_env_file=None))
    assert isinstance(served._encoder, OnnxEncoder)
    exact, rounded = model.encode_document(PROVISIONS), served.passage_vectors(PROVISIONS)
    assert np.allclose(np.linalg.norm(rounded, axis=1), 1, atol=1e-4)
    assert (exact * rounded).sum(axis=1).min() > 0.96
    asked, questions = model.encode_query(list(QUESTIONS)), served.question_vectors(list(QUESTIONS))
    assert (asked * questions).sum(axis=1).min() > 0.96
    order = (questions @ rounded.T).argmax(axis=1)
    assert order.tolist() == (asked @ exact.T).argmax(axis=1).tolist()


def test_exporting_gives_a_folder_that_loads_with_the_same_vectors(tmp_path: Path) -> None:
    source = tiny_source()
    build.assemble(source, [piece for piece, _ in unigram.vocabulary(source.tokenizer)], tmp_path / "trained")
    export(tmp_path / "trained", tmp_path / "out", card=build.DATA / "shipped_card.md")
    texts = ["각각 갈갑", "감가 값"]
    before, after = (
        SentenceTransformer(str(tmp_path / name), device="cpu").encode_document(texts) for name in ("trained", "out")
    )
    assert np.allclose(before, after, atol=1e-2)
    served = load_embedder(Settings(_env_file=None, embedder=str(tmp_path / "out")))
    assert (served.passage_vectors(texts) * after).sum(axis=1).min() > 0.9
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"README.md", "LICENSE", "onnx"}
