"""Writes the graph that serves a sentence-transformers folder: ONNX, weights in 8 bits, pooling and length included."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer

from embedder.build import DATA, WINDOW
from embedder.vocabulary import PROMPTS
from rag.embedding import ONNX_FILE


class _Sentence(torch.nn.Module):
    """Token ids and mask -> unit sentence vector, as the folder's pooling and normalisation do it."""

    def __init__(self, model: SentenceTransformer):
        super().__init__()
        self.encoder: Any = model[0].auto_model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(mean, dim=-1)


def export(model: Path, out: Path, card: Path | None = None) -> None:
    """Write a trained model as it is shipped: float16 weights, the graph for serving, model card and licence.

    The folder loads with sentence-transformers by its path, and can be pushed to a hub as it stands.
    """
    trained = SentenceTransformer(str(model), device="cpu", model_kwargs={"dtype": torch.float32})
    trained.max_seq_length = WINDOW
    trained.prompts = dict(PROMPTS)
    encoder: Any = trained[0].auto_model
    encoder.half()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        trained.save_pretrained(str(folder), create_model_card=False)
        config = json.loads((folder / "config.json").read_text("utf-8"))
        for name in ("dtype", "torch_dtype"):
            if name in config:
                config[name] = "float32"  # stored in half, computed in full
        (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", "utf-8")
        export_onnx(folder)
        shutil.copyfile(card or DATA / "shipped_card.md", folder / "README.md")
        shutil.copyfile(DATA / "model_license.txt", folder / "LICENSE")
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(folder, out)


def export_onnx(folder: Path) -> Path:
    """Write `onnx/model_int8.onnx` into a sentence-transformers folder with mean pooling; return its path.

    Weights are rounded per channel, activations at run time (dynamic quantisation of onnxruntime).
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers.optimizer import optimize_model

    model = SentenceTransformer(
        str(folder), device="cpu", model_kwargs={"dtype": torch.float32, "attn_implementation": "eager"}
    )
    pooling: Any = model[1]
    if pooling.pooling_mode != "mean":
        raise ValueError(f"{folder}: only mean pooling can be exported")
    out = folder / ONNX_FILE
    out.parent.mkdir(exist_ok=True)
    encoder: Any = model[0].auto_model
    example = torch.ones((2, 8), dtype=torch.long)
    with tempfile.TemporaryDirectory() as scratch:
        plain, fused = Path(scratch) / "plain.onnx", Path(scratch) / "fused.onnx"
        torch.onnx.export(
            _Sentence(model).eval(),
            (example, example),
            str(plain),
            input_names=["input_ids", "attention_mask"],
            output_names=["vector"],
            dynamic_axes={name: {0: "batch", 1: "length"} for name in ("input_ids", "attention_mask")}
            | {"vector": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
        optimized = optimize_model(
            str(plain),
            model_type="bert",
            num_heads=encoder.config.num_attention_heads,
            hidden_size=encoder.config.hidden_size,
        )
        optimized.save_model_to_file(str(fused))
        quantize_dynamic(
            fused,
            out,
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
    return out
