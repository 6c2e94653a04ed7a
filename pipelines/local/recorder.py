"""Turns the lines of a run into its record, its log and what the view shows."""

import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from model_code.artifacts import read_json
from model_code.progress import MARK
from pipelines.local import record as records
from pipelines.local.record import ArtifactRecord, RunRecord, TaskRecord, TaskState
from pipelines.local.stream import (
    TaskEnded,
    TaskOutput,
    TaskSkipped,
    TaskStarted,
    parse,
)
from pipelines.local.view import View
from pipelines.local.workspace import RunDirectory

_TAIL_LINES = 200


class Recorder:
    """Receives every line of a run, in order."""

    def __init__(
        self, record: RunRecord, directory: RunDirectory, view: View, log: TextIO
    ) -> None:
        self.record = record
        self.failed: TaskRecord | None = None
        self._directory = directory
        self._view = view
        self._log = log
        self._began = time.monotonic() - record.seconds
        self._running: TaskRecord | None = None
        self._task_began = 0.0
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines that the last task wrote."""
        return tuple(self._tail)

    def receive(self, line: str) -> None:
        """Take one line of kfp's output."""
        self._log.write(line + "\n")
        match parse(line):
            case TaskStarted(name):
                self._start(self.record.task(name))
            case TaskOutput(text) if self._running is not None:
                self._hear(self._running, text)
            case TaskEnded(_, succeeded) if self._running is not None:
                self._end(self._running, "finished" if succeeded else "failed")
            case TaskSkipped(name):
                self._change(replace(self.record.task(name), state="skipped"))
            case _:
                pass  # kfp's decoration; it is in the log

    def close(self, state: records.RunState) -> RunRecord:
        """Write down how the run ended."""
        self.record = replace(self.record, state=state)
        self._write()
        return self.record

    def _start(self, task: TaskRecord) -> None:
        self._tail.clear()
        self._task_began = time.monotonic()
        self._running = replace(task, state="running")
        self._change(self._running)

    def _hear(self, task: TaskRecord, text: str) -> None:
        self._tail.append(text)
        if text.startswith(MARK):
            self._view.progress(task, text.removeprefix(MARK))

    def _end(self, task: TaskRecord, state: TaskState) -> None:
        ended = replace(
            task,
            state=state,
            seconds=time.monotonic() - self._task_began,
            outputs=self._read_outputs(task.name),
        )
        self._running = None
        if state == "failed":
            self.failed = ended
        self._change(ended)

    def _change(self, task: TaskRecord) -> None:
        self.record = self.record.with_task(task)
        self._write()
        self._view.task_changed(self.record, task)

    def _write(self) -> None:
        self.record = replace(self.record, seconds=time.monotonic() - self._began)
        records.write(self.record, self._directory.record)

    def _read_outputs(self, task: str) -> dict[str, ArtifactRecord]:
        """What the task declared; nothing where it failed before that."""
        attempt = max(self._directory.pipeline_root.iterdir())  # named by time
        path = attempt / task / "executor_output.json"
        declared = read_json(path).get("artifacts", {}) if path.exists() else {}
        outputs = {
            name: ArtifactRecord(uri=artifact["uri"], metadata=artifact["metadata"])
            for name, values in declared.items()
            for artifact in values["artifacts"]
        }
        for output in outputs.values():
            # Metrics are metadata only, and kfp's cache takes an artifact without
            # a file for one that was deleted: the task would run again.
            if not Path(output.uri).exists():
                Path(output.uri).touch()
        return outputs
