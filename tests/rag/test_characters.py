from __future__ import annotations

import json
import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.characters import clean, file_name, visible

STEERING = "\x1b[2J\x9b31m\r\x07\u202e\u2066\u200f"


@pytest.mark.parametrize("character", list(STEERING.replace("[2J", "").replace("31m", "")))
def test_what_steers_a_terminal_is_spelt_out(character: str) -> None:
    assert visible(f"민법{character}제1조\t가\n나") == f"민법\\u{ord(character):04x}제1조\t가\n나"


@given(st.text() | st.text(alphabet=STEERING + '\\"가'))
def test_json_made_visible_is_the_same_json(text: str) -> None:
    shown = visible(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(shown) == {"text": text}
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in shown)


def test_a_source_loses_what_is_no_text_and_nothing_else() -> None:
    assert (
        clean(f"제1조{STEERING}\x00\ufeff(목적)\t가ㆍ나\u3000다\n라\x85")
        == "제1조[2J31m\r(목적)\t가ㆍ나\u3000다\n라\x85"
    )
    assert clean("不合理 \uf9d9 ① 가") == "不合理 \uf9d9 ① 가", "NFC would replace Hanja that KS X 1001 has twice"


def test_hangul_in_jamo_is_composed() -> None:
    assert clean(unicodedata.normalize("NFD", "제1조(목적) 이 법은")) == "제1조(목적) 이 법은"


@pytest.mark.parametrize(
    "data", ["민법.md".encode("cp949"), "민법.md".encode(), unicodedata.normalize("NFD", "민법.md").encode()]
)
def test_a_file_s_name_is_read_as_it_was_meant(data: bytes) -> None:
    assert file_name(os.fsdecode(data)) == "민법.md"


@given(st.binary(min_size=1, max_size=40).filter(lambda data: b"\0" not in data and b"/" not in data))
def test_any_name_on_a_disk_can_be_shown_and_stored(data: bytes) -> None:
    assert file_name(os.fsdecode(data)).encode()
