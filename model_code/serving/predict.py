"""Classifies image files with a SavedModel.

A file is checked and made upright as an ingest does it, so that the network
sees what it would have been trained on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from model_code.config.dataset import DatasetConfig
from model_code.data.ingestion.decoding import BadImage, check_image, quiet_pillow
from model_code.serving.export import ENCODED
from model_code.serving.saved_model import ServedModel, Signature

MAXIMUM_PIXELS: int = DatasetConfig.maximum_pixels
"""The bound of an ingest against decompression bombs."""


@dataclass(frozen=True)
class Prediction:
    """What the model says about an image.

    Attributes:
        image: the file.
        probabilities: by class, the most probable first.
    """

    image: Path
    probabilities: dict[str, float]

    @property
    def class_name(self) -> str:
        """The most probable class."""
        return next(iter(self.probabilities))

    @property
    def probability(self) -> float:
        """That of the most probable class."""
        return self.probabilities[self.class_name]


@dataclass(frozen=True)
class Refusal:
    """An image that was not classified, and why, in one paragraph."""

    image: Path
    problem: str


def predict(
    model: ServedModel, images: Iterable[Path]
) -> Iterator[Prediction | Refusal]:
    """One answer an image, in order; a bad file does not stop the others."""
    quiet_pillow()
    classify = model.signature(ENCODED)
    for image in images:
        try:
            checked = check_image(image.read_bytes(), MAXIMUM_PIXELS)
        except OSError as error:
            yield _refuse(image, f"it cannot be read ({error.strerror})")
        except BadImage as error:
            yield _refuse(image, str(error))
        else:
            yield Prediction(image, _classify(classify, checked.encoded))


def _classify(classify: Signature, encoded: bytes) -> dict[str, float]:
    answer = classify(images=tf.constant([encoded]))
    names = [name.decode() for name in answer["class_names"][0].numpy()]
    probabilities = map(float, answer["probabilities"][0].numpy())
    by_class = zip(names, probabilities, strict=True)
    return dict(sorted(by_class, key=lambda pair: -pair[1]))


def _refuse(image: Path, cause: str) -> Refusal:
    return Refusal(
        image,
        f"{image} was not classified: {cause}. Expected a whole JPEG, PNG, GIF, BMP, "
        f"WebP or TIFF image of one frame and at most {MAXIMUM_PIXELS:,} pixels; "
        "convert the file, or leave it out.",
    )
