"""What training hands back: the Model artifact, and a line about it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model_code import artifacts, model_card
from model_code.config.model import ModelConfig
from model_code.config.training import TrainConfig
from model_code.data.cropping import evaluation_crop
from model_code.data.manifest import DatasetManifest
from model_code.model.weights import save_weights
from model_code.model_card import ModelCard, Task
from model_code.training.journal import Row, duration
from model_code.training.start import Origin
from model_code.training.state import TrainingState


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """How a run of training went.

    Attributes:
        origin: how this process began.
        first_step: after how many steps it took over; 0 unless resumed.
        steps: of the whole training.
        seconds: of this process, input and evaluation included.
        images_per_second: of training alone; 0 where nothing was left to do.
        metrics: of the evaluation weights on the validation split, by name;
            empty where nothing was held out.
    """

    origin: Origin
    first_step: int
    steps: int
    seconds: float
    images_per_second: float
    metrics: Mapping[str, float]

    def __str__(self) -> str:
        """One line for a summary."""
        begin = f"resumed at step {self.first_step}"
        parts = [
            f"{self.steps} steps",
            begin if self.origin == "resumed" else self.origin,
            f"{duration(self.seconds)}, {self.images_per_second:.0f} images/s",
            *(f"{name} {value:.4f}" for name, value in self.metrics.items()),
        ]
        return ", ".join(parts)


def final_metrics(history: Sequence[Row]) -> dict[str, float]:
    """The last evaluation of a history; empty where there was none."""
    for row in reversed(history):
        found = {name: value for name, value in row.items() if name.startswith("val/")}
        if found:
            return found
    return {}


def write_model(
    output: Path,
    state: TrainingState,
    history: Sequence[Row],
    card: ModelCard,
) -> None:
    """Write the Model artifact; the card comes last and marks it complete."""
    output.mkdir(parents=True, exist_ok=True)
    with state.averaged() as model:
        save_weights(model, output / artifacts.WEIGHTS)
    rows = "".join(json.dumps(row) + "\n" for row in history)
    (output / artifacts.HISTORY).write_text(rows)
    model_card.write(card, output)


def card_of(
    task: Task,
    train: TrainConfig,
    model: ModelConfig,
    manifest: DatasetManifest,
    *,
    steps: int,
    metrics: Mapping[str, float],
) -> ModelCard:
    """The card of a network that was trained so."""
    return ModelCard(
        task=task,
        model=model,
        class_names=manifest.class_names,
        image_size=train.evaluation_image_size,
        crop=evaluation_crop(train.evaluation_image_size, train.augmentation),
        interpolation=train.augmentation.interpolation,
        loss=train.loss.kind,
        seed=train.seed,
        steps=steps,
        dataset=manifest.name,
        dataset_fingerprint=manifest.fingerprint,
        metrics=metrics,
    )
