"""What the backend knows, as frozen records that do not depend on its client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

RunState = Literal[
    "RUNTIME_STATE_UNSPECIFIED",
    "PENDING",
    "RUNNING",
    "SUCCEEDED",
    "SKIPPED",
    "FAILED",
    "CANCELING",
    "CANCELED",
    "PAUSED",
]

ENDED: frozenset[RunState] = frozenset({"SUCCEEDED", "SKIPPED", "FAILED", "CANCELED"})
"""kfp's own wait leaves CANCELED out and never returns (kfp-facts section 5)."""


@dataclass(frozen=True, kw_only=True)
class TaskRecord:
    """One task of a run; `pod` is where its log is."""

    name: str
    state: RunState
    started: datetime | None = None
    finished: datetime | None = None
    pod: str | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One pipeline run."""

    run_id: str
    name: str
    state: RunState
    created: datetime
    experiment_id: str
    finished: datetime | None = None
    recurring_run_id: str | None = None
    error: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[TaskRecord, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether the run will not change any more by itself."""
        return self.state in ENDED


@dataclass(frozen=True, kw_only=True)
class VersionRecord:
    """One immutable uploaded pipeline spec."""

    pipeline_id: str
    version_id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class RecurringRun:
    """A recurring run as it is, or as it should be (then without an id).

    `version_id` belongs to `pipeline_id`; parameters are what every run gets.
    """

    name: str
    cron: str
    enabled: bool
    catch_up: bool
    max_concurrency: int
    experiment_id: str
    pipeline_id: str
    version_id: str
    parameters: Mapping[str, Any]
    description: str = ""
    pipeline_root: str | None = None
    service_account: str | None = None
    recurring_run_id: str | None = None
    created: datetime | None = None
