"""What the fake backend remembers, and its rules.

Rules are those of the KFP 2.17 API server as far as the product meets them:
unique names, arguments checked against the version's spec, one end to a run,
and a recurring run that takes its running runs with it when it is deleted
(kubeflow/pipelines#7421).
"""

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

ENDED = {"SUCCEEDED", "SKIPPED", "FAILED", "CANCELED"}
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Refused(Exception):
    """An answer other than 200, as google.rpc codes and HTTP have it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass
class KfpState:
    """All tables; each maps an id to the JSON that the API answers with."""

    pipelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    recurring: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    killed: list[str] = field(default_factory=list)
    scripts: dict[str, list[str]] = field(default_factory=dict)
    default_script: tuple[str, ...] = ("RUNNING", "SUCCEEDED")
    _clock: Any = field(default_factory=itertools.count)

    def now(self) -> str:
        moment = _EPOCH + timedelta(seconds=next(self._clock))
        return moment.isoformat().replace("+00:00", "Z")

    def create_pipeline(self, body: dict[str, Any]) -> dict[str, Any]:
        name = body.get("display_name") or body["name"]
        _unique(self.pipelines, "display_name", name, "Pipeline")
        identity = str(uuid.uuid4())
        self.pipelines[identity] = {
            **body,
            "pipeline_id": identity,
            "display_name": name,
            "created_at": self.now(),
        }
        return self.pipelines[identity]

    def create_version(
        self, pipeline_id: str, name: str, description: str, package: bytes
    ) -> dict[str, Any]:
        known(self.pipelines, pipeline_id, "Pipeline")
        siblings = {
            key: version
            for key, version in self.versions.items()
            if version["pipeline_id"] == pipeline_id
        }
        _unique(siblings, "display_name", name, "PipelineVersion")
        documents = [doc for doc in yaml.safe_load_all(package) if doc]
        if not documents or "root" not in documents[0]:
            raise Refused(400, "the file is not a pipeline spec")
        identity = str(uuid.uuid4())
        self.versions[identity] = {
            "pipeline_id": pipeline_id,
            "pipeline_version_id": identity,
            "display_name": name,
            "description": description,
            "created_at": self.now(),
            "pipeline_spec": {"pipeline_spec": documents[0]},
        }
        return self.versions[identity]

    def create_experiment(self, body: dict[str, Any]) -> dict[str, Any]:
        _unique(self.experiments, "display_name", body["display_name"], "Experiment")
        identity = str(uuid.uuid4())
        self.experiments[identity] = {
            **body,
            "experiment_id": identity,
            "created_at": self.now(),
            "storage_state": "AVAILABLE",
        }
        return self.experiments[identity]

    def create_run(self, body: dict[str, Any]) -> dict[str, Any]:
        known(self.experiments, body["experiment_id"], "Experiment")
        self._check_arguments(body)
        identity = str(uuid.uuid4())
        self.runs[identity] = {
            **body,
            "run_id": identity,
            "state": "PENDING",
            "created_at": self.now(),
            # The real server sends the epoch until the run has ended.
            "finished_at": "1970-01-01T00:00:00Z",
        }
        self.scripts[identity] = list(self.default_script)
        return self.runs[identity]

    def observe_run(self, run_id: str) -> dict[str, Any]:
        """The run; every look moves it one state along its script."""
        run = known(self.runs, run_id, "Run")
        if self.scripts.get(run_id):
            self.move_run(run_id, self.scripts[run_id].pop(0))
        return run

    def move_run(self, run_id: str, state: str) -> None:
        run = self.runs[run_id]
        run["state"] = state
        if state in ENDED:
            run["finished_at"] = self.now()
            self.scripts[run_id] = []
        if state == "FAILED":
            run["error"] = {"code": 2, "message": "task train failed"}

    def terminate_run(self, run_id: str) -> None:
        run = known(self.runs, run_id, "Run")
        if run["state"] in ENDED:
            raise Refused(400, f"Run {run_id} has ended as {run['state']}")
        run["state"] = "CANCELING"
        self.scripts[run_id] = ["CANCELED"]

    def retry_run(self, run_id: str) -> None:
        run = known(self.runs, run_id, "Run")
        if run["state"] not in {"FAILED", "CANCELED"}:
            raise Refused(400, f"Run {run_id} is {run['state']}, not failed")
        run.pop("error", None)
        run["state"] = "RUNNING"
        self.scripts[run_id] = ["SUCCEEDED"]

    def create_recurring(self, body: dict[str, Any]) -> dict[str, Any]:
        known(self.experiments, body["experiment_id"], "Experiment")
        self._check_arguments(body)
        if not 1 <= int(body["max_concurrency"]) <= 10:
            raise Refused(400, "The max concurrency must be between 1 and 10")
        identity = str(uuid.uuid4())
        stamp = self.now()
        self.recurring[identity] = {
            **body,
            "recurring_run_id": identity,
            "status": "ENABLED" if body["mode"] == "ENABLE" else "DISABLED",
            "created_at": stamp,
            "updated_at": stamp,
        }
        return self.recurring[identity]

    def fire(self, recurring_run_id: str) -> str:
        """What the schedule controller does when a trigger is due."""
        source = self.recurring[recurring_run_id]
        run = self.create_run(
            {
                "display_name": f"{source['display_name']}-{len(self.runs)}",
                "experiment_id": source["experiment_id"],
                "pipeline_version_reference": source["pipeline_version_reference"],
                "runtime_config": source["runtime_config"],
                "recurring_run_id": recurring_run_id,
            }
        )
        run["state"] = "RUNNING"
        self.scripts[run["run_id"]] = []
        return str(run["run_id"])

    def set_recurring(self, recurring_run_id: str, status: str) -> None:
        known(self.recurring, recurring_run_id, "RecurringRun")["status"] = status

    def delete_recurring(self, recurring_run_id: str) -> None:
        known(self.recurring, recurring_run_id, "RecurringRun")
        for run in self.runs.values():
            mine = run.get("recurring_run_id") == recurring_run_id
            if mine and run["state"] not in ENDED:
                self.killed.append(run["run_id"])
                self.move_run(run["run_id"], "FAILED")
        del self.recurring[recurring_run_id]

    def _check_arguments(self, body: dict[str, Any]) -> None:
        reference = body.get("pipeline_version_reference") or {}
        version = known(
            self.versions, reference.get("pipeline_version_id", ""), "PipelineVersion"
        )
        spec = version["pipeline_spec"]["pipeline_spec"]
        inputs = spec["root"].get("inputDefinitions", {}).get("parameters", {})
        given = (body.get("runtime_config") or {}).get("parameters") or {}
        for name in given:
            if name not in inputs:
                raise Refused(400, f"parameter {name} is not part of the pipeline")
        for name, parameter in inputs.items():
            optional = "defaultValue" in parameter or parameter.get("isOptional")
            if name not in given and not optional:
                raise Refused(400, f"parameter {name} is not optional and not given")


def known(table: dict[str, dict[str, Any]], identity: str, kind: str) -> dict[str, Any]:
    if identity not in table:
        raise Refused(404, f"{kind} {identity} not found")
    return table[identity]


def _unique(table: dict[str, dict[str, Any]], key: str, value: str, kind: str) -> None:
    if any(row[key] == value for row in table.values()):
        raise Refused(409, f"{kind} {value} already exists")
