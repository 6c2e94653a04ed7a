"""Runs a SavedModel over a split: every example once, in a fixed order.

What is judged is what is served: the SavedModel, through its signature for
decoded pictures.
"""

import heapq
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from model_code import artifacts
from model_code.config.training import AugmentationConfig
from model_code.data.input_pipeline import EvaluationBatch, evaluation_batches
from model_code.data.manifest import DatasetManifest
from model_code.errors import DataError
from model_code.evaluation.predictions import Predictions, concatenate, rank
from model_code.model_card import ModelCard
from model_code.serving.export import PIXELS
from model_code.serving.saved_model import ServedModel

MISTAKES_KEPT = 12


@dataclass(frozen=True)
class Judgement:
    """What a model said about a split.

    Attributes:
        predictions: of the examples that have a label.
        mistakes: indices into them, the most confident first.
        pictures: a PNG of each mistake, as the model saw it.
        unlabelled: examples without a label, which no prediction fits.
    """

    predictions: Predictions
    mistakes: tuple[int, ...]
    pictures: tuple[bytes, ...]
    unlabelled: int


def judge(
    model_dir: Path,
    card: ModelCard,
    manifest: DatasetManifest,
    split: str,
    batch_size: int,
) -> Judgement:
    """Run the model of a Model artifact over the split.

    Raises:
        DataError: the model and the dataset name different classes, or no
            example of the split has a label.
    """
    _check_label_space(card, manifest)
    model = ServedModel(model_dir / artifacts.SAVED_MODEL)
    classify = model.signature(PIXELS)
    batches = evaluation_batches(
        manifest,
        split,
        card.image_size,
        batch_size,
        augmentation=_as_trained(card),
    )
    tables: list[Predictions] = []
    unlabelled = 0
    worst: list[_Mistake] = []
    for batch in batches:
        probabilities = classify(images=batch.images)["probabilities"]
        present = batch.weights.numpy() > 0
        labelled = present & (batch.labels.numpy() > 0).any(axis=1)
        unlabelled += int(present.sum() - labelled.sum())
        table = _rank(batch, probabilities.numpy(), labelled)
        pictures = batch.images.numpy()[labelled]
        first = sum(len(earlier) for earlier in tables)
        worst = heapq.nsmallest(
            MISTAKES_KEPT, [*worst, *_mistakes(table, pictures, first)]
        )
        tables.append(table)
    if not any(len(table) > 0 for table in tables):
        raise DataError(
            f"No example of the split {split!r} of {manifest.name} has a label; "
            "expected at least one to evaluate on. Check the labels of the source."
        )
    return Judgement(
        predictions=concatenate(tables),
        mistakes=tuple(mistake.index for mistake in worst),
        pictures=tuple(_png(mistake.picture) for mistake in worst),
        unlabelled=unlabelled,
    )


@dataclass(frozen=True)
class _Mistake:
    confidence: float
    index: int
    picture: npt.NDArray[Any]

    def __lt__(self, other: "_Mistake") -> bool:
        """More confident, or earlier in the split."""
        return (-self.confidence, self.index) < (-other.confidence, other.index)


def _mistakes(
    table: Predictions, pictures: npt.NDArray[Any], first: int
) -> Iterator[_Mistake]:
    for i in np.flatnonzero(~table.correct):
        yield _Mistake(float(table.confidence[i]), first + int(i), pictures[i])


def _rank(
    batch: EvaluationBatch, probabilities: npt.NDArray[Any], kept: npt.NDArray[Any]
) -> Predictions:
    return rank(
        _texts(batch.ids.numpy()[kept]),
        batch.labels.numpy()[kept],
        probabilities[kept],
        {name: _texts(values.numpy()[kept]) for name, values in batch.slices.items()},
    )


def _texts(values: npt.NDArray[Any]) -> list[str]:
    # A file name may be bytes that no encoding names.
    return [value.decode("utf-8", "backslashreplace") for value in values]


def _png(picture: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    pixels = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    image = Image.fromarray(pixels)
    image.thumbnail((160, 160))
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _as_trained(card: ModelCard) -> AugmentationConfig:
    return AugmentationConfig(
        evaluation_crop="whole" if card.crop is None else "center",
        interpolation=card.interpolation,
    )


def _check_label_space(card: ModelCard, manifest: DatasetManifest) -> None:
    if card.class_names == manifest.class_names:
        return
    raise DataError(
        f"The model, trained on {card.dataset}, knows the classes "
        f"{_brief(card.class_names)}; the dataset {manifest.name} has "
        f"{_brief(manifest.class_names)}. Expected the same classes in the same "
        "order: evaluate on the dataset it was trained for, or give the recipe "
        "another model_name for another label space."
    )


def _brief(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
