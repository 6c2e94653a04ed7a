"""What is known of a run, kept in its directory while it goes on.

Written after every event, so that a run that was killed can be continued and
any run can be looked at later.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from model_code.artifacts import read_json, write_json
from model_code.config.base import STRICT

TaskState = Literal["waiting", "running", "finished", "skipped", "failed"]
RunState = Literal["running", "failed", "succeeded"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ArtifactRecord:
    """One output of a task."""

    uri: str
    metadata: dict[str, Any]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TaskRecord:
    """One task: `seconds` from start to end of its process.

    `skipped` means that an earlier attempt finished it; time and outputs are
    from then.
    """

    name: str
    title: str
    state: TaskState = "waiting"
    seconds: float = 0.0
    outputs: dict[str, ArtifactRecord] = field(default_factory=dict)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The metadata of all outputs together."""
        return {
            key: value
            for output in self.outputs.values()
            for key, value in output.metadata.items()
        }

    @property
    def summary(self) -> str:
        """What the task did, in a few words of its own."""
        return str(self.facts.get("summary", ""))

    @property
    def work_seconds(self) -> float:
        """Time inside the task's own work, without process start and imports."""
        return float(self.facts.get("work_seconds", 0.0))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RunRecord:
    """One run. `arguments` are the pipeline's parameters, the same on resume.

    `seconds` is the wall time of all attempts together.
    """

    run_id: str
    pipeline: str
    recipe: str
    recipe_digest: str
    arguments: dict[str, str]
    started: str
    state: RunState = "running"
    attempts: int = 1
    seconds: float = 0.0
    tasks: tuple[TaskRecord, ...] = ()

    def task(self, name: str) -> TaskRecord:
        """The task of that name."""
        return next(task for task in self.tasks if task.name == name)

    def with_task(self, task: TaskRecord) -> "RunRecord":
        """The same run with a newer state of one task."""
        tasks = tuple(task if old.name == task.name else old for old in self.tasks)
        return replace(self, tasks=tasks)


_ADAPTER = TypeAdapter(RunRecord)


def write(record: RunRecord, path: Path) -> None:
    """Write the record whole or not at all."""
    write_json(path, _ADAPTER.dump_python(record, mode="json"))


def read(path: Path) -> RunRecord:
    """The record that `write` wrote."""
    return _ADAPTER.validate_python(read_json(path))


def newest_first(runs: Path) -> list[RunRecord]:
    """Every recorded run below a directory of runs."""
    records = [read(path) for path in runs.glob("*/run.json")]
    return sorted(records, key=lambda record: record.started, reverse=True)
