"""The operator's command line: `effnetv2`, one verb (or group) a file.

A verb's module imports typer and the standard library only; what it works
with is imported in its body, so that `effnetv2 --help` answers at once.
"""

import sys

import typer

from pipelines.cli import (
    compile,
    cost,
    data,
    describe,
    doctor,
    predict,
    registry,
    retrain,
    run,
    runs,
    schedules,
    search,
    submit,
)

app = typer.Typer(
    name="effnetv2",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def _effnetv2() -> None:
    """Train, search, evaluate, register and keep retraining EfficientNetV2."""


# One line a verb, in the order of `--help`:
#   app.command("run")(run.run)                     a single verb
#   app.add_typer(registry.app, name="registry")    a group of verbs
app.command("run")(run.run)
app.command("retrain")(retrain.retrain)
app.command("search")(search.search)
app.command("compile")(compile.compile_package)
app.command("submit")(submit.submit)
app.add_typer(runs.app, name="runs")
app.add_typer(schedules.app, name="schedules")
app.add_typer(data.app, name="data")
app.command("predict")(predict.predict)
app.add_typer(registry.app, name="registry")
app.command("describe")(describe.describe)
app.command("cost")(cost.cost)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Entry point: a user's error is one paragraph on stderr and an exit code."""
    from model_code.errors import ProductError

    try:
        app()
    except ProductError as error:
        # One paragraph, also where a library's own message has several lines.
        sys.stderr.write(f"effnetv2: {' '.join(str(error).split())}\n")
        sys.exit(error.exit_code)
