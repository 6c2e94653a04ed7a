"""A recipe: everything that decides what a pipeline run produces."""

import hashlib
import json
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from model_code.config.base import (
    STRICT,
    Count,
    Flag,
    Fraction,
    Index,
    Name,
    NonNegative,
)
from model_code.config.dataset import DatasetConfig
from model_code.config.model import ModelConfig
from model_code.config.training import TrainConfig


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TrainingTask:
    """A dataset and how to train on it."""

    data: DatasetConfig
    train: TrainConfig


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EvaluationConfig:
    """How the finished model is judged on its held-out test split.

    `slices` name features whose values are reported one by one. Examples whose
    `certain_feature` is "certain" are also reported on their own.
    `require_tfma` adds TFMA's analysis, whose import alone takes 7 to 16 s, and
    turns its absence into an error.
    """

    batch_size: Count = 64
    slices: tuple[Name, ...] = ()
    bootstrap_resamples: Count = 1000
    bootstrap_seed: Index = 0
    confidence: Fraction = 0.95
    calibration_bins: Count = 15
    certain_feature: Name | None = None
    require_tfma: Flag = False


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GateConfig:
    """When a challenger replaces the champion."""

    primary_metric: Literal["top1", "balanced_accuracy", "macro_f1", "auroc"] = "top1"
    minimum_improvement: NonNegative = 0.0
    minimum_value: Fraction = 0.0


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Recipe:
    """One reproducible run; `model_name` is the registered model it feeds."""

    name: Name
    description: str
    model_name: Name
    model: ModelConfig = ModelConfig()
    pretrain: TrainingTask | None = None
    finetune: TrainingTask
    evaluation: EvaluationConfig = EvaluationConfig()
    gate: GateConfig = GateConfig()


_ADAPTER = TypeAdapter(Recipe)


def to_dict(recipe: Recipe) -> dict[str, Any]:
    """Every setting of the recipe, defaults included, as plain JSON values."""
    plain: dict[str, Any] = _ADAPTER.dump_python(recipe, mode="json")
    return plain


def to_json(recipe: Recipe) -> str:
    """Canonical text of the resolved recipe: sorted keys, no spaces."""
    return json.dumps(to_dict(recipe), sort_keys=True, separators=(",", ":"))


def digest(recipe: Recipe) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(to_json(recipe).encode()).hexdigest()
