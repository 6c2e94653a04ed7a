"""`effnetv2 predict`: classify images with a registered model."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.tracking import AsJson, TrackingUri, WorkspacePath, open_registry

if TYPE_CHECKING:
    from model_code.adapters.model_versions import ModelVersion
    from model_code.serving.predict import Prediction, Refusal


def predict(
    images: Annotated[
        list[Path], typer.Argument(help="Image files: JPEG, PNG, GIF, BMP, ...")
    ],
    model: Annotated[
        str, typer.Option(help="NAME@alias, NAME/version, or NAME for its champion.")
    ],
    tracking_uri: TrackingUri = None,
    workspace: WorkspacePath = Path("workspace"),
    as_json: AsJson = False,
) -> None:
    """Class and probability of each image.

    Exit code 3 where an image could not be read; the others are still classified.
    """
    registry = open_registry(tracking_uri, workspace)
    version = registry.find(model)
    saved_model = registry.fetch(version)
    # TensorFlow takes seconds to import: only once there is a model.
    from model_code import artifacts
    from model_code.errors import DataError
    from model_code.serving.predict import Refusal
    from model_code.serving.predict import predict as classify
    from model_code.serving.saved_model import ServedModel

    served = ServedModel(saved_model / artifacts.SAVED_MODEL)
    answers = list(classify(served, images))
    if as_json:
        typer.echo(json.dumps(_plain(version, answers), indent=2))
    else:
        _show(version, answers)
    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    for refusal in refusals:
        sys.stderr.write(f"effnetv2: {refusal.problem}\n")
    if refusals:
        raise typer.Exit(DataError.exit_code)


def _show(version: "ModelVersion", answers: Sequence["Prediction | Refusal"]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from model_code.serving.predict import Prediction

    table = Table("image", "class", title=f"{version}", title_justify="left")
    table.add_column("probability", justify="right")
    for answer in answers:
        if isinstance(answer, Prediction):
            # File and class names are data: no markup in them.
            cells = (str(answer.image), answer.class_name)
            table.add_row(*map(Text, cells), f"{answer.probability:.1%}")
    if table.row_count:
        Console().print(table)


def _plain(
    version: "ModelVersion", answers: Sequence["Prediction | Refusal"]
) -> dict[str, Any]:
    from model_code.serving.predict import Prediction

    rows = [
        {
            "image": str(answer.image),
            "class": answer.class_name,
            "probability": answer.probability,
            "probabilities": answer.probabilities,
        }
        if isinstance(answer, Prediction)
        else {"image": str(answer.image), "error": answer.problem}
        for answer in answers
    ]
    return {
        "model": version.model_name,
        "version": version.version,
        "predictions": rows,
    }
