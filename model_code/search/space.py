"""The stage-factorised search space (paper, Section 3.3; facts, section 4).

A point chooses operation, kernel, expansion ratio and repeats for each stage.
Everything else is the backbone's: filters, strides and head are not searched,
and SE follows the operation as in every published row (0.25 for MBConv, none
for Fused-MBConv). Encoding and decoding are inverse, so that a point, the
parameters of a trial and a block table say the same.
"""

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from model_code.config.model import BlockSpec, BlockTable
from model_code.config.search import (
    ExpansionRatio,
    KernelSize,
    Operation,
    SpaceConfig,
)
from model_code.errors import ConfigError
from model_code.model.architecture import Variant
from model_code.model.scaling import round_repeats

Choice = str | int
"""One value that a trial may choose."""

_MBCONV_SE_RATIO = 0.25


@dataclass(frozen=True)
class StageChoice:
    """What a point chooses for one stage."""

    operation: Operation
    kernel_size: KernelSize
    expansion_ratio: ExpansionRatio
    repeats: int


Point = tuple[StageChoice, ...]
"""One choice for each stage: a network of the space."""

FIELDS = ("operation", "kernel_size", "expansion_ratio", "repeats")


@dataclass(frozen=True)
class SearchSpace:
    """All networks that share the backbone's filters, strides and head."""

    backbone: BlockTable
    config: SpaceConfig

    @property
    def choices(self) -> dict[str, tuple[Choice, ...]]:
        """Allowed values by parameter name, such as `stage1.operation`."""
        return {
            f"stage{number}.{field}": values
            for number, stage in enumerate(self.backbone.blocks, start=1)
            for field, values in zip(FIELDS, self._stage_choices(stage), strict=True)
        }

    def _stage_choices(self, stage: BlockSpec) -> tuple[tuple[Choice, ...], ...]:
        offsets = self.config.layer_offsets
        repeats = {max(1, stage.repeats + offset) for offset in offsets}
        return (
            self.config.operations,
            self.config.kernel_sizes,
            self.config.expansion_ratios,
            tuple(sorted(repeats)),
        )

    @property
    def size(self) -> int:
        """How many networks the space holds."""
        size = 1
        for values in self.choices.values():
            size *= len(values)
        return size


def backbone_table(variant: Variant) -> BlockTable:
    """The row with its coefficients worked in: filters and repeats as built."""
    blocks = tuple(
        replace(
            stage,
            input_filters=variant.scaled_filters(stage.input_filters),
            output_filters=variant.scaled_filters(stage.output_filters),
            repeats=round_repeats(stage.repeats, variant.depth_coefficient),
        )
        for stage in variant.stages
    )
    return BlockTable(
        name=variant.name, blocks=blocks, head_filters=variant.feature_filters
    )


def to_parameters(point: Point) -> dict[str, Choice]:
    """The point as the parameters of a trial."""
    return {
        f"stage{number}.{field}": getattr(choice, field)
        for number, choice in enumerate(point, start=1)
        for field in FIELDS
    }


def from_parameters(space: SearchSpace, parameters: Mapping[str, Any]) -> Point:
    """The inverse of `to_parameters`.

    Raises:
        ConfigError: a parameter is missing, unknown, or not among the choices.
    """
    _check_parameters(space, parameters)
    stages = range(1, len(space.backbone.blocks) + 1)
    return tuple(
        StageChoice(**{field: parameters[f"stage{number}.{field}"] for field in FIELDS})
        for number in stages
    )


def decode(space: SearchSpace, point: Point) -> BlockTable:
    """The network of a point, named after the backbone and its own choices."""
    from_parameters(space, to_parameters(point))
    blocks = tuple(
        replace(
            stage,
            operation=choice.operation,
            kernel_size=choice.kernel_size,
            expansion_ratio=choice.expansion_ratio,
            repeats=choice.repeats,
            se_ratio=_se_ratio(choice.operation),
        )
        for stage, choice in zip(space.backbone.blocks, point, strict=True)
    )
    text = json.dumps(to_parameters(point), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return replace(
        space.backbone, name=_derived(space.backbone.name, digest), blocks=blocks
    )


def encode(space: SearchSpace, table: BlockTable) -> Point:
    """The point of a network, whatever its name.

    Raises:
        ConfigError: the network is not in the space; the message says where.
    """
    point = tuple(
        StageChoice(
            stage.operation, stage.kernel_size, stage.expansion_ratio, stage.repeats
        )
        for stage in table.blocks
    )
    decoded = decode(space, point)
    for number, (stage, fixed) in enumerate(
        zip(table.blocks, decoded.blocks, strict=True), start=1
    ):
        if stage != fixed:
            raise ConfigError(
                f"Network {table.name!r}, stage {number}, is {stage}; this search "
                f"space fixes filters, stride and SE to {fixed}; search from a "
                "backbone that has the network's own."
            )
    if table.head_filters != space.backbone.head_filters:
        raise ConfigError(
            f"Network {table.name!r} has a head of {table.head_filters} filters; the "
            f"backbone's has {space.backbone.head_filters} and it is not searched; "
            "search from a backbone with that head."
        )
    return point


def random_point(space: SearchSpace, generator: random.Random) -> Point:
    """A point drawn evenly from the space."""
    drawn = {name: generator.choice(values) for name, values in space.choices.items()}
    return from_parameters(space, drawn)


def mutate(space: SearchSpace, point: Point, generator: random.Random) -> Point:
    """A neighbour: one choice of one stage changed, evenly among those that can.

    Raises:
        ConfigError: the space holds a single network.
    """
    choices = space.choices
    free = [name for name, values in choices.items() if len(values) > 1]
    if not free:
        raise ConfigError(
            "The search space holds a single network, which cannot be changed; "
            "expected two values for at least one choice; widen `space`."
        )
    parameters = to_parameters(point)
    name = generator.choice(free)
    others = [value for value in choices[name] if value != parameters[name]]
    return from_parameters(space, {**parameters, name: generator.choice(others)})


def with_operation(table: BlockTable, operation: Operation) -> BlockTable:
    """The network with one operation throughout: the MBConv-only backbone."""
    blocks = tuple(
        replace(stage, operation=operation, se_ratio=_se_ratio(operation))
        for stage in table.blocks
    )
    return replace(table, name=_derived(table.name, operation), blocks=blocks)


def _derived(name: str, suffix: str) -> str:
    return f"{name[:40]}-{suffix}"  # a `Name` has at most 63 characters


def _se_ratio(operation: Operation) -> float:
    return _MBCONV_SE_RATIO if operation == "mbconv" else 0.0


def _check_parameters(space: SearchSpace, parameters: Mapping[str, Any]) -> None:
    choices = space.choices
    if parameters.keys() != choices.keys():
        odd = sorted(parameters.keys() ^ choices.keys())
        raise ConfigError(
            f"A network of this search space chooses {len(choices)} values; "
            f"{', '.join(odd)} is missing or unknown; give one value to each of "
            f"{len(space.backbone.blocks)} stages."
        )
    for name, value in parameters.items():
        if value not in choices[name]:
            raise ConfigError(
                f"{name} is {value!r}; this search space allows "
                f"{', '.join(map(str, choices[name]))}; choose one, or widen `space`."
            )
