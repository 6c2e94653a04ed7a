"""What a trained network is: all that evaluation and serving must know of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from model_code import artifacts
from model_code.config.base import STRICT, Count, Index, Pixels
from model_code.config.model import ModelConfig
from model_code.config.training import Interpolation
from model_code.errors import ConfigError

Task = Literal["pretrain", "finetune"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ModelCard:
    """The file `model.json` of a Model artifact.

    Attributes:
        task: which part of the recipe trained it.
        model: the network; with the weights file it is the whole function.
        class_names: the label space, in the order of the logits.
        image_size: side in pixels at which the network is evaluated and served.
        crop: share of the short side that evaluation sees; None is the whole
            picture (`data.cropping.evaluation_crop`).
        interpolation: how pictures are resized.
        loss: `softmax` for one class of many, `sigmoid` for each class alone.
        seed: of the training run.
        steps: optimizer updates made.
        dataset: name of the dataset.
        dataset_fingerprint: SHA-256 of what training read.
        metrics: of the evaluation weights on the validation split, by name
            (`val/top1`); empty where nothing was held out.
    """

    task: Task
    model: ModelConfig
    class_names: tuple[str, ...]
    image_size: Pixels
    crop: float | None
    interpolation: Interpolation
    loss: Literal["softmax", "sigmoid"]
    seed: Index
    steps: Count
    dataset: str
    dataset_fingerprint: str
    metrics: Mapping[str, float]


_ADAPTER = TypeAdapter(ModelCard)


def write(card: ModelCard, directory: Path) -> None:
    """Write `model.json` into a Model artifact, whole or not at all."""
    values = _ADAPTER.dump_python(card, mode="json")
    artifacts.write_json(directory / artifacts.MODEL_CARD, values)


def read(directory: Path) -> ModelCard:
    """The card of a Model artifact.

    Raises:
        ConfigError: there is none, or it is not one that this version reads.
    """
    path = directory / artifacts.MODEL_CARD
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ConfigError(
            f"No {artifacts.MODEL_CARD} in {directory}; expected a Model artifact as "
            "pretrain and finetune write it. Check the path, or train the model again."
        ) from error
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(map(str, detail["loc"])) or "the file"
        raise ConfigError(
            f"{path} is not a model card that this version reads: {where}: "
            f"{detail['msg']}. Train the model again, or use the version that made it."
        ) from error
