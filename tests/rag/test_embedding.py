from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from peft import LoraConfig, get_peft_model
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaModel

from rag.embedding import StatuteEmbedder, load_embedder
from rag.errors import EmbedderError
from rag.settings import Settings

QUERY = "Represent this sentence for searching relevant passages: "
PASSAGE = "Represent this sentence for retrieving relevant passages: "


def settings(embedder: str | Path, **options: str) -> Settings:
    return Settings(_env_file=None, embedder=str(embedder), **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tiny_roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RoBERTa of two layers, as a plain transformers folder."""
    words = [
        "<s>",
        "<pad>",
        "</s>",
        "<unk>",
        "<mask>",
        *sorted(set((QUERY + PASSAGE + "임대인 임차인 보증금 해고 임금").split())),
    ]
    core = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>",
        pad_token="<pad>", unk_token="<unk>", mask_token="<mask>", model_max_length=64,
    )  # fmt: skip
    config = RobertaConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=130, pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("roberta")
    RobertaModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def sentence_transformer(folder: Path) -> SentenceTransformer:
    transformer = Transformer(str(folder), max_seq_length=128)
    pooling = Pooling(transformer.get_embedding_dimension())
    return SentenceTransformer(modules=[transformer, pooling], device="cpu")


def lora() -> LoraConfig:
    return LoraConfig(
        task_type="FEATURE_EXTRACTION", r=4, lora_alpha=64, init_lora_weights=False, target_modules=["query", "value"]
    )


def test_the_shipped_model_embeds_questions_and_passages_differently(embedder: StatuteEmbedder) -> None:
    text = "임차인은 보증금의 반환을 청구할 수 있다."
    query, (passage,) = np.asarray(embedder.embed_query(text)), np.asarray(embedder.embed_documents([text]))
    assert query.shape == passage.shape == (384,)
    assert np.linalg.norm(query) == pytest.approx(1, abs=1e-4)
    assert not np.allclose(query, passage)


def test_the_shipped_model_counts_the_prompt_and_special_tokens(embedder: StatuteEmbedder) -> None:
    text = "임차인은 보증금의 반환을 청구할 수 있다."
    in_full = embedder._encoder.count_tokens("passage: " + text)
    assert in_full <= embedder.count_tokens(text) <= in_full + 3


def test_no_passages_give_no_vectors(embedder: StatuteEmbedder) -> None:
    assert embedder.embed_documents([]) == []


def test_a_sentence_transformers_lora_folder_keeps_its_prompts(tiny_roberta: Path, tmp_path: Path) -> None:
    """As fine-tuning jhgan/ko-sroberta-multitask with sentence-transformers and PEFT leaves it."""
    model = sentence_transformer(tiny_roberta)
    plain = model.encode("임대인 보증금", prompt=QUERY, normalize_embeddings=True)
    model.add_adapter(lora())
    model.prompts = {"query": QUERY, "passage": PASSAGE}
    tuned = model.encode("임대인 보증금", prompt=QUERY, normalize_embeddings=True)
    model.save_pretrained(str(tmp_path / "lora"))
    assert (tmp_path / "lora" / "adapter_config.json").exists()
    assert not list((tmp_path / "lora").glob("model*.safetensors")), "the folder holds the adapter alone"

    embedder = load_embedder(settings(tmp_path / "lora"))
    assert (embedder.query_prompt, embedder.passage_prompt) == (QUERY, PASSAGE)
    assert (embedder.dimension, embedder.window) == (32, 128)
    loaded = np.asarray(embedder.embed_query("임대인 보증금"))
    assert loaded == pytest.approx(tuned, abs=1e-5)
    assert not np.allclose(loaded, plain, atol=1e-2), "the adapter must have an effect"


def test_a_bare_peft_folder_works_with_prompts_from_settings(tiny_roberta: Path, tmp_path: Path) -> None:
    """As `PeftModel.save_pretrained` leaves it: adapter_config.json and the adapter's weights, no modules.json."""
    tuned = get_peft_model(RobertaModel.from_pretrained(tiny_roberta), lora())
    tuned.save_pretrained(tmp_path / "bare")
    PreTrainedTokenizerFast.from_pretrained(tiny_roberta).save_pretrained(tmp_path / "bare")

    embedder = load_embedder(settings(tmp_path / "bare", query_prompt=QUERY, passage_prompt=PASSAGE))
    plain = load_embedder(settings(tiny_roberta, query_prompt=QUERY, passage_prompt=PASSAGE))
    assert embedder.fingerprint != plain.fingerprint
    assert not np.allclose(embedder.embed_query("임금"), plain.embed_query("임금"), atol=1e-2)
    assert np.linalg.norm(embedder.embed_query("임금")) == pytest.approx(1, abs=1e-4)


def test_prompts_of_settings_win_and_change_the_fingerprint(tiny_roberta: Path) -> None:
    plain = load_embedder(settings(tiny_roberta))
    prompted = load_embedder(settings(tiny_roberta, query_prompt=QUERY))
    assert (plain.query_prompt, prompted.query_prompt) == ("", QUERY)
    assert plain.fingerprint != prompted.fingerprint


@pytest.mark.parametrize("name", ["./no/such/folder", "/no/such/folder"])
def test_a_missing_folder_is_said_plainly(name: str) -> None:
    with pytest.raises(EmbedderError, match="LAW_EMBEDDER"):
        load_embedder(settings(name))


def test_a_folder_that_is_no_model_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(EmbedderError, match="LAW_EMBEDDER"):
        load_embedder(settings(tmp_path))
