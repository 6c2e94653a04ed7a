"""Parameters, multiply-adds and activations of any row, without building it.

Multiply-adds are those of convolutions, SE and classifier; normalisation,
activation functions, biases and pooling are left out (facts 2.2). The
profiler figures that others publish count some of these and read about 0.5 %
higher. Activations are what convolutions and classifier put out, as Radosavovic
et al. 2020 (arXiv 2003.13678) count them.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from model_code.model.architecture import Block, Variant

_PIXEL_CHANNELS = 3


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Counts for one image; they add up over parts of a network."""

    trainable: int = 0
    non_trainable: int = 0
    multiply_adds: int = 0
    activations: int = 0

    @property
    def parameters(self) -> int:
        """Trainable ones and the moving statistics of batch normalisation."""
        return self.trainable + self.non_trainable

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            trainable=self.trainable + other.trainable,
            non_trainable=self.non_trainable + other.non_trainable,
            multiply_adds=self.multiply_adds + other.multiply_adds,
            activations=self.activations + other.activations,
        )


@dataclass(frozen=True, kw_only=True)
class Part:
    """One block, or `stem`, `head` or `classifier`, with its output's shape.

    `output_size` is the side in pixels, 1 for the classifier.
    """

    name: str
    output_size: int
    output_filters: int
    cost: Cost
    block: Block | None = None


@dataclass(frozen=True, kw_only=True)
class Complexity:
    """The parts of a network in order, and their sum."""

    image_size: int
    parts: tuple[Part, ...]

    @property
    def total(self) -> Cost:
        """Over all parts."""
        return total(self.parts)


def total(parts: Iterable[Part]) -> Cost:
    """The sum of the parts' costs."""
    return sum((part.cost for part in parts), Cost())


def complexity(
    variant: Variant, image_size: int, class_count: int | None = 1000
) -> Complexity:
    """Count the network of `variant` on square images of `image_size` pixels.

    Args:
        variant: The row, scaled or not.
        image_size: Side of the image.
        class_count: Width of the classifier; None leaves the classifier out.
    """
    size = _halved(image_size)
    stem = _conv(_PIXEL_CHANNELS, variant.stem_filters, 3, size)
    stem += _norm(variant.stem_filters)
    parts = [_part("stem", size, variant.stem_filters, stem)]
    for block in variant.blocks:
        input_size = size
        size = _halved(size) if block.stride == 2 else size
        cost = _COUNTERS[block.operation](block, input_size, size)
        part = _part(block.name, size, block.output_filters, cost)
        parts.append(replace(part, block=block))
    last = parts[-1].output_filters
    features = variant.feature_filters
    head = _conv(last, features, 1, size) + _norm(features)
    parts.append(_part("head", size, features, head))
    if class_count is not None:
        classifier = _conv(features, class_count, 1, 1, bias=True)
        parts.append(_part("classifier", 1, class_count, classifier))
    return Complexity(image_size=image_size, parts=tuple(parts))


def _part(name: str, size: int, filters: int, cost: Cost) -> Part:
    return Part(name=name, output_size=size, output_filters=filters, cost=cost)


def _mbconv(block: Block, input_size: int, output_size: int) -> Cost:
    wide = block.expanded_filters
    cost = _depthwise(wide, block.kernel_size, output_size) + _norm(wide)
    if block.expansion_ratio != 1:
        cost += _conv(block.input_filters, wide, 1, input_size) + _norm(wide)
    return cost + _squeeze_and_excite(block, wide) + _project(block, output_size)


def _fused_mbconv(block: Block, _input_size: int, output_size: int) -> Cost:
    wide = block.expanded_filters
    entering = block.input_filters
    kernel_size = block.kernel_size
    excite = _squeeze_and_excite(block, wide)
    if block.expansion_ratio == 1:
        leaving = block.output_filters
        only = _conv(entering, leaving, kernel_size, output_size) + _norm(leaving)
        return excite + only
    expand = _conv(entering, wide, kernel_size, output_size) + _norm(wide)
    return expand + excite + _project(block, output_size)


_COUNTERS: dict[str, Callable[[Block, int, int], Cost]] = {
    "mbconv": _mbconv,
    "fused_mbconv": _fused_mbconv,
}


def _project(block: Block, size: int) -> Cost:
    conv = _conv(block.expanded_filters, block.output_filters, 1, size)
    return conv + _norm(block.output_filters)


def _squeeze_and_excite(block: Block, filters: int) -> Cost:
    if block.se_filters == 0:
        return Cost()
    reduce = _conv(filters, block.se_filters, 1, 1, bias=True)
    return reduce + _conv(block.se_filters, filters, 1, 1, bias=True)


def _conv(
    entering: int, leaving: int, kernel_size: int, size: int, *, bias: bool = False
) -> Cost:
    weights = kernel_size * kernel_size * entering * leaving
    return Cost(
        trainable=weights + (leaving if bias else 0),
        multiply_adds=weights * size * size,
        activations=leaving * size * size,
    )


def _depthwise(filters: int, kernel_size: int, size: int) -> Cost:
    return _conv(1, filters, kernel_size, size)


def _norm(filters: int) -> Cost:
    return Cost(trainable=2 * filters, non_trainable=2 * filters)


def _halved(size: int) -> int:
    """The side after stride 2 with "same" padding (facts 1.6)."""
    return math.ceil(size / 2)
