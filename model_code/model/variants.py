"""From a name, or a block table in a recipe, to the row that is built."""

import difflib
from collections.abc import Iterable
from itertools import pairwise

from model_code.config.model import BlockSpec, BlockTable, ModelConfig
from model_code.errors import ConfigError
from model_code.model.architecture import Row, Variant
from model_code.model.rows import ROWS

__all__ = ["Row", "Variant", "find_variant", "resolve", "variant_names"]


def variant_names() -> tuple[str, ...]:
    """Names of all rows, in the order of the table."""
    return tuple(ROWS)


def find_variant(name: str) -> Row:
    """The row of that name.

    Raises:
        ConfigError: no row has it; the message names the nearest.
    """
    if name in ROWS:
        return ROWS[name]
    nearest = difflib.get_close_matches(name, ROWS, n=1)
    hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
    raise ConfigError(
        f"Variant {name!r} is not known{hint}; expected one of "
        f"{', '.join(ROWS)}, or a block table given inline."
    )


def resolve(config: ModelConfig) -> Variant:
    """The row that `config` asks for, scaled by its coefficients.

    A row that is scaled is no row of the table: nobody published it.

    Raises:
        ConfigError: an unknown name, or a block table whose stages do not fit.
    """
    if isinstance(config.variant, BlockTable):
        row: Variant = _from_table(config.variant)
    else:
        row = find_variant(config.variant)
    if config.width_coefficient == 1.0 and config.depth_coefficient == 1.0:
        return row
    return Variant(
        name=row.name,
        stages=row.stages,
        head_filters=row.head_filters,
        width_coefficient=row.width_coefficient * config.width_coefficient,
        depth_coefficient=row.depth_coefficient * config.depth_coefficient,
        rounding=row.rounding,
    )


def _from_table(table: BlockTable) -> Variant:
    _check_stages_fit(table.name, table.blocks)
    return Variant(
        name=table.name, stages=table.blocks, head_filters=table.head_filters
    )


def _check_stages_fit(name: str, stages: Iterable[BlockSpec]) -> None:
    for number, (before, after) in enumerate(pairwise(stages), start=1):
        if before.output_filters != after.input_filters:
            raise ConfigError(
                f"Block table {name!r}: stage {number} gives {before.output_filters} "
                f"filters and stage {number + 1} takes {after.input_filters}; "
                "expected equal numbers; change one of the two."
            )
