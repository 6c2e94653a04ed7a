"""From an image as its source has it to an example, or to a dead letter."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from model_code.data.ingestion.decoding import BadImage, check_image
from model_code.data.ingestion.spill import DeadLetter
from model_code.data.records import Example
from model_code.data.sources.base import SourceImage


@dataclass(frozen=True)
class Examined:
    """An example that passed every check, what was converted, and its source."""

    example: Example
    conversions: tuple[str, ...]
    source: SourceImage


@dataclass(frozen=True)
class Examiner:
    """The checks of one dataset; picklable, and safe to share among threads."""

    class_names: Sequence[str]
    multi_label: bool
    maximum_pixels: int
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = {name: index for index, name in enumerate(self.class_names)}
        object.__setattr__(self, "_ids", ids)

    def examine(self, image: SourceImage) -> Examined | DeadLetter:
        """Read, check and convert one image."""
        try:
            data = _load(image)
            labels = self._label_ids(image.labels)
            checked = check_image(data, self.maximum_pixels)
        except BadImage as verdict:
            return DeadLetter(image.name, verdict.reason, verdict.detail)
        example = Example(
            filename=image.name,
            encoded=checked.encoded,
            format=checked.format,
            height=checked.height,
            width=checked.width,
            labels=labels,
            texts=tuple(self.class_names[label] for label in labels),
            slices=image.slices,
            # As the record stores them, so that digests can be recomputed.
            meta={name: float(np.float32(v)) for name, v in image.meta.items()},
        )
        return Examined(example, checked.conversions, image)

    def _label_ids(self, labels: Sequence[str]) -> tuple[int, ...]:
        unknown = [label for label in labels if label not in self._ids]
        if unknown:
            raise BadImage("unknown_label", f"{unknown[0]!r} is not a class name")
        if len(labels) != 1 and not self.multi_label:
            raise BadImage("label_count", f"{len(labels)} labels, expected one")
        return tuple(sorted({self._ids[label] for label in labels}))


def _load(image: SourceImage) -> bytes:
    try:
        return image.load()
    except OSError as error:
        raise BadImage("unreadable", error.strerror or str(error)) from error
