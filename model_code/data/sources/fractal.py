"""Formula-driven pretraining images, rendered in the job that writes them."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from PIL import Image

from model_code.config.dataset import FractalSource
from model_code.data.sources import attractors
from model_code.data.sources.base import (
    PART_EXAMPLES,
    Listing,
    SourceImage,
    state_digest,
)

RENDERER_VERSION = 1
"""Raised when the same configuration gives other pixels."""


@dataclass(frozen=True, slots=True)
class FractalPart:
    """Consecutive images of one class."""

    config: FractalSource
    class_index: int
    first: int
    count: int

    def read(self) -> Iterator[SourceImage]:
        """Render the images, all of the part at once."""
        seed = self.config.seed
        system = attractors.find_system(seed, self.class_index)
        indexes = range(self.first, self.first + self.count)
        size = self.config.image_size
        images = attractors.render(system, seed, self.class_index, indexes, size)
        name = _class_name(self.class_index)
        for index, pixels in zip(indexes, images, strict=True):
            yield SourceImage(
                name=f"{name}/{index:06d}.png",
                load=partial(_png, pixels),
                labels=(name,),
            )


def list_fractal(config: FractalSource) -> Listing:
    """Every image of the formula, class by class."""
    starts = range(0, config.images_per_class, PART_EXAMPLES)
    parts = [
        FractalPart(
            config, index, start, min(PART_EXAMPLES, config.images_per_class - start)
        )
        for index in range(config.classes)
        for start in starts
    ]
    return Listing(
        class_names=tuple(_class_name(index) for index in range(config.classes)),
        parts=parts,
        state=state_digest([RENDERER_VERSION]),
        examples=config.classes * config.images_per_class,
    )


def _class_name(index: int) -> str:
    return f"fractal-{index:05d}"


def _png(pixels: attractors.Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
