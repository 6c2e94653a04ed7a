"""Which network to train: a named variant or a block table given inline."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from model_code.config.base import STRICT, Count, Name, Positive, Rate

Preprocessing = Literal["unit_range", "imagenet_mean_std"]
"""`unit_range` is (x - 128) / 128, as released for S to XL; `imagenet_mean_std`
is what B0 to B3 and EfficientNetV1 were released with (facts 1.4)."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class BlockSpec:
    """One stage of the network: `repeats` equal blocks (paper, Table 4).

    Filters and repeats are given before width and depth scaling. The SE ratio
    is relative to the filters that enter the block (released code).
    """

    operation: Literal["mbconv", "fused_mbconv"]
    kernel_size: Literal[3, 5]
    stride: Literal[1, 2]
    expansion_ratio: Literal[1, 4, 6]
    input_filters: Count
    output_filters: Count
    repeats: Count
    se_ratio: Rate = 0.0


@dataclass(frozen=True, kw_only=True, config=STRICT)
class BlockTable:
    """A whole architecture, as the search emits it and a recipe may state it."""

    name: Name
    blocks: tuple[BlockSpec, ...] = Field(min_length=1)
    head_filters: Count = 1280


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ModelConfig:
    """The network of a recipe.

    `width_coefficient` and `depth_coefficient` scale the row further;
    `drop_path_rate` is the rate that the last block approaches.
    Batch-norm momentum is 0.9 in the released code and 0.99 in the paper.
    """

    variant: Name | BlockTable = "efficientnetv2-b0"
    width_coefficient: Positive = 1.0
    depth_coefficient: Positive = 1.0
    drop_path_rate: Rate = 0.2
    batch_norm_momentum: Rate = 0.9
    batch_norm_epsilon: Positive = 1e-3
    preprocessing: Preprocessing = "unit_range"
