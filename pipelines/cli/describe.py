"""`effnetv2 describe`: what a variant consists of, beside what is published."""

import json
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from model_code.model.description import Comparison, Description


# Columns that hold text and not numbers.
_TEXT = frozenset({"", "operation", "variant"})


def describe(
    variant: Annotated[
        str | None, typer.Argument(help="Name of a row, such as efficientnetv2-s.")
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(help="Side in pixels; by default the evaluation size.", min=8),
    ] = None,
    all_variants: Annotated[
        bool, typer.Option("--all", help="One line for each row of the table.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON instead of a table.")
    ] = False,
) -> None:
    """Stages, parameters and multiply-adds of a variant, or of the family.

    Counts are exact and need no TensorFlow; published figures stand beside.
    """
    from dataclasses import asdict

    if (variant is None) is not all_variants:
        raise typer.BadParameter("give either the name of a variant or --all")
    described = _described(variant, image_size)
    if as_json:
        answer = [asdict(one) for one in described]
        typer.echo(json.dumps(answer if all_variants else answer[0], indent=2))
    elif all_variants:
        _print(_family_table(described))
    else:
        _print(_stage_table(described[0]), *_notes(described[0]))


def _described(variant: str | None, image_size: int | None) -> "list[Description]":
    from model_code.model.description import describe as count
    from model_code.model.variants import find_variant, variant_names

    rows = map(find_variant, variant_names() if variant is None else [variant])
    return [
        count(row, image_size or row.published.evaluation_image_size) for row in rows
    ]


def _print(*parts: "Table | str") -> None:
    from rich.console import Console

    console = Console()
    # A table that is piped keeps its columns: 80 would cut them.
    console.width = max(console.width, 100)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str))


def _table(title: str, *columns: str) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in columns:
        justify: Literal["left", "right"] = "left" if column in _TEXT else "right"
        table.add_column(column, justify=justify)
    return table


def _stage_table(one: "Description") -> "Table":
    title = f"{one.variant} at {one.image_size} px, {one.class_count} classes"
    table = _table(
        title, "", "operation", "blocks", "output", "parameters", "multiply-adds"
    )
    for stage in one.stages:
        table.add_row(
            stage.name,
            stage.operation,
            str(stage.blocks or ""),
            f"{stage.output_size}x{stage.output_size}x{stage.output_filters}",
            f"{stage.trainable:,}",
            f"{stage.multiply_adds:,}",
        )
    table.add_section()
    table.add_row(
        "total",
        "",
        "",
        "",
        f"{one.trainable:,}",
        f"{one.multiply_adds:,}",
        style="bold",
    )
    return table


def _notes(one: "Description") -> list[str]:
    top1 = (
        f"top-1 {one.top1.value:g} % ({one.top1.source}), "
        if one.top1 is not None
        else ""
    )
    return [
        f"{one.trainable:,} trainable + {one.non_trainable:,} batch-norm statistics = "
        f"{one.parameters:,} parameters; {one.activations:,} activations",
        *map(_comparison_line, one.comparisons),
        f"Published with {top1}train size {one.train_image_size} px, evaluation size "
        f"{one.evaluation_image_size} px, dropout {one.dropout_rate:g}, "
        f"preprocessing {one.preprocessing}",
    ]


def _comparison_line(one: "Comparison") -> str:
    return (
        f"{one.quantity}: {one.computed:,} here, {one.published:,.0f} published "
        f"({one.difference_percent:+.1f} %; {one.source})"
    )


def _family_table(described: "list[Description]") -> "Table":
    table = _table(
        "Parameters are trainable ones; published figures in brackets",
        *(
            "variant",
            "train px",
            "px",
            "dropout",
            "parameters",
            "multiply-adds",
            "top-1",
        ),
    )
    for one in described:
        parameters, multiply_adds = _beside(one)
        table.add_row(
            one.variant,
            str(one.train_image_size),
            str(one.image_size),
            f"{one.dropout_rate:g}",
            parameters,
            multiply_adds,
            "" if one.top1 is None else f"{one.top1.value:g}",
        )
    return table


def _beside(one: "Description") -> tuple[str, str]:
    """Our counts in millions and billions, the published ones in brackets.

    Published multiply-adds stand only beside ours of the same image size.
    """
    parameters = f"{one.trainable / 1e6:.2f} M"
    multiply_adds = f"{one.multiply_adds / 1e9:.3f} B"
    if one.comparisons:
        count, cost = one.comparisons
        parameters += f" ({count.published / 1e6:g})"
        if one.image_size == one.evaluation_image_size:
            multiply_adds += f" ({cost.published / 1e9:g})"
    return parameters, multiply_adds
