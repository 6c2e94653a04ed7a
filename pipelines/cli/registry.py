"""`effnetv2 registry`: look up the champion, promote, roll back."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.tracking import AsJson, TrackingUri, WorkspacePath, open_registry

if TYPE_CHECKING:
    from model_code.adapters.model_versions import ModelVersion

app = typer.Typer(no_args_is_help=True, help="Look up and move model versions.")

ModelName = Annotated[str, typer.Argument(help="Name of a registered model.")]
Reference = Annotated[
    str, typer.Argument(help="NAME@alias, NAME/version, or NAME for its champion.")
]
Reason = Annotated[str, typer.Option(help="Stored on the version.")]

_HERE = Path("workspace")


@app.command("champion")
def champion(
    model: ModelName,
    tracking_uri: TrackingUri = None,
    workspace: WorkspacePath = _HERE,
    as_json: AsJson = False,
) -> None:
    """The version in use, and what made it."""
    found = open_registry(tracking_uri, workspace).find(f"{model}@champion")
    _show(found, as_json=as_json)


@app.command("show")
def show(
    version: Reference,
    tracking_uri: TrackingUri = None,
    workspace: WorkspacePath = _HERE,
    as_json: AsJson = False,
) -> None:
    """One version: aliases, lineage, test metrics, gate decision."""
    found = open_registry(tracking_uri, workspace).find(version)
    _show(found, as_json=as_json)


@app.command("list")
def list_versions(
    model: Annotated[
        str | None, typer.Argument(help="One registered model; else all of them.")
    ] = None,
    tracking_uri: TrackingUri = None,
    workspace: WorkspacePath = _HERE,
    as_json: AsJson = False,
) -> None:
    """The versions, newest first."""
    registry = open_registry(tracking_uri, workspace)
    names = registry.models() if model is None else (model,)
    versions = [version for name in names for version in registry.versions(name)]
    if as_json:
        typer.echo(json.dumps([_plain(version) for version in versions], indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("version", "aliases", "created", "recipe", "run")
    for version in versions:
        tags = version.tags
        aliases = " ".join(f"@{alias}" for alias in version.aliases)
        made = (tags.get("recipe", ""), tags.get("run_key", ""))
        table.add_row(str(version), aliases, f"{version.created:%Y-%m-%d %H:%M}", *made)
    Console().print(table)


@app.command("promote")
def promote(
    version: Reference,
    reason: Reason = "by hand",
    tracking_uri: TrackingUri = None,
    workspace: WorkspacePath = _HERE,
    as_json: AsJson = False,
) -> None:
    """Move @champion to a version, whatever the gate said."""
    registry = open_registry(tracking_uri, workspace)
    _show(registry.promote(registry.find(version), reason), as_json=as_json)


@app.command("rollback")
def rollback(
    model: ModelName,
    reason: Reason = "by hand",
    tracking_uri: TrackingUri = None,
    workspace: WorkspacePath = _HERE,
    as_json: AsJson = False,
) -> None:
    """Move @champion back to the version that held it before."""
    registry = open_registry(tracking_uri, workspace)
    _show(registry.roll_back(model, reason), as_json=as_json)


def _show(version: "ModelVersion", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_plain(version), indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    aliases = " ".join(f"@{alias}" for alias in version.aliases)
    table.add_row("version", f"{version}  {aliases}")
    table.add_row("created", f"{version.created:%Y-%m-%d %H:%M}")
    for key, value in sorted(version.tags.items()):
        table.add_row(key, Text(value, overflow="fold"))
    Console().print(table)


def _plain(version: "ModelVersion") -> dict[str, Any]:
    return {
        "model": version.model_name,
        "version": version.version,
        "aliases": list(version.aliases),
        "created": version.created.isoformat(),
        "tags": dict(sorted(version.tags.items())),
    }
