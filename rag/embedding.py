"""The embedder as LangChain `Embeddings`: any sentence-transformers folder, PEFT/LoRA folder or hub id.

A folder that holds a quantised graph beside its weights (`onnx/model_int8.onnx`, see `embedder/export.py`) is served by
onnxruntime, which takes a few seconds less to start and several times less to embed; every other by PyTorch.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
from langchain_core.embeddings import Embeddings

from rag.errors import EmbedderError
from rag.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

ONNX_FILE = Path("onnx") / "model_int8.onnx"

_QUERY_NAMES = ("query",)
_PASSAGE_NAMES = ("document", "passage", "corpus")
_DEFAULT_WINDOW = 512
_SLICE = 16

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """What turns texts, prompt included, into unit vectors; safe to call from several threads."""

    window: int
    dimension: int
    weights: str
    workers: int

    def encode(self, texts: list[str]) -> Vectors:
        """Return unit vectors, shape (texts, dimension); what exceeds the window is cut off."""

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has, the special ones included."""


class StatuteEmbedder(Embeddings):
    """Embeds questions and passages as unit vectors, each with its own prompt.

    `name` is the folder or hub id, `dimension` the length of a vector, `window` the most tokens of a passage with
    its prompt; `fingerprint` changes with whatever changes a vector (weights, prompts).
    """

    def __init__(self, encoder: Encoder, name: str, query_prompt: str, passage_prompt: str):
        self.name = name
        self.query_prompt = query_prompt
        self.passage_prompt = passage_prompt
        self.window = encoder.window
        self.dimension = encoder.dimension
        parts = (encoder.weights, query_prompt, passage_prompt)
        self.fingerprint = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
        self._encoder = encoder
        self._prompt_tokens = encoder.count_tokens(passage_prompt)

    def embed_query(self, text: str) -> list[float]:
        """Return the unit vector of a question."""
        vector: list[float] = self._encoder.encode([self.query_prompt + text])[0].tolist()
        return vector

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the unit vectors of passages, in their order."""
        as_lists: list[list[float]] = self.passage_vectors(texts).tolist()
        return as_lists

    def passage_vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors of passages, shape (texts, dimension)."""
        return self._in_slices([self.passage_prompt + text for text in texts])

    def question_vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors of many questions, shape (texts, dimension)."""
        return self._in_slices([self.query_prompt + text for text in texts])

    def count_tokens(self, text: str) -> int:
        """Return how much of the window a passage takes, its prompt and the special tokens included."""
        return self._encoder.count_tokens(text) + self._prompt_tokens

    def _in_slices(self, texts: list[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        # Texts of like length together, for little padding; a few at a time, so that a question need not wait long.
        by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        slices = [by_length[start : start + _SLICE] for start in range(0, len(texts), _SLICE)]

        def fill(chosen: list[int]) -> None:
            vectors[chosen] = self._encoder.encode([texts[index] for index in chosen])

        if self._encoder.workers > 1 and len(slices) > 1:
            with ThreadPoolExecutor(self._encoder.workers) as pool:
                list(pool.map(fill, reversed(slices)))  # long ones first, so that no worker is left alone with one
        else:
            for chosen in slices:
                fill(chosen)
        return vectors


class OnnxEncoder:
    """A folder's quantised graph under onnxruntime; one core a call, so several calls at a time fill several cores."""

    def __init__(self, folder: Path, threads: int):
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        graph = folder / ONNX_FILE
        self._session: Any = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self.workers = threads or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads or 2
        self.window = _window_of(folder)
        self.dimension = int(self._session.get_outputs()[0].shape[-1])
        self.weights = hashlib.sha256(graph.read_bytes()).hexdigest()
        self._counting: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._counting.no_truncation()
        self._counting.no_padding()
        self._cutting: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._cutting.enable_truncation(self.window)
        pad = json.loads((folder / "config.json").read_text("utf-8")).get("pad_token_id") or 0
        self._cutting.enable_padding(pad_id=pad)

    def encode(self, texts: list[str]) -> Vectors:
        """Return unit vectors, shape (texts, dimension); what exceeds the window is cut off."""
        tokens = self._cutting.encode_batch(texts)
        ids = np.array([one.ids for one in tokens], dtype=np.int64)
        mask = np.array([one.attention_mask for one in tokens], dtype=np.int64)
        vectors: Vectors = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return vectors

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has, the special ones included."""
        return len(self._counting.encode(text).ids)


class TorchEncoder:
    """A sentence-transformers model under PyTorch, which spreads one call over all cores."""

    workers = 1

    def __init__(self, model: SentenceTransformer):
        self._model = model
        self.window = min(int(model.max_seq_length or _DEFAULT_WINDOW), 8192)
        self.dimension = int(model.get_embedding_dimension() or 0)
        self.weights = _hash_weights(model)

    def encode(self, texts: list[str]) -> Vectors:
        """Return unit vectors, shape (texts, dimension); what exceeds the window is cut off."""
        vectors: Vectors = self._model.encode(
            texts, prompt="", normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return vectors

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has, the special ones included."""
        # `verbose=False`: asking how long a text is must not warn that it is long.
        return len(self._model.tokenizer(text, truncation=False, verbose=False)["input_ids"])


