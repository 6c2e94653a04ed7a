"""Runners for the local scheduler that leave a trace instead of training."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pipelines.schedules import Schedule

behaviour: list[Callable[[Schedule, datetime], None]] = []
"""What `simulate` does; set by the test in the same process."""


def simulate(schedule: Schedule, due: datetime, workspace: Path) -> None:
    behaviour[-1](schedule, due)


def trace(schedule: Schedule, due: datetime, workspace: Path) -> None:
    """Leave a line at start and end; used by processes that get killed."""
    with (workspace / "trace.txt").open("a") as lines:
        lines.write(f"start {schedule.name} {due.isoformat()}\n")
        lines.flush()
        time.sleep(0.15)
        lines.write(f"end {schedule.name} {due.isoformat()}\n")
