"""Stores a trained model as a model version, once for each run."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import mlflow
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, Schema

from model_code.adapters.mlflow_store import MlflowStore
from model_code.adapters.model_versions import CHALLENGER, CHAMPION, ModelVersion
from model_code.adapters.registry import ModelRegistry
from model_code.distributions import requirement

RUN_KEY = "run_key"
"""The tag by which a repeated registration finds what is there already."""

_NEEDED = ("mlflow", "pandas", "tensorflow")


def register(
    store: MlflowStore,
    model_name: str,
    *,
    files: Sequence[Path],
    class_names: Sequence[str],
    tags: Mapping[str, str],
    metrics: Mapping[str, float],
    tracking_run_id: str | None,
) -> ModelVersion:
    """Register the files as a new version, as `@challenger`.

    A version that already carries the same tag `run_key` is returned instead:
    a run that was killed and repeated has one version.

    Args:
        store: where to register.
        model_name: the registered model, created where it is new.
        files: the Model and Evaluation artifacts; one is the SavedModel.
        class_names: the label space, one output column each.
        tags: lineage, test metrics and gate decision; `run_key` among them.
        metrics: shown beside the model; needs the tracking run.
        tracking_run_id: the tracking run that the model comes from.
    """
    registry = ModelRegistry(store)
    with store.open() as client:
        found = _find_run(client, model_name, tags[RUN_KEY])
        if found is None:
            logged = client.create_logged_model(
                store.experiment_id(client, model_name),
                name=model_name,
                source_run_id=tracking_run_id,
                tags=dict(tags),
                model_type="image-classification",
            )
            source = str(logged.model_id)
            _upload(source, files, class_names)
            _log_metrics(client, source, metrics, tracking_run_id)
            if model_name not in registry.models():
                client.create_registered_model(model_name)
            # The tags go in with the version: one without would be made again.
            entry = client.create_model_version(
                model_name, f"models:/{source}", tags=dict(tags), model_id=source
            )
            found = int(entry.version)
        version = registry.find(f"{model_name}/{found}")
        newest = registry.versions(model_name)[0]
        if newest.version == version.version and CHAMPION not in version.aliases:
            client.set_registered_model_alias(model_name, CHALLENGER, str(found))
    return registry.find(str(version))


def _find_run(client: MlflowClient, model_name: str, run_key: str) -> int | None:
    query = f"name = '{model_name}' and tags.`{RUN_KEY}` = '{run_key}'"
    numbers = [int(entry.version) for entry in client.search_model_versions(query)]
    return min(numbers, default=None)


def _upload(model_id: str, files: Sequence[Path], class_names: Sequence[str]) -> None:
    with warnings.catch_warnings():
        # An example would make MLflow load the model to try it: seconds again.
        message = ".*An input example was not provided"
        warnings.filterwarnings("ignore", message=message)
        mlflow.pyfunc.log_model(
            model_id=model_id,
            python_model=str(Path(__file__).with_name("served_model.py")),
            artifacts={path.stem: str(path.resolve()) for path in files},
            signature=_signature(class_names),
            # Without, MLflow loads the model to find out: 6 to 9 s instead of 0.6.
            pip_requirements=[requirement(name) for name in _NEEDED],
            # Without, MLflow copies whatever uv.lock is in the current directory.
            uv_project_path=files[0].parent,
        )


def _signature(class_names: Sequence[str]) -> ModelSignature:
    return ModelSignature(
        inputs=Schema([ColSpec(DataType.binary, "image")]),
        outputs=Schema([ColSpec(DataType.float, name) for name in class_names]),
    )


def _log_metrics(
    client: MlflowClient,
    model_id: str,
    metrics: Mapping[str, float],
    tracking_run_id: str | None,
) -> None:
    if tracking_run_id is None:
        return
    for name, value in metrics.items():
        client.log_metric(tracking_run_id, name, value, model_id=model_id)