def load_embedder(settings: Settings) -> StatuteEmbedder:
    """Load the configured model. Raises EmbedderError where it is missing or broken."""
    name = settings.embedder
    folder = Path(name)
    is_folder = folder.is_dir()
    if not is_folder and (folder.is_absolute() or name.startswith(".")):
        raise EmbedderError(f"임베딩 모델 폴더가 없습니다: {name}. LAW_EMBEDDER를 확인해 주십시오.")
    try:
        if (folder / ONNX_FILE).is_file():
            encoder: Encoder = OnnxEncoder(folder, settings.threads)
            prompts = json.loads((folder / "config_sentence_transformers.json").read_text("utf-8"))["prompts"]
        else:
            model = _load_torch(name, settings.threads)
            encoder, prompts = TorchEncoder(model), model.prompts
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        reason = str(error).strip().splitlines()
        raise EmbedderError(
            f"임베딩 모델 '{name}'을(를) 불러올 수 없습니다. LAW_EMBEDDER가 sentence-transformers 폴더이거나 "
            f"내려받을 수 있는 허브 이름인지 확인해 주십시오. ({reason[0] if reason else type(error).__name__})"
        ) from error
    return StatuteEmbedder(
        encoder,
        name=folder.name if is_folder else name,
        query_prompt=_prompt(settings.query_prompt, prompts, _QUERY_NAMES),
        passage_prompt=_prompt(settings.passage_prompt, prompts, _PASSAGE_NAMES),
    )


def _load_torch(name: str, threads: int) -> SentenceTransformer:
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if threads:
        torch.set_num_threads(threads)
    model = SentenceTransformer(name, device="cpu", model_kwargs={"dtype": torch.float32})
    model.eval()
    return model


def _window_of(folder: Path) -> int:
    config = json.loads((folder / "sentence_bert_config.json").read_text("utf-8"))
    return int(config.get("max_seq_length") or _DEFAULT_WINDOW)


def _prompt(configured: str | None, prompts: Mapping[str, str | None], names: tuple[str, ...]) -> str:
    if configured is not None:
        return configured
    return next((prompt for name in names if (prompt := prompts.get(name))), "")


def _hash_weights(model: SentenceTransformer) -> str:
    """Return a hash of the loaded weights, so that a retrained model under an old name is noticed."""
    sha = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        sha.update(f"{name}{tuple(tensor.shape)}".encode())
        # A sample tells models apart and keeps start-up short.
        sha.update(tensor.detach().flatten()[:: max(1, tensor.numel() // 4096)].contiguous().numpy().tobytes())
    return sha.hexdigest()
