"""Training runs of a few seconds, in this process or in one that may be killed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from model_code.config.model import ModelConfig
from model_code.config.training import (
    AugmentationConfig,
    CheckpointConfig,
    DistributionConfig,
    LearningRateConfig,
    OptimizerConfig,
    ProgressiveConfig,
    Ramp,
    SizeRamp,
    TrainConfig,
)
from model_code.data import manifest as manifests
from model_code.data.manifest import DatasetManifest
from tests.helpers.datasets import examples, write_dataset

MODEL = ModelConfig(variant="tiny", drop_path_rate=0.2)
TRAIN_EXAMPLES = 48
STEPS = 18
"""Of `tiny_config()` over `tiny_dataset()`."""

_TRAIN = TypeAdapter(TrainConfig)


def tiny_config(**changes: Any) -> TrainConfig:
    """Three epochs of six steps in two progressive stages."""
    settings: dict[str, Any] = {
        "seed": 3,
        "epochs": 3.0,
        "global_batch_size": 8,
        "progressive": ProgressiveConfig(
            stages=2,
            image_size=SizeRamp(start=16, end=24),
            mixup_alpha=Ramp(start=0.0, end=0.2),
            dropout_rate=Ramp(start=0.1, end=0.3),
        ),
        "learning_rate": LearningRateConfig(
            schedule="cosine", base=0.002, scale_by_batch=False, warmup_epochs=0.5
        ),
        "optimizer": OptimizerConfig(kind="rmsprop", clip_norm=5.0),
        "augmentation": AugmentationConfig(crop="resize", policy="none"),
        "ema_decay": 0.9,
        "evaluation_image_size": 24,
        "distribution": DistributionConfig(steps_per_call=2),
        "checkpoint": CheckpointConfig(every_steps=4, keep=2),
        "deterministic": True,
    }
    return TrainConfig(**(settings | changes))


def tiny_dataset(directory: Path, *, validation: int = 10) -> DatasetManifest:
    directory.mkdir(parents=True, exist_ok=True)
    rows = examples(TRAIN_EXAMPLES + validation)
    splits = {"train": rows[:TRAIN_EXAMPLES]}
    if validation:
        splits["validation"] = rows[TRAIN_EXAMPLES:]
    return write_dataset(directory, splits)


class Worker:
    """A training process: it prints what progress lines say, and may be killed."""

    def __init__(
        self,
        directory: Path,
        train: TrainConfig,
        environment: Mapping[str, str] | None = None,
        *,
        drop_path_rate: float = MODEL.drop_path_rate,
        logical_cpus: int = 1,
    ) -> None:
        """Train over `directory/data` into `directory/work` and `directory/out`."""
        order = {
            "directory": str(directory),
            "train": _TRAIN.dump_python(train),
            "drop_path_rate": drop_path_rate,
            "logical_cpus": logical_cpus,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.model_code.training.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order, default=list))
        self.process.stdin.close()

    def wait_for(self, text: str) -> None:
        """Return when a line with that text was printed."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if text in line:
                return
        raise AssertionError(f"the worker ended without saying {text!r}")

    def wait_for_step(self, step: int) -> None:
        """Return when it has trained that far, or has ended."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = re.search(r"step (\d+)/", line)
            if found and int(found[1]) >= step:
                return

    def finish(self) -> str:
        """Wait for the end and return the rest of the output."""
        assert self.process.stdout is not None
        rest = self.process.stdout.read()
        self.process.stdout.close()
        self.process.wait(timeout=300)
        return rest

    def kill(self, after_seconds: float = 0.0) -> None:
        """SIGKILL, unless it has ended by itself."""
        time.sleep(after_seconds)
        self.process.send_signal(signal.SIGKILL)
        self.finish()


def prepare(directory: Path) -> None:
    """A dataset where a worker looks for it."""
    dataset = tiny_dataset(directory / "data")
    manifests.write(dataset, directory / "data")
