"""`effnetv2 doctor`: what this machine can do."""

import json
from pathlib import Path
from typing import Annotated

import typer


def doctor(
    environment: Annotated[
        str, typer.Option(help="Name of an environment, or a .yaml file.")
    ] = "local",
    workspace: Annotated[Path, typer.Option(help="Where a run would write.")] = Path(
        "workspace"
    ),
    tracking_uri: Annotated[
        str | None,
        typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow store or server."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object.")
    ] = False,
) -> None:
    """Say what this machine can do; exit code 0 means that `run` will work.

    Every library is imported and used, every server asked.
    """
    from dataclasses import asdict

    from pipelines.doctor import can_run, examine
    from pipelines.settings import load_environment

    checks = examine(load_environment(environment), workspace.resolve(), tracking_uri)
    if as_json:
        answer = {"can_run": can_run(checks), "checks": [asdict(c) for c in checks]}
        typer.echo(json.dumps(answer, indent=2))
    else:
        for check in checks:
            mark = {"ok": "✓", "absent": "-", "broken": "✗"}[check.verdict]
            typer.echo(f"{mark} {check.name:<17} {check.found}")
    if not can_run(checks):
        from model_code.errors import UnavailableError

        missing = [c.name for c in checks if c.needed and c.verdict != "ok"]
        raise UnavailableError(
            f"`effnetv2 run` will not work here: {', '.join(missing)} is missing or "
            "broken (see above); expected all of them. Run `make setup` again."
        )
