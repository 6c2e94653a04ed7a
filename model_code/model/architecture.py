"""What a variant is, what a row of the table adds, and the blocks that follow."""

from dataclasses import dataclass

from model_code.config.model import BlockSpec, Preprocessing
from model_code.model.scaling import Rounding, round_filters, round_repeats


@dataclass(frozen=True)
class Figure:
    """A published number and where it stands."""

    value: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a row is published with, by its authors.

    Image sizes are in pixels, `top1` in percent of ImageNet-1k, `parameters` a
    count and `multiply_adds` those of one image of the evaluation size.
    """

    train_image_size: int
    evaluation_image_size: int
    dropout_rate: float
    preprocessing: Preprocessing
    top1: Figure | None = None
    parameters: Figure | None = None
    multiply_adds: Figure | None = None


@dataclass(frozen=True, kw_only=True)
class Block:
    """One residual unit after scaling.

    `stage` and `position` (in the stage) count from 1, `index` (in the
    network) from 0. `se_filters` is 0 for a block without SE.
    """

    stage: int
    position: int
    index: int
    operation: str
    kernel_size: int
    stride: int
    expansion_ratio: int
    input_filters: int
    output_filters: int
    se_filters: int

    @property
    def name(self) -> str:
        """Prefix of the block's layers."""
        return f"stage{self.stage}_block{self.position}"

    @property
    def expanded_filters(self) -> int:
        """Filters between expansion and projection."""
        return self.input_filters * self.expansion_ratio

    @property
    def has_skip(self) -> bool:
        """Whether the input is added to the output (facts 1.4)."""
        return self.stride == 1 and self.input_filters == self.output_filters


@dataclass(frozen=True, kw_only=True)
class Variant:
    """An architecture before scaling, and the coefficients that scale it."""

    name: str
    stages: tuple[BlockSpec, ...]
    head_filters: int = 1280
    width_coefficient: float = 1.0
    depth_coefficient: float = 1.0
    rounding: Rounding = "nearest"

    def scaled_filters(self, filters: int) -> int:
        """Filters after this row's width coefficient and rounding."""
        return round_filters(filters, self.width_coefficient, self.rounding)

    @property
    def stem_filters(self) -> int:
        """Filters of the first convolution: those that enter stage 1."""
        return self.scaled_filters(self.stages[0].input_filters)

    @property
    def feature_filters(self) -> int:
        """Filters of the head, which the classifier sees."""
        return self.scaled_filters(self.head_filters)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Every block after scaling, in order."""
        found: list[Block] = []
        for number, spec in enumerate(self.stages, start=1):
            repeats = round_repeats(spec.repeats, self.depth_coefficient)
            for position in range(1, repeats + 1):
                found.append(self._block(spec, number, position, len(found)))
        return tuple(found)

    def _block(self, spec: BlockSpec, stage: int, position: int, index: int) -> Block:
        first = position == 1
        entering = spec.input_filters if first else spec.output_filters
        input_filters = self.scaled_filters(entering)
        # Relative to what enters the block, not to the expanded filters (facts 1.4).
        squeezed = max(1, int(input_filters * spec.se_ratio)) if spec.se_ratio else 0
        return Block(
            stage=stage,
            position=position,
            index=index,
            operation=spec.operation,
            kernel_size=spec.kernel_size,
            stride=spec.stride if first else 1,
            expansion_ratio=spec.expansion_ratio,
            input_filters=input_filters,
            output_filters=self.scaled_filters(spec.output_filters),
            se_filters=squeezed,
        )


@dataclass(frozen=True, kw_only=True)
class Row(Variant):
    """A variant of the table. What a recipe states or scales is none of its rows."""

    published: Published


def drop_path_rates(variant: Variant, rate: float) -> tuple[float, ...]:
    """The drop-path rate of each block: `rate` x index / count.

    Block 0 never drops and the last never reaches `rate`, as in the released
    code (facts 1.4). Blocks without a skip have a rate too, which nothing uses.
    """
    count = len(variant.blocks)
    return tuple(rate * index / count for index in range(count))
