"""Normalisation, the Unigram tokenizer and its trimming."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from tokenizers import Tokenizer, normalizers

from embedder import charsmap, vocabulary
from embedder import tokenizer as unigram

SAMPLES = [
    "사람을 살해한 자는 사형, 무기 또는 5년 이상의 징역에 처한다.",
    "전세 보증금을 못 받았어요 ㅠㅠ",
    "query: 임대차 계약",
    "passage: 제3조의2 ① 임차인은",
]


def small() -> Tokenizer:
    """All letters of the samples, a few longer pieces, and pieces no sample needs."""
    text = "".join(SAMPLES)
    letters = sorted({c for c in unicodedata.normalize("NFKC", text) if not c.isspace()})
    longer = ["▁사람을", "살해", "한", "▁que", "ry", "▁pass", "age", "▁임대", "보증금", "계약"]
    foreign = ["слово", "▁शब्द", "Wort", "▁parola"]
    pieces = [(token, 0.0) for token in unigram.SPECIAL[:-1]]
    pieces += [(piece, -4.0 - i / 10) for i, piece in enumerate([*longer, *foreign, "▁"])]
    pieces += [(letter, -9.0) for letter in letters if letter not in longer]
    pieces += [("뷁", -20.0), (unigram.MASK, 0.0)]
    return unigram.build(pieces, {"①": "1", "\u3000": " ", "\u200b": " ", "\x01": ""})


def test_charsmap_maps_exactly_the_given_characters() -> None:
    mapping = {chr(point): chr(point - 0xFEE0) for point in range(0xFF01, 0xFF5E)}
    mapping |= {"㈜": "(주)", "\x01": "", "\u3000": " ", "𝐀": "A", "é": "e"}
    normalizer = normalizers.Precompiled(charsmap.pack(mapping))
    for point in [*range(1, 0x3400), *range(0xF900, 0x10000), *range(0x1D400, 0x1D500)]:
        character = chr(point)
        assert normalizer.normalize_str(character) == mapping.get(character, character)


@pytest.mark.parametrize("mapping", [{"ab": "c"}, {"\0": "a"}, {"a": "b\0"}, {"": "a"}])
def test_charsmap_refuses_what_it_cannot_hold(mapping: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot pack"):
        charsmap.pack(mapping)


def test_whitespace_collapses_and_words_get_a_metaspace() -> None:
    tokenizer = small()
    assert tokenizer.encode("  사람을 \u3000 살해\n한 ").tokens == [
        "<s>", "▁사람을", "▁", "살해", "▁", "한", "</s>",
    ]  # fmt: skip


def test_decomposed_hangul_reads_like_composed() -> None:
    tokenizer = small()
    text = SAMPLES[1]
    assert tokenizer.encode(unicodedata.normalize("NFD", text)).ids == tokenizer.encode(text).ids


def test_selection_keeps_what_is_used_and_what_the_rules_name() -> None:
    kept = vocabulary.select(small(), SAMPLES)
    assert set(unigram.SPECIAL) <= set(kept)
    assert {"▁que", "ry", "▁pass", "age", "뷁"} <= set(kept)
    assert not {"слово", "▁शब्द"} & set(kept)


def test_trimming_preserves_tokens_and_reports_rows() -> None:
    before = small()
    after, rows = unigram.trim(before, vocabulary.select(before, SAMPLES))
    assert after.get_vocab_size() == len(rows) < before.get_vocab_size()
    for sample in SAMPLES:
        old, new = before.encode(sample), after.encode(sample)
        assert new.tokens == old.tokens
        assert [rows[i] for i in new.ids] == old.ids
    assert after.encode("a <mask>").ids[-2] == after.token_to_id("<mask>") == len(rows) - 1


def test_trimming_keeps_the_price_of_an_unknown_character() -> None:
    before = small()
    after, _ = unigram.trim(before, vocabulary.select(before, []))
    lowest = [min(score for _, score in unigram.vocabulary(t)) for t in (before, after)]
    assert lowest[0] == lowest[1]


def test_trimming_refuses_unknown_and_lost_special_pieces() -> None:
    with pytest.raises(ValueError, match="unknown pieces"):
        unigram.trim(small(), [*unigram.SPECIAL, "없는조각"])
    with pytest.raises(ValueError, match="lost special"):
        unigram.trim(small(), ["<s>", "<pad>", "</s>", "<unk>"])


def test_the_list_survives_writing_and_reading(tmp_path: Path) -> None:
    pieces = ["▁가", "\u2028", "\x85", "나"]
    vocabulary.write_list(pieces, tmp_path / "list")
    assert vocabulary.read_list(tmp_path / "list") == pieces


def test_the_committed_list_is_the_shipped_vocabulary() -> None:
    pieces = vocabulary.read_list()
    shipped = json.loads((Path(vocabulary.__file__).parent / "model" / "tokenizer.json").read_text(encoding="utf-8"))
    assert [piece for piece, _ in shipped["model"]["vocab"]] == pieces
    assert len(set(pieces)) == len(pieces)
    assert sum("가" <= piece[-1] <= "힣" for piece in pieces) > 5_000
