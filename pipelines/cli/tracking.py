"""Options of the verbs that read the model registry."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from model_code.adapters.registry import ModelRegistry

TrackingUri = Annotated[
    str | None,
    typer.Option(
        envvar="MLFLOW_TRACKING_URI",
        help="MLflow store or server. Default: SQLite in the workspace.",
    ),
]
WorkspacePath = Annotated[
    Path, typer.Option(help="Directory of the runs, where no tracking URI is given.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]


def open_registry(tracking_uri: str | None, workspace: Path) -> "ModelRegistry":
    """The registry that a verb works with.

    Raises:
        RegistryError: it is a file that is not there; looking does not create it.
    """
    from model_code.adapters.mlflow_store import MlflowStore
    from model_code.adapters.registry import ModelRegistry
    from pipelines.local.workspace import Workspace

    store = MlflowStore(tracking_uri or Workspace(workspace.resolve()).tracking_uri)
    store.require()
    return ModelRegistry(store)
