"""`effnetv2 run`: the training pipeline on this machine."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from pipelines.local.desk import Start
    from pipelines.local.record import RunRecord
    from pipelines.local.view import View

_TAIL_LINES = 30


def run(
    *,
    recipe: Annotated[
        str, typer.Option(help="Name of a packaged recipe, or a .yaml file.")
    ],
    workspace: Annotated[
        Path, typer.Option(help="Directory for everything that the run writes.")
    ] = Path("workspace"),
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change one setting, e.g. finetune.train.epochs=3; repeatable.",
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew; do not resume a run.")
    ] = False,
    tracking_uri: Annotated[
        str | None,
        typer.Option(
            envvar="MLFLOW_TRACKING_URI",
            help="MLflow store or server. Default: SQLite in the workspace.",
        ),
    ] = None,
    beam_options: Annotated[
        str, typer.Option(help="Flags of the ingest job, e.g. '--workers=2'.")
    ] = "--runner=FnApiRunner",
    runner: Annotated[
        Literal["subprocess", "docker"],
        typer.Option(help="Tasks as processes here, or in containers of --image."),
    ] = "subprocess",
    image: Annotated[
        str | None,
        typer.Option(envvar="EFFNETV2_IMAGE", help="Image of the tasks' containers."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object at the end.")
    ] = False,
) -> None:
    """Train, evaluate and register a model by a recipe; resumes what was killed.

    Datasets that are complete are reused. Exit codes: 0 registered; 2 the recipe
    or a setting, 3 the data, 4 training, 5 the registry, 6 something that is not
    there; 130 stopped; 1 anything else.
    """
    from rich.console import Console

    from pipelines.local import desk, failure

    # Fixed, since standard output is captured while kfp prints to it.
    console = Console(file=sys.stdout)
    request = desk.RunRequest(
        recipe=recipe,
        workspace=workspace,
        overrides=tuple(overrides or ()),
        fresh=fresh,
        tracking_uri=tracking_uri,
        beam_options=beam_options,
        image=_image(runner, image),
    )
    try:
        record = desk.run(
            request,
            announce=lambda start: None if as_json else _announce(console, start),
            make_view=lambda record: _view(console, record, silent=as_json),
        )
    except failure.TaskFailedError as error:
        sys.stderr.write("\n".join(_last_words(error.tail)) + "\n")
        raise
    _conclude(console, record, workspace, as_json=as_json)


def _image(runner: str, image: str | None) -> str | None:
    """The containers' image; none where tasks are processes of this machine."""
    from model_code.errors import ConfigError

    if runner == "subprocess":
        return None
    if image is None:
        raise ConfigError(
            "--runner docker needs an image; expected --image NAME or EFFNETV2_IMAGE; "
            "build one with `docker build --target runtime -t NAME .`."
        )
    return image


def _announce(console: "Console", start: "Start") -> None:
    run_id = start.record.run_id
    if start.resumed:
        said = f"Resuming run {run_id}, attempt {start.record.attempts}."
    else:
        said = f"Run {run_id}."
    if start.ended_processes:
        said += f" Ended {start.ended_processes} processes of a killed run."
    if start.passed_over:
        said += f" Not resuming {start.passed_over}: other code or settings began it."
    console.print(said, highlight=False, soft_wrap=True)


def _last_words(tail: "Sequence[str]") -> "Sequence[str]":
    """From the last traceback on, or the last lines where there is none."""
    starts = [i for i, line in enumerate(tail) if line.startswith("Traceback ")]
    return tail[starts[-1] :] if starts else tail[-_TAIL_LINES:]


def _view(console: "Console", record: "RunRecord", *, silent: bool) -> "View":
    from pipelines.local.view import LiveView, PlainView, View

    if silent:
        return View()
    if console.is_terminal:
        return LiveView(console, record)
    return PlainView(console)


def _conclude(
    console: "Console", record: "RunRecord", workspace: Path, *, as_json: bool
) -> None:
    from pipelines.local.closing import print_summary
    from pipelines.local.summary import summarise, to_plain
    from pipelines.local.workspace import Workspace

    summary = summarise(record, Workspace(workspace.resolve()))
    if as_json:
        sys.stdout.write(json.dumps(to_plain(summary), indent=2) + "\n")
    else:
        print_summary(console, record, summary)
