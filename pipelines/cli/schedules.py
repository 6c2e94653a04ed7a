"""`effnetv2 schedules`: recurring runs as the files say, here or on a backend."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.submit import Environment

if TYPE_CHECKING:
    from pipelines.client import KfpClient
    from pipelines.local_scheduler import Places
    from pipelines.records import RecurringRun
    from pipelines.schedule_plan import Action

app = typer.Typer(no_args_is_help=True, help="Runs that a schedule starts.")

Directory = Annotated[
    Path | None, typer.Option(help="Directory of the schedule files.")
]
Image = Annotated[
    str,
    typer.Option(
        envvar="EFFNETV2_IMAGE",
        metavar="NAME@sha256:DIGEST",
        help="Runtime image of the scheduled runs, pinned by digest.",
    ),
]
Name = Annotated[str, typer.Argument(help="Name of the schedule.")]
Workspace = Annotated[
    Path, typer.Option(help="Workspace of the local scheduler (environment local).")
]
Wait = Annotated[
    float, typer.Option(help="Seconds to wait for runs in progress before a change.")
]


@app.command("plan")
def plan(environment: Environment, image: Image, directory: Directory = None) -> None:
    """Show what `apply` would change; exit code 0 also when it would."""
    from pipelines.cli.schedule_view import print_plan

    print_plan(_plan(environment, image, directory, create=False)[1])


@app.command("apply")
def apply(
    environment: Environment,
    image: Image,
    directory: Directory = None,
    wait: Wait = 0.0,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Make the backend's recurring runs what the files say, after showing how.

    A change to a recurring run with a run in progress is put off: exit code 1.
    """
    from pipelines.cli.schedule_view import print_outcomes, print_plan
    from pipelines.schedule_apply import apply as carry_out

    _, shown = _plan(environment, image, directory, create=False)
    print_plan(shown)
    if all(action.kind == "keep" for action in shown):
        return
    if not yes:
        typer.confirm("Apply?", abort=True)
    client, actions = _plan(environment, image, directory, create=True)
    outcomes = carry_out(client, actions, patience_seconds=wait)
    print_outcomes(outcomes)
    if not all(outcome.done for outcome in outcomes):
        raise typer.Exit(1)


@app.command("list")
def list_schedules(
    environment: Environment,
    workspace: Workspace = Path("workspace"),
    directory: Directory = None,
) -> None:
    """Every schedule: when it fires next, and what became of it."""
    from pipelines.cli.schedule_view import print_local, print_recurring

    if environment == "local":
        print_local(_places(workspace, directory))
        return
    print_recurring(list(_client(environment).list_recurring_runs()))


@app.command("pause")
def pause(
    name: Name, environment: Environment, workspace: Workspace = Path("workspace")
) -> None:
    """Start no more runs until `resume`; the next `apply` follows the file again."""
    _switch(name, environment, workspace, enabled=False)


@app.command("resume")
def resume(
    name: Name, environment: Environment, workspace: Workspace = Path("workspace")
) -> None:
    """Start runs again, with the next trigger."""
    _switch(name, environment, workspace, enabled=True)


@app.command("delete")
def delete(name: Name, environment: Environment, wait: Wait = 0.0) -> None:
    """Remove a recurring run, never one with a run in progress: exit code 1."""
    from pipelines.cli.schedule_view import print_outcomes
    from pipelines.schedule_apply import apply as carry_out
    from pipelines.schedule_plan import Action

    client = _client(environment)
    actions = [
        Action(kind="delete", name=name, existing=found)
        for found in _named(client, name)
    ]
    outcomes = carry_out(client, actions, patience_seconds=wait)
    print_outcomes(outcomes)
    if not all(outcome.done for outcome in outcomes):
        raise typer.Exit(1)


@app.command("serve")
def serve(
    workspace: Workspace = Path("workspace"), directory: Directory = None
) -> None:
    """Run the schedules of environment `local` on this machine, until stopped."""
    import logging

    from pipelines.local_scheduler import serve as run_schedules

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    run_schedules(_places(workspace, directory))


def _plan(
    environment: str, image: str, directory: Path | None, *, create: bool
) -> "tuple[KfpClient, tuple[Action, ...]]":
    from pipelines.remote import Order, connect, wanted_recurring_run
    from pipelines.schedule_plan import plan as reconcile
    from pipelines.schedules import SCHEDULES, load_schedules
    from pipelines.settings import load_environment

    place = load_environment(environment)
    client = connect(place)
    wanted = [
        wanted_recurring_run(
            client,
            schedule,
            Order(
                pipeline=schedule.pipeline,
                recipe=schedule.recipe,
                image=image,
                environment=place,
                overrides=schedule.overrides,
                parameters=schedule.parameters,
            ),
            create=create,
        )
        for schedule in load_schedules(place.name, directory or SCHEDULES)
    ]
    return client, reconcile(wanted, client.list_recurring_runs())


def _switch(name: str, environment: str, workspace: Path, *, enabled: bool) -> None:
    from datetime import UTC, datetime

    if environment == "local":
        now = datetime.now(UTC)
        ledger = _places(workspace, None).ledger()
        ledger.register(name, now)
        ledger.set_paused(name, not enabled, now)
        ledger.close()
    else:
        client = _client(environment)
        for found in _named(client, name):
            client.set_recurring_run(str(found.recurring_run_id), enabled=enabled)
    typer.echo(f"{name}: {'resumed' if enabled else 'paused'}")


def _named(client: "KfpClient", name: str) -> "list[RecurringRun]":
    from pipelines.failures import NotFoundError
    from pipelines.schedule_plan import is_ours

    every = [found for found in client.list_recurring_runs() if is_ours(found)]
    named = [found for found in every if found.name == name]
    if not named:
        known = ", ".join(sorted(found.name for found in every)) or "none"
        raise NotFoundError(
            f"No schedule is called {name!r} there; expected one of {known}; "
            "`schedules apply` creates what the files say."
        )
    return named


def _client(environment: str) -> "KfpClient":
    from pipelines.remote import connect
    from pipelines.settings import load_environment

    return connect(load_environment(environment))


def _places(workspace: Path, directory: Path | None) -> "Places":
    from pipelines.local_scheduler import Places
    from pipelines.schedules import SCHEDULES

    return Places(schedules=directory or SCHEDULES, workspace=workspace)
