"""One tracking run for each pipeline run: parameters, curves, files."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mlflow.entities import Metric, Param
from mlflow.environment_variables import MLFLOW_RUN_ID
from mlflow.tracking import MlflowClient

from model_code.adapters.mlflow_store import MlflowStore

_T = TypeVar("_T")

_RUN_KEY = "run_key"

# MLflow takes no more at once.
_METRICS_A_CALL = 1000
_PARAMETERS_A_CALL = 100


@dataclass(frozen=True)
class TrackingRun:
    """A run of the tracking store; all of its tasks write to the same one."""

    store: MlflowStore
    run_id: str

    def log_parameters(self, settings: Mapping[str, Any]) -> None:
        """Nested settings as `finetune.train.epochs`; saying the same again is fine."""
        flat = _flatten(settings, prefix="")
        parameters = [Param(key, str(value)) for key, value in flat.items()]
        with self.store.open() as client:
            for batch in _batches(parameters, _PARAMETERS_A_CALL):
                client.log_batch(self.run_id, params=batch)

    def log_history(self, task: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """The numbers of `history.jsonl` as curves named `task/metric`.

        The time of a point is that of its row, so that a repeated task adds
        nothing: MLflow keeps equal points once.
        """
        points = [point for row in rows for point in _points(task, row)]
        with self.store.open() as client:
            for batch in _batches(points, _METRICS_A_CALL):
                client.log_batch(self.run_id, metrics=batch)

    def log_files(self, *files: Path) -> None:
        """Copies of the files, shown under the run's artifacts."""
        with self.store.open() as client:
            for file in files:
                client.log_artifact(self.run_id, str(file))

    def finish(self) -> None:
        """Mark the run as finished."""
        with self.store.open() as client:
            client.set_terminated(self.run_id)


def join_or_start(
    store: MlflowStore, experiment: str, run_key: str, announced: str | None = None
) -> TrackingRun:
    """The tracking run of a pipeline run: announced, started before, or new.

    Args:
        store: where to track.
        experiment: the tracking experiment of a new run.
        run_key: names the pipeline run across its tasks and restarts.
        announced: id of the run that the backend's MLflow plugin started for
            this pipeline run (`MLFLOW_RUN_ID`).
    """
    with store.open() as client:
        if announced is not None:
            client.set_tag(announced, _RUN_KEY, run_key)
            return TrackingRun(store, announced)
        experiment_id = store.experiment_id(client, experiment)
        found = _find(client, experiment_id, run_key)
        if found is None:
            tags = {_RUN_KEY: run_key}
            run = client.create_run(experiment_id, tags=tags, run_name=run_key)
            found = str(run.info.run_id)
        else:
            client.update_run(found, status="RUNNING")
        return TrackingRun(store, found)


def announced_run() -> str | None:
    """The run that the backend's MLflow plugin started for this pipeline run."""
    found: str | None = MLFLOW_RUN_ID.get()  # type: ignore[no-untyped-call]
    return found


def _find(client: MlflowClient, experiment_id: str, run_key: str) -> str | None:
    query = f"tags.{_RUN_KEY} = '{run_key}'"
    runs = client.search_runs([experiment_id], query, max_results=1)
    return str(runs[0].info.run_id) if runs else None


def _points(task: str, row: Mapping[str, Any]) -> list[Metric]:
    time = round(row["time"] * 1000)
    return [
        Metric(f"{task}/{name}", float(value), time, int(row["step"]))
        for name, value in row.items()
        if name not in {"step", "time"} and _is_number(value)
    ]


def _is_number(value: Any) -> bool:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return numeric and math.isfinite(value)


def _flatten(settings: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _batches(items: list[_T], size: int) -> Iterable[list[_T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
