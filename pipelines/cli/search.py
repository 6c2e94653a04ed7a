"""`effnetv2 search`: a training-aware architecture search on this machine."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.local.search_desk import SearchOutcome

_LABEL_WIDTH = 12


def search(
    *,
    recipe: Annotated[
        str, typer.Option(help="Name of a packaged search recipe, or a .yaml file.")
    ],
    workspace: Annotated[
        Path, typer.Option(help="Directory for everything that the search writes.")
    ] = Path("workspace"),
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change one setting, e.g. budget.trials=50; repeatable.",
        ),
    ] = None,
    study_store: Annotated[
        str | None,
        typer.Option(
            help="Journal file, or postgresql://user@host/database. "
            "Default: a journal in the workspace."
        ),
    ] = None,
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
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object at the end.")
    ] = False,
) -> None:
    """Search for a network that is accurate, fast to train and small.

    The same command goes on with a study that was stopped or killed, and a larger
    budget extends it. At most two workers run at once on one machine. Exit codes
    are those of `run`.
    """
    from rich.console import Console

    from pipelines.local import search_desk

    # Fixed, since standard output is captured while kfp prints to it.
    console = Console(file=sys.stdout)
    request = search_desk.SearchRequest(
        recipe=recipe,
        workspace=workspace,
        overrides=tuple(overrides or ()),
        study_store=study_store,
        tracking_uri=tracking_uri,
        beam_options=beam_options,
    )
    outcome = search_desk.run(request, lambda line: _say(console, line, as_json))
    if as_json:
        sys.stdout.write(json.dumps(_plain(outcome), indent=2) + "\n")
    else:
        _conclude(console, outcome)


def _say(console: "Console", line: str, silent: bool) -> None:
    from datetime import datetime

    if not silent:
        clock = datetime.now().astimezone().strftime("%H:%M:%S")
        console.print(f"{clock} {line}", markup=False, highlight=False, soft_wrap=True)


def _plain(outcome: "SearchOutcome") -> dict[str, object]:
    from model_code import artifacts

    return {
        "search": outcome.name,
        **outcome.facts,
        "artifact": str(outcome.artifact),
        "variant_row": str(outcome.artifact / artifacts.WINNER),
        "report": str(outcome.artifact / artifacts.REPORT),
        "study_store": outcome.study_store,
        "log": str(outcome.log),
    }


def _conclude(console: "Console", outcome: "SearchOutcome") -> None:
    from rich.text import Text

    plain, facts = _plain(outcome), outcome.facts
    lines = {
        "Winner": facts["winner"],
        "Reward": f"{facts['reward']:.4f}; median of the completed trials "
        f"{facts['median_reward']:.4f}",
        "Accuracy": f"{facts['accuracy']:.1%} on the validation split",
        "Cost": f"step time {facts['step_time']:.2f}, parameters "
        f"{facts['parameters']:.2f} of the backbone's",
        "Trials": f"{facts['complete']} complete, {facts['pruned']} pruned, "
        f"{facts['failed']} failed",
        "Row": plain["variant_row"],
        "Report": plain["report"],
        "Log": plain["log"],
        "Next": "effnetv2 run --recipe RECIPE --set "
        f"model.variant=@{plain['variant_row']}",
    }
    console.print()
    for label, text in lines.items():
        # Paths and commands are for copying: never broken by a narrow terminal.
        line = Text(label.ljust(_LABEL_WIDTH), "bold") + Text(str(text))
        console.print(line, soft_wrap=True)
