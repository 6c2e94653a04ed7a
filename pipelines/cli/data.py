"""`effnetv2 data`: build, show, verify and measure datasets."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from model_code.data.manifest import DatasetManifest, SplitManifest

app = typer.Typer(
    name="data",
    help="Build, show, verify and measure datasets.",
    no_args_is_help=True,
)

_Dataset = Annotated[
    str,
    typer.Argument(
        metavar="DATASET", help="Directory of a dataset, or its manifest.json."
    ),
]
_FEW_CLASSES = 4
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("ingest")
def ingest(
    *,
    recipe: Annotated[
        str, typer.Option(help="Name of a packaged recipe, or a .yaml file.")
    ],
    task: Annotated[
        Literal["pretrain", "finetune"], typer.Option(help="Whose dataset.")
    ] = "finetune",
    data_root: Annotated[
        str, typer.Option(help="Directory or gs:// prefix of all datasets.")
    ] = str(Path("workspace") / "data"),
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change one setting, e.g. finetune.data.shard_megabytes=128.",
        ),
    ] = None,
    beam_options: Annotated[
        str, typer.Option(help="Flags of the job, e.g. '--workers=2'.")
    ] = "",
    as_json: _Json = False,
) -> None:
    """Build the dataset of a recipe, unless it is there already.

    A kill at any point leaves a complete dataset or none; run it again.
    """
    from model_code import progress
    from model_code.config.beam import parse_beam_options
    from model_code.config.load import load_recipe
    from model_code.data.ingest import ingest as build
    from model_code.tasks.given import section

    if not as_json:
        progress.show()
    config = section(load_recipe(recipe, overrides or ()), task).data
    dataset = build(config, data_root, parse_beam_options(beam_options))
    _show(dataset, as_json=as_json)


@app.command("show")
def show(dataset: _Dataset, as_json: _Json = False) -> None:
    """What a dataset holds, from its manifest."""
    from model_code.data import manifest

    _show(manifest.read(dataset), as_json=as_json)


@app.command("verify")
def verify(
    dataset: _Dataset,
    threads: Annotated[int, typer.Option(min=1, help="Shards read at once.")] = 2,
    as_json: _Json = False,
) -> None:
    """Read every shard; check sums, counts and the fingerprint.

    Exit code 3: the dataset is not what its manifest says.
    """
    from dataclasses import asdict

    from model_code.data import manifest, verification
    from model_code.errors import DataError

    found = manifest.read(dataset)
    result = verification.verify(found, threads)
    if as_json:
        typer.echo(json.dumps(asdict(result), indent=2))
    if result.problems:
        raise DataError(
            f"Dataset {found.name} at {found.location} is not what its manifest says: "
            f"{'; '.join(result.problems[:5])} ({len(result.problems)} differences). "
            "Delete the directory and run the ingest again."
        )
    if not as_json:
        typer.echo(
            f"{found.name}: {result.examples:,} examples in {result.shards} shards "
            f"({result.bytes / 1e6:,.1f} MB) are what the manifest says."
        )


@app.command("stats")
def stats(dataset: _Dataset, as_json: _Json = False) -> None:
    """Sizes of images and records, from the indexes of the shards."""
    from dataclasses import asdict

    from model_code.data import manifest
    from model_code.data.overview import overview

    found = overview(manifest.read(dataset))
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
        return
    columns = next(iter(found.quantiles.values()))
    table = _table("", *columns)
    for name, values in found.quantiles.items():
        table.add_row(name, *(f"{value:,.4g}" for value in values.values()))
    counts = ", ".join(f"{n}: {c:,}" for n, c in found.labels_an_example.items())
    _print(
        table, f"Labels an example: {counts}", f"Largest: {', '.join(found.largest)}"
    )


def _show(dataset: "DatasetManifest", *, as_json: bool) -> None:
    from model_code.data import manifest

    if as_json:
        values = {**manifest.to_dict(dataset), "reused": dataset.reused}
        typer.echo(json.dumps(values, indent=2))
        return
    splits = _table("split", "examples", "shards", "MB", "classes")
    for name, split in dataset.splits.items():
        splits.add_row(
            name,
            f"{split.examples:,}",
            str(len(split.shards)),
            f"{sum(shard.bytes for shard in split.shards) / 1e6:,.1f}",
            _class_shares(dataset, split),
        )
    _print(
        f"{dataset.name}, {len(dataset.class_names)} classes, "
        f"{dataset.examples:,} images{', reused' if dataset.reused else ''}",
        splits,
        f"location     {dataset.location}",
        f"fingerprint  {dataset.fingerprint}",
        f"duplicates   {dataset.duplicates:,}, of which "
        f"{dataset.conflicting_duplicates:,} with another label",
        f"converted    {_counts(dataset.conversions)}",
        f"refused      {_counts(dataset.dead_letters)}",
    )


def _class_shares(dataset: "DatasetManifest", split: "SplitManifest") -> str:
    """Share of each class, or the range of the shares where there are many."""
    total = max(1, sum(split.class_counts))
    shares = {
        name: count / total
        for name, count in zip(dataset.class_names, split.class_counts, strict=True)
    }
    if len(shares) > _FEW_CLASSES:
        low, high = (
            min(shares, key=shares.__getitem__),
            max(shares, key=shares.__getitem__),
        )
        shares = {low: shares[low], high: shares[high]}
    return ", ".join(f"{name} {share:.1%}" for name, share in shares.items())


def _counts(counts: "Mapping[str, int]") -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"


def _table(*columns: str) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def _print(*parts: "Table | str") -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str), markup=False)
