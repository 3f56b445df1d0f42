"""Every option, its environment variable (`LAW_` + name, or the same in `.env`), its default and what it does."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent


def _default_home(given: dict[str, Any]) -> Path:
    # A Space keeps nothing of its own disk; a volume mounted at /data outlives a restart. An index that comes ready
    # made is put on the disk all the same: it is faster, and databases do not get on with mounted buckets.
    volume = Path("/data")
    if os.environ.get("SPACE_ID") and not given.get("index") and volume.is_dir() and os.access(volume, os.W_OK):
        return volume
    return Path(".data")


def _default_host() -> str:
    # Gradio's own variable, which containers and Spaces set: who may add statutes depends on the address.
    return os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"


class Settings(BaseSettings):
    """The options of the app and both command lines. Read from nowhere else."""

    model_config = SettingsConfigDict(env_prefix="LAW_", env_file=".env", extra="ignore", frozen=True)

    index: str = Field(
        default="",
        description="Ready-made index to start with: hub:owner/name@commit (a dataset), a folder or a .tar(.gz).",
    )
    home: Path = Field(
        default_factory=_default_home,
        description="Data folder: article texts, vectors, lock. On a Space without LAW_INDEX /data if mounted.",
    )
    corpus: Path = Field(
        default=ROOT / "corpus", description="Folder of statutes that the app indexes by itself when it starts."
    )
    embedder: str = Field(
        default=str(ROOT / "embedder" / "model"),
        description="A sentence-transformers or PEFT folder, or a hub id.",
    )
    query_prompt: str | None = Field(
        default=None, description="Put before a question when it is embedded; unset: what the model's folder says."
    )
    passage_prompt: str | None = Field(
        default=None, description="Put before a passage when it is embedded; unset: what the model's folder says."
    )
    questions: Path | None = Field(
        default=ROOT / "corpus" / "questions.tsv",
        description="Questions known to be answered by an article, as further ways to it; empty: none.",
    )
    threads: int = Field(default=0, ge=0, description="CPU threads of the embedder; 0: as many as there are cores.")
    chroma_url: str = Field(
        default="",
        pattern=r"^$|^https?://[^@/?#]+(/[^?#]*)?$",
        description="Address of a Chroma server (http://host:8000); empty: embedded, in the data folder.",
    )
    chroma_token: SecretStr = Field(
        default=SecretStr(""), description="Token that the Chroma server, or the proxy before it, wants (Bearer)."
    )
    chroma_tenant: str = Field(default="", description="Tenant on the Chroma server; empty: its default.")
    chroma_database: str = Field(default="", description="Database on the Chroma server; empty: its default.")
    chroma_timeout: float = Field(
        default=60, gt=0, description="Most seconds that an answer of the Chroma server is waited for."
    )
    chunk_tokens: int = Field(
        default=256, ge=32, description="Most tokens of a chunk; never more than the model's window."
    )
    top_k: int = Field(default=5, ge=1, le=50, description="Articles shown for a question.")
    abstain_below: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="A confidence below this means that no article answers; chosen on the bank's dev split.",
    )
    llm: str = Field(
        default="", description="Language model that writes the answer, provider:model; empty: answers are extracted."
    )
    llm_base_url: str = Field(
        default="",
        description="Address of the language model's server, e.g. http://127.0.0.1:8080/v1; empty: the provider's.",
    )
    llm_timeout: int = Field(default=60, gt=0, description="Seconds a written answer may take.")
    llm_temperature: float | None = Field(
        default=None, ge=0, le=2, description="Temperature of the language model; unset: the provider's."
    )
    upload: bool = Field(
        default=True, description="Whether the app has a tab to add and remove statutes (docs/upload.md: who may)."
    )
    admin_password: SecretStr = Field(
        default=SecretStr(""),
        description="Password for adding and removing; without it only a browser on the app's own computer may.",
    )
    max_upload_mb: int = Field(default=50, ge=1, description="Largest file the upload tab takes, in MB.")
    mirror_url: str = Field(
        default="https://codeload.github.com/legalize-kr/legalize-kr/tar.gz",
        description="Where `ingest sync` gets the statute book: this, a slash and a branch or commit; empty: nowhere.",
    )
    mirror_least: int = Field(
        default=5000, ge=1, description="Fewest statutes that `ingest sync` takes for a whole statute book."
    )
    lawgokr_oc: str = Field(default="", description="Your key (OC) to the Open API of law.go.kr, for `ingest sync`.")
    lawgokr_url: str = Field(default="https://www.law.go.kr/DRF", description="Where the Open API of law.go.kr is.")
    feedback: bool = Field(
        default_factory=lambda: not os.environ.get("SPACE_ID"),
        description="Whether thumbs up and down go to `feedback.jsonl` in the data folder; off on a Space unless set.",
    )
    max_pdf_pages: int = Field(default=3000, ge=1, description="Most pages of a PDF.")
    max_ocr_pages: int = Field(
        default=300, ge=0, description="Most pages of a PDF that are read from their picture (OCR); 0: none."
    )
    ocr_seconds: float = Field(default=300, gt=0, description="Most seconds the OCR of one column of a page may take.")
    max_file_mb: int = Field(
        default=200,
        ge=1,
        description="Largest statute file that is read, and the most a zipped one may unpack to, in MB.",
    )
    host: str = Field(
        default_factory=_default_host, description="Address the app listens on; 0.0.0.0 for every interface."
    )
    port: int = Field(default=7860, ge=0, le=65535, description="Port the app listens on.")

    @field_validator("questions", mode="before")
    @classmethod
    def _none_where_empty(cls, value: object) -> object:
        return value or None  # as a path '' would be the folder one is in

    @property
    def space(self) -> bool:
        """Whether the app runs on a Hugging Face Space."""
        return bool(os.environ.get("SPACE_ID"))


@cache
def settings() -> Settings:
    """Return the options, read once. Raises SettingsError, naming the variable."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "LAW_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"설정 {name}의 값 {first['input']!r}을(를) 쓸 수 없습니다: {first['msg']}") from error
