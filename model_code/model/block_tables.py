"""The block tables of the released code (facts 1.1 and 1.3), before scaling."""

from typing import Literal

from model_code.config.model import BlockSpec


def _fused(
    repeats: int,
    stride: Literal[1, 2],
    expansion: Literal[1, 4],
    input_filters: int,
    output_filters: int,
) -> BlockSpec:
    return BlockSpec(
        operation="fused_mbconv",
        kernel_size=3,
        stride=stride,
        expansion_ratio=expansion,
        input_filters=input_filters,
        output_filters=output_filters,
        repeats=repeats,
    )


def _mbconv(
    repeats: int,
    stride: Literal[1, 2],
    expansion: Literal[1, 4, 6],
    input_filters: int,
    output_filters: int,
    *,
    kernel_size: Literal[3, 5] = 3,
) -> BlockSpec:
    return BlockSpec(
        operation="mbconv",
        kernel_size=kernel_size,
        stride=stride,
        expansion_ratio=expansion,
        input_filters=input_filters,
        output_filters=output_filters,
        repeats=repeats,
        se_ratio=0.25,
    )


# Arguments: repeats, stride, expansion ratio, input filters, output filters.
BASE = (
    _fused(1, 1, 1, 32, 16),
    _fused(2, 2, 4, 16, 32),
    _fused(2, 2, 4, 32, 48),
    _mbconv(3, 2, 4, 48, 96),
    _mbconv(5, 1, 6, 96, 112),
    _mbconv(8, 2, 6, 112, 192),
)
S = (
    _fused(2, 1, 1, 24, 24),
    _fused(4, 2, 4, 24, 48),
    _fused(4, 2, 4, 48, 64),
    _mbconv(6, 2, 4, 64, 128),
    _mbconv(9, 1, 6, 128, 160),
    _mbconv(15, 2, 6, 160, 256),
)
# The paper's first version, Table 4 (facts 1.1); its head has 1792 filters.
S_PAPER_V1 = (*S[:5], _mbconv(15, 2, 6, 160, 272))
M = (
    _fused(3, 1, 1, 24, 24),
    _fused(5, 2, 4, 24, 48),
    _fused(5, 2, 4, 48, 80),
    _mbconv(7, 2, 4, 80, 160),
    _mbconv(14, 1, 6, 160, 176),
    _mbconv(18, 2, 6, 176, 304),
    _mbconv(5, 1, 6, 304, 512),
)
L = (
    _fused(4, 1, 1, 32, 32),
    _fused(7, 2, 4, 32, 64),
    _fused(7, 2, 4, 64, 96),
    _mbconv(10, 2, 4, 96, 192),
    _mbconv(19, 1, 6, 192, 224),
    _mbconv(25, 2, 6, 224, 384),
    _mbconv(7, 1, 6, 384, 640),
)
XL = (
    _fused(4, 1, 1, 32, 32),
    _fused(8, 2, 4, 32, 64),
    _fused(8, 2, 4, 64, 96),
    _mbconv(16, 2, 4, 96, 192),
    _mbconv(24, 1, 6, 192, 256),
    _mbconv(32, 2, 6, 256, 512),
    _mbconv(8, 1, 6, 512, 640),
)
V1 = (
    _mbconv(1, 1, 1, 32, 16),
    _mbconv(2, 2, 6, 16, 24),
    _mbconv(2, 2, 6, 24, 40, kernel_size=5),
    _mbconv(3, 2, 6, 40, 80),
    _mbconv(3, 1, 6, 80, 112, kernel_size=5),
    _mbconv(4, 2, 6, 112, 192, kernel_size=5),
    _mbconv(1, 1, 6, 192, 320),
)
# Small enough for a test of a millisecond, with both operations and both strides.
TINY = (
    _fused(2, 1, 1, 8, 8),
    _fused(2, 2, 4, 8, 16),
    _mbconv(2, 2, 4, 16, 24),
)
