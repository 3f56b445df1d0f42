"""The embedder as LangChain `Embeddings`: any sentence-transformers folder, PEFT/LoRA folder or hub id."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from langchain_core.embeddings import Embeddings

from rag.errors import EmbedderError
from rag.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_QUERY_NAMES = ("query",)
_PASSAGE_NAMES = ("document", "passage", "corpus")
_DEFAULT_WINDOW = 512
_SLICE = 16


class StatuteEmbedder(Embeddings):
    """Embeds questions and passages as unit vectors, each with its own prompt.

    `name` is the folder or hub id, `dimension` the length of a vector, `window` the most tokens of a passage with
    its prompt; `fingerprint` changes with whatever changes a vector (weights, prompts).
    """

    def __init__(self, model: SentenceTransformer, name: str, query_prompt: str, passage_prompt: str, weights: str):
        self.name = name
        self.query_prompt = query_prompt
        self.passage_prompt = passage_prompt
        self.window = min(int(model.max_seq_length or _DEFAULT_WINDOW), 8192)
        self.dimension = int(model.get_embedding_dimension() or 0)
        self.fingerprint = hashlib.sha256("\0".join((weights, query_prompt, passage_prompt)).encode()).hexdigest()[:16]
        self._model = model
        self._lock = threading.Lock()
        self._prompt_tokens = len(self._token_ids(passage_prompt))

    def embed_query(self, text: str) -> list[float]:
        """Return the unit vector of a question."""
        vector: list[float] = self._encode([text], self.query_prompt)[0].tolist()
        return vector

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the unit vectors of passages, in their order."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        # Texts of like length together, for little padding; a few at a time, so that a question need not wait long.
        by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(texts), _SLICE):
            chosen = by_length[start : start + _SLICE]
            vectors[chosen] = self._encode([texts[index] for index in chosen], self.passage_prompt)
        as_lists: list[list[float]] = vectors.tolist()
        return as_lists

    def count_tokens(self, text: str) -> int:
        """Return how much of the window a passage takes, its prompt and the special tokens included."""
        return len(self._token_ids(text)) + self._prompt_tokens

    def _token_ids(self, text: str) -> list[int]:
        # `verbose=False`: asking how long a text is must not warn that it is long.
        ids: list[int] = self._model.tokenizer(text, truncation=False, verbose=False)["input_ids"]
        return ids

    def _encode(self, texts: list[str], prompt: str) -> np.ndarray:
        with self._lock:
            return self._model.encode(
                texts, prompt=prompt, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
            )


def load_embedder(settings: Settings) -> StatuteEmbedder:
    """Load the configured model. Raises EmbedderError where it is missing or broken."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if settings.threads:
        torch.set_num_threads(settings.threads)
    name = settings.embedder
    folder = Path(name)
    is_folder = folder.is_dir()
    if not is_folder and (folder.is_absolute() or name.startswith(".")):
        raise EmbedderError(f"임베딩 모델 폴더가 없습니다: {name}. LAW_EMBEDDER를 확인해 주십시오.")
    try:
        model = SentenceTransformer(name, device="cpu", model_kwargs={"dtype": torch.float32})
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        reason = str(error).strip().splitlines()
        raise EmbedderError(
            f"임베딩 모델 '{name}'을(를) 불러올 수 없습니다. LAW_EMBEDDER가 sentence-transformers 폴더이거나 "
            f"내려받을 수 있는 허브 이름인지 확인해 주십시오. ({reason[0] if reason else type(error).__name__})"
        ) from error
    model.eval()
    return StatuteEmbedder(
        model,
        name=folder.name if is_folder else name,
        query_prompt=_prompt(settings.query_prompt, model.prompts, _QUERY_NAMES),
        passage_prompt=_prompt(settings.passage_prompt, model.prompts, _PASSAGE_NAMES),
        weights=_hash_weights(model),
    )


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
