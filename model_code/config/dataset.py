"""Which images to learn from, how they are split, checked and sharded."""

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
from model_code.config.sources import (
    ElpvSource,
    FolderSource,
    FractalSource,
    GroundTruthTar,
    Source,
    TarSource,
    TfdsSource,
    TfrecordSource,
    WebDatasetSource,
)

__all__ = [
    "DatasetConfig",
    "ElpvSource",
    "FolderSource",
    "FractalSource",
    "GroundTruthTar",
    "Source",
    "SplitConfig",
    "TarSource",
    "TfdsSource",
    "TfrecordSource",
    "ValidationConfig",
    "WebDatasetSource",
]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SplitConfig:
    """Shares of the dataset, cut by a stable hash of each image's bytes.

    `validation` is a share of what remains after `test`. A source may have a
    test split of its own; then `test` is a further share, usually zero.
    `validation_examples` holds out that many images instead of a share: 100,000
    of ImageNet-21k, 25,000 of ILSVRC2012 (paper, Section 5). A later span of the
    data keeps the threshold of the first, so that no image moves.
    """

    test: Fraction = 0.25
    validation: Fraction = 0.1
    validation_examples: Count | None = None
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
