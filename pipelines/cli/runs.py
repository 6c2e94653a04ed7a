"""`effnetv2 runs`: look after the runs of a Kubeflow backend."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.submit import Environment

if TYPE_CHECKING:
    from pipelines.client import KfpClient
    from pipelines.records import RunRecord

app = typer.Typer(no_args_is_help=True, help="Look after runs on a backend.")

RunId = Annotated[str, typer.Argument(help="Id of the run.")]


@app.command("list")
def list_runs(
    environment: Environment,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """The newest runs first."""
    from itertools import islice

    from rich.console import Console
    from rich.table import Table

    runs = list(islice(_client(environment).list_runs(), limit))
    if as_json:
        typer.echo(json.dumps([_plain(run) for run in runs], indent=2))
        return
    table = Table("run", "id", "state", "created", "took")
    for run in runs:
        created = f"{run.created:%Y-%m-%d %H:%M}"
        table.add_row(run.name, run.run_id, run.state.lower(), created, _took(run))
    Console().print(table)


@app.command("show")
def show(
    run_id: RunId,
    environment: Environment,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """One run with its tasks and its parameters."""
    from rich.console import Console
    from rich.table import Table

    client = _client(environment)
    run = client.get_run(run_id)
    if as_json:
        typer.echo(json.dumps(_plain(run), indent=2))
        return
    console = Console()
    console.print(f"{run.name}: {run.state.lower()}  {_took(run)}", highlight=False)
    console.print(client.connection.run_link(run_id), soft_wrap=True)
    table = Table("task", "state", "pod", "error")
    for task in run.tasks:
        table.add_row(task.name, task.state.lower(), task.pod, task.error)
    console.print(table)


@app.command("logs")
def logs(
    run_id: RunId,
    environment: Environment,
    task: Annotated[
        str | None, typer.Option(help="Name of a task; else every one that failed.")
    ] = None,
) -> None:
    """The logs of a task, or of every failed task."""
    from pipelines.failures import NotFoundError

    client = _client(environment)
    run = client.get_run(run_id)
    wanted = [
        each
        for each in run.tasks
        if each.pod and (each.name == task if task else each.state == "FAILED")
    ]
    if not wanted:
        names = ", ".join(each.name for each in run.tasks if each.pod) or "none yet"
        raise NotFoundError(
            f"Run {run_id} has no {task or 'failed task'} with a log; "
            f"expected one of {names}; name it with --task."
        )
    for each in wanted:
        typer.echo(f"==> {each.name} ({each.pod}) <==")
        typer.echo(client.read_log(run_id, str(each.pod)))


@app.command("cancel")
def cancel(run_id: RunId, environment: Environment) -> None:
    """Ask a run to stop; training saves a checkpoint first."""
    client = _client(environment)
    client.cancel_run(run_id)
    typer.echo(f"{run_id}: {client.get_run(run_id).state.lower()}")


@app.command("retry")
def retry(run_id: RunId, environment: Environment) -> None:
    """Start the failed tasks of a run again; training resumes."""
    client = _client(environment)
    client.retry_run(run_id)
    typer.echo(f"{run_id}: {client.get_run(run_id).state.lower()}")


def _client(environment: str) -> "KfpClient":
    from pipelines.remote import connect
    from pipelines.settings import load_environment

    return connect(load_environment(environment))


def _took(run: "RunRecord") -> str:
    if run.finished is None:
        return ""
    return str(run.finished - run.created).partition(".")[0]


def _plain(run: "RunRecord") -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "name": run.name,
        "state": run.state,
        "created": run.created.isoformat(),
        "finished": run.finished.isoformat() if run.finished else None,
        "error": run.error,
        "parameters": dict(run.parameters),
        "tasks": [
            {"name": task.name, "state": task.state, "error": task.error}
            for task in run.tasks
        ],
    }
