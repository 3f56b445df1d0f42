"""Fine-tunes an embedder with sentence-transformers, as a config file says: `python -m embedder train --config FILE`.

A run writes its checkpoints, `log.csv`, `log.png` and the finished model below the config's `output`; started again, it
goes on from its last checkpoint. Needs the packages of `requirements-dev.txt`.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
import yaml
from datasets import Dataset
from pydantic import BaseModel, ConfigDict, Field
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
from sentence_transformers.sentence_transformer.losses import (
    CachedMultipleNegativesRankingLoss,
    MatryoshkaLoss,
    MultipleNegativesRankingLoss,
)
from sentence_transformers.sentence_transformer.training_args import BatchSamplers
from transformers import TrainerCallback
from transformers.trainer_utils import get_last_checkpoint

from embedder.pairs import Pair, Plan, dev_set, read_pairs
from rag.errors import SettingsError


class AsArranged(DefaultBatchSampler):
    """Batches in the order of the training file, which `embedder.pairs.arrange` has made of neighbouring articles."""

    def __init__(self, dataset: Dataset, *args: Any, **kwargs: Any):
        super().__init__(dataset, *args, **kwargs)
        self._rows = len(dataset)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield row numbers, whole batches only."""
        for start in range(0, self._rows - self.batch_size + 1, self.batch_size):
            yield list(range(start, start + self.batch_size))

    def __len__(self) -> int:
        return int(self._rows // self.batch_size)


_SAMPLERS: dict[str, Any] = {
    "distinct": BatchSamplers.NO_DUPLICATES,
    "random": BatchSamplers.BATCH_SAMPLER,
    "as-arranged": AsArranged,
}


class Lora(BaseModel):
    """Low-rank adapters in place of full training; `targets` are the names of the layers they sit on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: int
    alpha: int
    dropout: float = 0.0
    targets: list[str] = ["query", "key", "value", "dense"]


class Recipe(BaseModel):
    """What a config file says. `base` and `output` are folders or a hub id; lengths are in tokens, prompt included."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str
    output: Path
    pairs: Plan
    keep_layers: list[int] | None = None
    lora: Lora | None = None
    query_prompt: str = "query: "
    passage_prompt: str = "passage: "
    max_tokens: int = 128
    loss: Literal["in-batch", "cached"] = "in-batch"
    mini_batch: int = 32
    scale: float = 20.0
    matryoshka: list[int] = []
    batch: int = 64
    epochs: float = 1.0
    max_steps: int = -1
    learning_rate: float = 5e-5
    schedule: str = "linear"
    warmup: float = 0.05
    weight_decay: float = 0.01
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = 42
    threads: int = Field(default=0, description="0 leaves it to torch")
    order: Literal["distinct", "as-arranged", "random"] = "distinct"
    evaluate_every: int = 200
    save_every: int = 100


def read_recipe(path: Path) -> Recipe:
    """Read a config file. Raises SettingsError, naming what is wrong with it."""
    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: {error}") from error


def train(recipe: Recipe, pairs_file: Path) -> Path:
    """Train as the recipe says on the pairs of a file (`embedder.pairs`); return the folder of the finished model."""
    torch.manual_seed(recipe.seed)
    random.seed(recipe.seed)
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    model = prepared(recipe)
    pairs = read_pairs(pairs_file)
    log = CsvLog(recipe.output / "log.csv")
    trainer = SentenceTransformerTrainer(
        model=model,
        args=_arguments(recipe),
        train_dataset=_dataset(pairs),
        loss=_loss(model, recipe),
        evaluator=_evaluator(pairs_file, recipe),
        callbacks=[log],
    )
    recipe.output.mkdir(parents=True, exist_ok=True)
    last = get_last_checkpoint(str(recipe.output))  # type: ignore[no-untyped-call]
    trainer.train(resume_from_checkpoint=last)
    _save(model, recipe)
    log.plot()
    return recipe.output / "model"


def prepared(recipe: Recipe) -> SentenceTransformer:
    """Load the base with the recipe's layers, window, prompts and adapters."""
    model = SentenceTransformer(recipe.base, device="cpu", model_kwargs={"dtype": torch.float32})
    encoder: Any = model[0].auto_model
    if recipe.keep_layers is not None:
        layers = encoder.encoder.layer
        encoder.encoder.layer = torch.nn.ModuleList(layers[index] for index in recipe.keep_layers)
        encoder.config.num_hidden_layers = len(recipe.keep_layers)
    if recipe.lora is not None:
        from peft import LoraConfig, TaskType

        model.add_adapter(
            LoraConfig(
                task_type=TaskType.FEATURE_EXTRACTION,
                r=recipe.lora.rank,
                lora_alpha=recipe.lora.alpha,
                lora_dropout=recipe.lora.dropout,
                target_modules=recipe.lora.targets,
            )
        )
    model.prompts = {"query": recipe.query_prompt, "document": recipe.passage_prompt}
    model.max_seq_length = recipe.max_tokens
    return model


def _dataset(pairs: Sequence[Pair]) -> Dataset:
    columns: dict[str, list[str]] = {
        "anchor": [pair.query for pair in pairs],
        "positive": [pair.positive for pair in pairs],
    }
    for number in range(min(len(pair.negatives) for pair in pairs)):
        columns[f"negative_{number + 1}"] = [pair.negatives[number] for pair in pairs]
    return Dataset.from_dict(columns)


def _loss(model: SentenceTransformer, recipe: Recipe) -> torch.nn.Module:
    loss: torch.nn.Module
    if recipe.loss == "cached":
        loss = CachedMultipleNegativesRankingLoss(model, scale=recipe.scale, mini_batch_size=recipe.mini_batch)
    else:
        loss = MultipleNegativesRankingLoss(model, scale=recipe.scale)
    return MatryoshkaLoss(model, loss, matryoshka_dims=recipe.matryoshka) if recipe.matryoshka else loss


def _arguments(recipe: Recipe) -> SentenceTransformerTrainingArguments:
    passages = ["positive", *(f"negative_{number}" for number in range(1, 9))]
    return SentenceTransformerTrainingArguments(
        output_dir=str(recipe.output),
        per_device_train_batch_size=recipe.batch,
        num_train_epochs=recipe.epochs,
        max_steps=recipe.max_steps,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=recipe.warmup,
        weight_decay=recipe.weight_decay,
        bf16=recipe.precision == "bf16",
        use_cpu=True,
        seed=recipe.seed,
        data_seed=recipe.seed,
        batch_sampler=_SAMPLERS[recipe.order],
        prompts={"anchor": recipe.query_prompt, **dict.fromkeys(passages, recipe.passage_prompt)},
        eval_strategy="steps",
        eval_steps=recipe.evaluate_every,
        save_strategy="steps",
        save_steps=recipe.save_every,
        save_total_limit=1,
        logging_steps=10,
        report_to=[],
        dataloader_drop_last=True,
    )


def _evaluator(pairs_file: Path, recipe: Recipe) -> InformationRetrievalEvaluator:
    queries: Any
    passages: Any
    queries, passages, relevant = dev_set(pairs_file)
    return InformationRetrievalEvaluator(
        queries,
        passages,
        relevant,
        mrr_at_k=[10],
        ndcg_at_k=[10],
        accuracy_at_k=[1, 5, 10],
        precision_recall_at_k=[10],
        map_at_k=[10],
        batch_size=64,
        name="dev",
        query_prompt=recipe.query_prompt,
        corpus_prompt=recipe.passage_prompt,
        write_csv=False,
    )


def _save(model: SentenceTransformer, recipe: Recipe) -> None:
    if recipe.lora is not None:
        transformer: Any = model[0]
        transformer.auto_model = transformer.auto_model.merge_and_unload()
    model.max_seq_length = 512
    model.save_pretrained(str(recipe.output / "model"), create_model_card=False)


class CsvLog(TrainerCallback):
    """Writes every logged step (loss, learning rate, dev figures) as a row of a CSV file, and draws it."""

    _FIELDS = ("step", "loss", "learning_rate", "hit@1", "hit@5", "hit@10", "mrr@10")
    _EVALUATED = ("cosine_accuracy@1", "cosine_accuracy@5", "cosine_accuracy@10", "cosine_mrr@10")

    def __init__(self, path: Path):
        self._path = path

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        """Append what the trainer logged."""
        logs = logs or {}
        if "loss" in logs:
            self._append([state.global_step, logs["loss"], logs["learning_rate"], "", "", "", ""])
        elif "eval_dev_cosine_mrr@10" in logs:
            figures = [logs[f"eval_dev_{name}"] for name in self._EVALUATED]
            self._append([state.global_step, "", "", *figures])

    def _append(self, row: list[float | str]) -> None:
        new = not self._path.exists()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(self._FIELDS)
            writer.writerow([round(value, 6) if isinstance(value, float) else value for value in row])

    def plot(self) -> None:
        """Draw loss and dev hit@5 over the steps into log.png beside the CSV file."""
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        with self._path.open() as file:
            rows = list(csv.DictReader(file))
        figure, left = pyplot.subplots(figsize=(8, 4))
        losses = [(int(row["step"]), float(row["loss"])) for row in rows if row["loss"]]
        left.plot(*zip(*losses, strict=True), color="tab:blue", label="loss")
        left.set_xlabel("step")
        left.set_ylabel("loss")
        right = left.twinx()
        hits = [(int(row["step"]), float(row["hit@5"])) for row in rows if row["hit@5"]]
        if hits:
            right.plot(*zip(*hits, strict=True), color="tab:orange", marker="o", label="dev hit@5")
        right.set_ylabel("dev hit@5")
        right.set_ylim(0, 1)
        figure.legend(loc="upper center", ncols=2)
        figure.tight_layout()
        figure.savefig(self._path.with_suffix(".png"), dpi=100)
        pyplot.close(figure)
