"""What a row amounts to: its stages, counts, and the published figures beside."""

from dataclasses import dataclass
from itertools import groupby

from model_code.model.architecture import Figure, Row
from model_code.model.complexity import Complexity, Part, complexity, total

_PLAIN_OPERATIONS = {
    "stem": "Conv, k3x3, stride 2",
    "head": "Conv, k1x1, pooling",
    "classifier": "Dense",
}


@dataclass(frozen=True, kw_only=True)
class StageSummary:
    """A stage, or stem, head or classifier; counts are over all its blocks.

    `output_size` is the side in pixels after the stage.
    """

    name: str
    operation: str
    blocks: int
    output_size: int
    output_filters: int
    trainable: int
    multiply_adds: int
    activations: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A published number, ours, and by how many percent ours is off."""

    quantity: str
    published: float
    computed: float
    difference_percent: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Description:
    """All that `effnetv2 describe` prints; plain values only.

    Sizes and dropout are the published ones. `comparisons` hold at the
    published evaluation size, whatever `image_size` is described.
    """

    variant: str
    image_size: int
    class_count: int
    stages: tuple[StageSummary, ...]
    trainable: int
    non_trainable: int
    parameters: int
    multiply_adds: int
    activations: int
    train_image_size: int
    evaluation_image_size: int
    dropout_rate: float
    preprocessing: str
    top1: Figure | None
    comparisons: tuple[Comparison, ...]


def describe(row: Row, image_size: int, class_count: int = 1000) -> Description:
    """Count `row` at `image_size` pixels and compare with what is published."""
    counted = complexity(row, image_size, class_count)
    published = row.published
    return Description(
        variant=row.name,
        image_size=image_size,
        class_count=class_count,
        stages=_stages(counted),
        trainable=counted.total.trainable,
        non_trainable=counted.total.non_trainable,
        parameters=counted.total.parameters,
        multiply_adds=counted.total.multiply_adds,
        activations=counted.total.activations,
        train_image_size=published.train_image_size,
        evaluation_image_size=published.evaluation_image_size,
        dropout_rate=published.dropout_rate,
        preprocessing=published.preprocessing,
        top1=published.top1,
        comparisons=_comparisons(row),
    )


def _stages(counted: Complexity) -> tuple[StageSummary, ...]:
    groups = groupby(counted.parts, key=_stage_name)
    return tuple(_summary(name, list(parts)) for name, parts in groups)


def _stage_name(part: Part) -> str:
    return part.name if part.block is None else f"stage {part.block.stage}"


def _summary(name: str, parts: list[Part]) -> StageSummary:
    cost = total(parts)
    return StageSummary(
        name=name,
        operation=_operation(parts[0]),
        blocks=sum(part.block is not None for part in parts),
        output_size=parts[-1].output_size,
        output_filters=parts[-1].output_filters,
        trainable=cost.trainable,
        multiply_adds=cost.multiply_adds,
        activations=cost.activations,
    )


def _operation(part: Part) -> str:
    """As the paper's Table 4 writes it: `Fused-MBConv4, k3x3, stride 2`."""
    block = part.block
    if block is None:
        return _PLAIN_OPERATIONS[part.name]
    kind = "MBConv" if block.operation == "mbconv" else "Fused-MBConv"
    kernel = f"k{block.kernel_size}x{block.kernel_size}"
    excite = ", SE" if block.se_filters else ""
    return f"{kind}{block.expansion_ratio}, {kernel}, stride {block.stride}{excite}"


def _comparisons(row: Row) -> tuple[Comparison, ...]:
    published = row.published
    cost = complexity(row, published.evaluation_image_size).total
    pairs = (
        ("trainable parameters", published.parameters, cost.trainable),
        (
            f"multiply-adds at {published.evaluation_image_size} px",
            published.multiply_adds,
            cost.multiply_adds,
        ),
    )
    return tuple(
        _compared(quantity, figure, computed)
        for quantity, figure, computed in pairs
        if figure is not None
    )


def _compared(quantity: str, figure: Figure, computed: int) -> Comparison:
    return Comparison(
        quantity=quantity,
        published=figure.value,
        computed=computed,
        difference_percent=100 * (computed / figure.value - 1),
        source=figure.source,
    )
