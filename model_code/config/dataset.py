"""Which images to learn from, how they are split, checked and sharded."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from model_code.config.base import (
    STRICT,
    Count,
    Flag,
    Fraction,
    Index,
    Name,
    NonNegative,
    Pixels,
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ElpvSource:
    """Electroluminescence images of solar cells, from PyPI `elpv-dataset`.

    A cell counts as defective when its probability exceeds the threshold.
    """

    kind: Literal["elpv"]
    defect_threshold: Fraction = 0.5


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FolderSource:
    """One directory per class below `path`, or a manifest of paths and labels.

    `path` is local or `gs://`. `manifest` is a `.csv` or `.jsonl` file, named
    relative to `path` or in full, with the fields `path` (relative to `path`)
    and `label`; further fields become slice features, or meta features where
    all values are numbers. `class_names` fixes the label space and its order;
    without it the labels found are sorted. With `multi_label`, `label` is a
    list in JSONL and `|`-separated in CSV, and may be empty.
    """

    kind: Literal["folder"]
    path: str
    manifest: str | None = None
    class_names: tuple[str, ...] | None = None
    multi_label: Flag = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.multi_label and self.manifest is None:
            raise ValueError(
                "multi_label needs a manifest: a class directory gives one label"
            )
        return self


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FractalSource:
    """Formula-driven images: iterated function systems (Kataoka et al. 2020).

    Stands in for ImageNet-21k where there is no network; it is not a
    replacement for real images.
    """

    kind: Literal["fractal"]
    classes: Count
    images_per_class: Count
    image_size: Pixels = 96
    seed: Index


Source = Annotated[
    ElpvSource | FolderSource | FractalSource, Field(discriminator="kind")
]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SplitConfig:
    """Shares of the dataset, cut by a stable hash of each image's bytes.

    `validation` is a share of what remains after `test`.
    """

    test: Fraction = 0.25
    validation: Fraction = 0.1
    minimum_per_class: Index = 1
    salt: str = "effnetv2"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ValidationConfig:
    """What the validate task demands of a dataset.

    TFDV needs glibc 2.39; `require_tfdv` turns its absence into an error.
    Distances are L-infinity between label or feature distributions.
    """

    require_tfdv: Flag = False
    maximum_split_skew: NonNegative = 0.2
    maximum_span_drift: NonNegative = 0.1


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DatasetConfig:
    """One dataset: source, splits, checks and shard size.

    `maximum_dead_letters` is the share of images that may fail their checks
    before the run stops. `maximum_pixels` refuses decompression bombs.
    """

    name: Name
    source: Source
    splits: SplitConfig = SplitConfig()
    shard_megabytes: Count = 64
    maximum_dead_letters: Fraction = 0.0
    maximum_pixels: Count = 64_000_000
    validation: ValidationConfig = ValidationConfig()
