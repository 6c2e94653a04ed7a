"""`effnetv2 retrain`: the champion on new data, on this machine."""

from pathlib import Path
from typing import Annotated

import typer


def retrain(
    *,
    recipe: Annotated[str, typer.Option(help="Name or file of the recipe.")],
    spans: Annotated[
        str, typer.Option(help="Root below which data arrives as SPAN/CLASS/IMAGE.")
    ],
    span: Annotated[
        list[str] | None,
        typer.Option(help="Backfill: train up to this span; repeatable, in order."),
    ] = None,
    workspace: Annotated[Path, typer.Option(help="Directory for everything.")] = Path(
        "workspace"
    ),
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE")
    ] = None,
    run_id: Annotated[
        str | None, typer.Option(help="Name of the run; a known one goes on.")
    ] = None,
) -> None:
    """Retrain on the newest span of data, if there is one; promote or keep.

    Ends with the outcome and its reason: promoted, kept or skipped. A span that
    drifted too far is refused: exit code 3.
    """
    from datetime import UTC, datetime

    from pipelines.local.retraining_desk import RetrainingRequest
    from pipelines.local.retraining_desk import retrain as run

    started = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    for wanted in span or ["newest"]:
        memory = run(
            RetrainingRequest(
                recipe=recipe,
                workspace=workspace,
                run_id=run_id or f"retrain-{started}-{wanted}",
                parameters={"spans": spans, "span": wanted},
                overrides=tuple(overrides or ()),
            ),
            say=lambda line: typer.echo(line, err=True),
        )
        typer.echo(f"{memory.span or wanted}: {memory.outcome}: {memory.reason}")
