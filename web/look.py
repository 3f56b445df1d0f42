"""How the app looks: theme, style sheet, page head. Nothing is loaded from another host."""

from __future__ import annotations

import json
from pathlib import Path

import gradio as gr

STYLES = [Path(__file__).with_name("style.css"), Path(__file__).with_name("upload.css")]
SCRIPT = Path(__file__).with_name("page.js")
ENGLISH = Path(__file__).with_name("english.json")
"""What the page says in English: whole texts, and patterns for those with something in them."""

HEAD = '<meta name="description" content="법령 조문을 찾아 주는 질의응답. 법률 자문이 아닙니다.">'
_SANS = (
    "Pretendard",
    "Apple SD Gothic Neo",
    "Noto Sans KR",
    "Noto Sans CJK KR",
    "Malgun Gothic",
    "system-ui",
    "sans-serif",
)
_MONO = ("D2Coding", "Noto Sans Mono CJK KR", "ui-monospace", "monospace")


def head() -> str:
    """Return what goes into the page's head: a description and the page's own script."""
    english = json.dumps(json.loads(ENGLISH.read_text("utf-8")), ensure_ascii=False).replace("</", "<\\/")
    return f"{HEAD}<script>{{const ENGLISH = {english};\n{SCRIPT.read_text('utf-8')}}}</script>"


def theme() -> gr.themes.Base:
    """Return the theme: ink on paper, one blue; fonts of the reader's own machine."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        text_size=gr.themes.sizes.text_md,
        font=list(_SANS),
        font_mono=list(_MONO),
    ).set(
        body_background_fill="#f7f8fa",
        body_background_fill_dark="#10151d",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#181f2a",
        background_fill_secondary="#f1f4f8",
        background_fill_secondary_dark="#1f2835",
        block_background_fill_dark="#181f2a",
        border_color_primary="#dbe1ea",
        border_color_primary_dark="#313d4f",
        body_text_color="#1b2330",
        body_text_color_dark="#e6ebf2",
        body_text_color_subdued="#566173",
        body_text_color_subdued_dark="#a3b0c2",
        block_label_text_color="#566173",
        block_label_text_color_dark="#a3b0c2",
        input_placeholder_color="#6b7688",
        input_placeholder_color_dark="#92a0b4",
        link_text_color="#1a56b0",
        link_text_color_dark="#8ab8ff",
        link_text_color_hover="#123f85",
        link_text_color_hover_dark="#b3d1ff",
        color_accent="#1f5fbf",
        button_primary_background_fill="#1f5fbf",
        button_primary_background_fill_dark="#2f6fd0",
        button_primary_background_fill_hover="#174c9b",
        button_primary_background_fill_hover_dark="#2a64bd",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#ffffff",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_dark="#1f2835",
        button_secondary_border_color="#cdd5e1",
        button_secondary_border_color_dark="#3b485c",
        button_cancel_background_fill="#b3261e",
        button_cancel_background_fill_dark="#b3261e",
        button_cancel_background_fill_hover="#8c1d18",
        button_cancel_background_fill_hover_dark="#8c1d18",
        button_cancel_text_color="#ffffff",
        button_cancel_text_color_dark="#ffffff",
        button_border_width="1px",
        block_shadow="none",
        block_border_width="1px",
    )
