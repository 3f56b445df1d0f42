"""Builds XLM-R's Unigram tokenizer from pieces and a character map, and trims it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from embedder import charsmap

METASPACE = "▁"
BOS, PAD, EOS, UNK, MASK = "<s>", "<pad>", "</s>", "<unk>", "<mask>"
SPECIAL = (BOS, PAD, EOS, UNK, MASK)


def build(pieces: Sequence[tuple[str, float]], character_map: Mapping[str, str]) -> Tokenizer:
    """Tokenizer with ids in the order of the pieces, `<s> … </s>` around every text.

    Whitespace is collapsed and each word gets a leading metaspace, as XLM-R's sentencepiece model
    does. Raises ValueError if a special piece is missing.
    """
    ids = {piece: index for index, (piece, _) in enumerate(pieces)}
    missing = [token for token in SPECIAL if token not in ids]
    if missing:
        raise ValueError(f"pieces without {', '.join(missing)}")
    tokenizer = Tokenizer(models.Unigram(list(pieces), unk_id=ids[UNK], byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            # The map covers single characters only. sentencepiece also composes sequences, which
            # matters here: Korean file names and texts from macOS arrive as decomposed jamo.
            normalizers.NFC(),
            normalizers.Precompiled(charsmap.pack(character_map)),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement=METASPACE, prepend_scheme="always"),
        ]
    )
    tokenizer.decoder = decoders.Metaspace(replacement=METASPACE, prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A {EOS}",
        pair=f"{BOS} $A {EOS} {EOS} $B {EOS}",
        special_tokens=[(BOS, ids[BOS]), (EOS, ids[EOS])],
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIAL[:-1]])
    tokenizer.add_special_tokens([AddedToken(MASK, normalized=False, lstrip=True)])
    return tokenizer


def vocabulary(tokenizer: Tokenizer) -> list[tuple[str, float]]:
    """Pieces and log probabilities of a Unigram tokenizer, in id order."""
    spec: dict[str, Any] = json.loads(tokenizer.to_str())
    if spec["model"]["type"] != "Unigram":
        raise ValueError(f"a Unigram tokenizer is needed, not {spec['model']['type']}")
    return [(str(piece), float(score)) for piece, score in spec["model"]["vocab"]]


def trim(tokenizer: Tokenizer, keep: Collection[str]) -> tuple[Tokenizer, list[int]]:
    """Tokenizer of the kept pieces only, and the old id of each new id.

    Order is preserved. Raises ValueError if a special piece would go or a piece is unknown.
    """
    spec: dict[str, Any] = json.loads(tokenizer.to_str())
    old = [piece for piece, _ in vocabulary(tokenizer)]
    wanted = set(keep)
    unknown = wanted.difference(old)
    lost = set(SPECIAL).difference(wanted)
    if unknown or lost:
        raise ValueError(f"unknown pieces {sorted(unknown)[:5]}, lost special {sorted(lost)}")
    rows = [index for index, piece in enumerate(old) if piece in wanted]
    new_ids = {old[row]: index for index, row in enumerate(rows)}
    model = spec["model"]
    model["vocab"] = [model["vocab"][row] for row in rows]
    model["unk_id"] = new_ids[UNK]
    for token in spec["added_tokens"]:
        token["id"] = new_ids[token["content"]]
    specials = spec["post_processor"].get("special_tokens", {})
    for content, entry in specials.items():
        entry["ids"] = [new_ids[content]]
    return Tokenizer.from_str(json.dumps(spec, ensure_ascii=False)), rows
