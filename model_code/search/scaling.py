"""From a found network to a family: up to M and L, down to B0 to B3.

The paper scales compoundly, as EfficientNetV1, with two rules of its own
(Section 3.3): inference images are at most 480 px, and layers are added
gradually to later stages. It gives no coefficients; they follow from the
released rows (facts 1.1 and 1.2):

  * width and depth are those of EfficientNet-B0 to B3, B4 (S), B5 (M) and
    B7 (L), applied to the base row. The base row so scaled has S's repeats and
    L's filters exactly.
  * what M and L have beyond that is 3 more layers in stage 5, and a seventh
    stage: V1's last, scaled alike, with 2 and 3 more layers.
  * the stem has stage 1's output filters in S, M and L, and twice as many in
    the base row.
  * inference sizes are V1's (380, 456 and 600 px), rounded up to a multiple of
    32 and capped: 384, 480 and 480 px.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from model_code.config.model import BlockSpec, BlockTable
from model_code.model.block_tables import V1
from model_code.model.scaling import round_filters, round_repeats

LARGEST_INFERENCE_SIZE = 480
"""Pixels (paper, Section 3.3); larger images cost memory and training time."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How a member of the family differs from its base.

    `resolution` is V1's inference size in pixels, before the cap.
    `later_layers` come on top of compound depth, in the last but one of the
    first six stages; `seventh_stage_layers` likewise in an added stage, which
    none of the small sizes has.
    """

    name: str
    width: float
    depth: float
    resolution: int
    later_layers: int = 0
    seventh_stage_layers: int | None = None

    @property
    def is_small(self) -> bool:
        """Whether it is one of B0 to B3, made by compound scaling alone."""
        return self.name.startswith("b")


SIZES = (
    Size(name="b0", width=1.0, depth=1.0, resolution=224),
    Size(name="b1", width=1.0, depth=1.1, resolution=240),
    Size(name="b2", width=1.1, depth=1.2, resolution=260),
    Size(name="b3", width=1.2, depth=1.4, resolution=300),
    Size(name="s", width=1.4, depth=1.8, resolution=380),
    Size(
        name="m",
        width=1.6,
        depth=2.2,
        resolution=456,
        later_layers=3,
        seventh_stage_layers=2,
    ),
    Size(
        name="l",
        width=2.0,
        depth=3.1,
        resolution=600,
        later_layers=3,
        seventh_stage_layers=3,
    ),
)
"""The family, smallest first."""


@dataclass(frozen=True)
class Scaled:
    """A member of the family and the image size it is meant to see."""

    size: str
    table: BlockTable
    inference_size: int


def family(found: BlockTable, searched_as: Literal["b0", "s"]) -> tuple[Scaled, ...]:
    """All sizes of a found network; its own size is the network itself."""
    base = found if searched_as == "b0" else shrink(found, _size("s"))
    scaled = [scale(base, size) for size in SIZES]
    return tuple(
        replace(member, table=found) if member.size == searched_as else member
        for member in scaled
    )


def scale(base: BlockTable, size: Size) -> Scaled:
    """The base network at another size, named `<base>-<size>`."""
    blocks = [_scale_stage(stage, size) for stage in base.blocks]
    if not size.is_small:
        blocks = _with_later_layers(base.blocks, blocks, size)
        blocks[0] = replace(blocks[0], input_filters=blocks[0].output_filters)
    if size.seventh_stage_layers is not None and len(blocks) == len(V1) - 1:
        blocks.append(_seventh_stage(blocks[-1], size, size.seventh_stage_layers))
    # The head of B0 to B3 grows with the width; that of S, M and L does not.
    head_width = size.width if size.is_small else 1.0
    table = BlockTable(
        name=f"{base.name[:40]}-{size.name}",
        blocks=tuple(blocks),
        head_filters=round_filters(base.head_filters, head_width, "nearest"),
    )
    return Scaled(size.name, table, inference_size(size))


def shrink(table: BlockTable, size: Size) -> BlockTable:
    """The base network of which `table` would be the given size.

    Repeats round to the nearest: S / 1.8 gives the released base row's.
    """
    blocks = tuple(
        replace(
            stage,
            input_filters=round_filters(stage.input_filters, 1 / size.width, "nearest"),
            output_filters=round_filters(
                stage.output_filters, 1 / size.width, "nearest"
            ),
            repeats=max(1, round(stage.repeats / size.depth)),
        )
        for stage in table.blocks
    )
    stem = replace(blocks[0], input_filters=2 * blocks[0].output_filters)
    return replace(table, blocks=(stem, *blocks[1:]))


def inference_size(size: Size) -> int:
    """Pixels, never above 480 (paper, Section 3.3)."""
    if size.is_small:
        return min(size.resolution, LARGEST_INFERENCE_SIZE)
    return min(-(-size.resolution // 32) * 32, LARGEST_INFERENCE_SIZE)


def _scale_stage(stage: BlockSpec, size: Size) -> BlockSpec:
    return replace(
        stage,
        input_filters=round_filters(stage.input_filters, size.width, "nearest"),
        output_filters=round_filters(stage.output_filters, size.width, "nearest"),
        repeats=round_repeats(stage.repeats, size.depth),
    )


def _with_later_layers(
    base: Sequence[BlockSpec], blocks: list[BlockSpec], size: Size
) -> list[BlockSpec]:
    """Add layers to stage 5 until stages 5 and 6 gained as many as 1 to 3.

    For the released rows the size's own `later_layers` are more than enough.
    """
    gained = [
        after.repeats - before.repeats
        for before, after in zip(base, blocks, strict=True)
    ]
    later = min(4, len(blocks) - 1)
    missing = sum(gained[: min(3, later)]) - sum(gained[later : later + 2])
    extra = max(size.later_layers, missing)
    stage = replace(blocks[later], repeats=blocks[later].repeats + extra)
    return [*blocks[:later], stage, *blocks[later + 1 :]]


def _seventh_stage(before: BlockSpec, size: Size, layers: int) -> BlockSpec:
    last = _scale_stage(V1[-1], size)
    return replace(
        last, input_filters=before.output_filters, repeats=last.repeats + layers
    )


def _size(name: str) -> Size:
    return next(size for size in SIZES if size.name == name)
