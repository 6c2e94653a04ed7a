"""`effnetv2 submit`: a pipeline on a Kubeflow backend."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipelines.client import KfpClient
    from pipelines.records import RunRecord
    from pipelines.submit import Submitted

Environment = Annotated[
    str,
    typer.Option("--environment", "-e", help="Name or file of the environment."),
]


def submit(
    pipeline: Annotated[
        str, typer.Argument(help="`training`, `retraining` or `search`.")
    ],
    *,
    recipe: Annotated[str, typer.Option(help="Name or file of the recipe.")],
    environment: Environment,
    image: Annotated[
        str,
        typer.Option(
            envvar="EFFNETV2_IMAGE",
            metavar="NAME@sha256:DIGEST",
            help="Runtime image, pinned by digest.",
        ),
    ],
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE")
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            metavar="NAME=VALUE",
            help="Another parameter of the pipeline, e.g. span=2026-w07; repeatable.",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option(help="Start a run even if this content has run.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Stay until the run has ended.")] = False,
    timeout: Annotated[
        float, typer.Option(help="Seconds to wait at most; a week unless given.")
    ] = 604_800.0,
    poll: Annotated[float, typer.Option(help="Seconds between two looks.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Upload the pipeline if it is new and start a run of the recipe.

    Repeating a submission finds its run; --again starts another. With --wait the
    exit code tells the end: 0 succeeded, 8 failed, 9 cancelled, 10 not in time.
    """
    import uuid

    from pipelines.remote import Order, connect, parse_parameters
    from pipelines.remote import submission as prepared
    from pipelines.settings import load_environment
    from pipelines.submit import submit as send

    place = load_environment(environment)
    client = connect(place)
    order = Order(
        pipeline=pipeline,
        recipe=recipe,
        image=image,
        environment=place,
        overrides=tuple(overrides or ()),
        parameters=parse_parameters(parameters or []),
    )
    with prepared(order, uuid.uuid4().hex if again else None) as submission:
        done = send(client, submission)
    _announce(done, as_json=as_json)
    if wait:
        _wait(client, done.run.run_id, timeout, poll)


def _announce(done: "Submitted", *, as_json: bool) -> None:
    if as_json:
        answer = {
            "run_id": done.run.run_id,
            "name": done.run.name,
            "version": done.version.name,
            "uploaded": done.uploaded,
            "started": done.started,
            "run_link": done.run_link,
            "version_link": done.version_link,
        }
        typer.echo(json.dumps(answer, indent=2))
        return
    uploaded = "uploaded" if done.uploaded else "already there"
    started = "started" if done.started else f"found, {done.run.state.lower()}"
    typer.echo(f"version {done.version.name}: {uploaded}\n  {done.version_link}")
    typer.echo(f"run     {done.run.name}: {started}\n  {done.run_link}")


def _wait(client: "KfpClient", run_id: str, timeout: float, poll: float) -> None:
    from pipelines.wait import wait_for_run

    def progress(run: "RunRecord") -> None:
        ended = sum(task.state == "SUCCEEDED" for task in run.tasks)
        active = [task.name for task in run.tasks if task.state == "RUNNING"]
        typer.echo(
            f"{run.state.lower()}, {ended} tasks done"
            + (f", running {', '.join(active)}" if active else ""),
            err=True,
        )

    wait_for_run(
        lambda: client.get_run(run_id), timeout=timeout, poll=poll, progress=progress
    )
