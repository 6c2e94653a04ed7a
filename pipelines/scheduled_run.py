"""One scheduled run on this machine: the trigger of a schedule becomes a run.

In the scheduler's own process, so that a kill leaves nothing that would still
hold the workspace; the run that it interrupts is resumed by the next call.
"""

import logging
from datetime import datetime
from pathlib import Path

from pipelines.local import desk, retraining_desk
from pipelines.local.view import View
from pipelines.schedules import Schedule

_log = logging.getLogger(__name__)


def run(schedule: Schedule, due: datetime, workspace: Path) -> None:
    """Run the schedule's pipeline for the trigger of `due`; see `Runner`."""
    _log.info("schedule %s, trigger of %s", schedule.name, due.isoformat())
    match schedule.pipeline:
        case "training":
            _train(schedule, workspace)
        case "retraining":
            _retrain(schedule, due, workspace)


def _train(schedule: Schedule, workspace: Path) -> None:
    request = desk.RunRequest(
        recipe=schedule.recipe, workspace=workspace, overrides=schedule.overrides
    )
    record = desk.run(
        request,
        announce=lambda start: _log.info("run %s", start.record.run_id),
        make_view=lambda _: View(),
    )
    _log.info("schedule %s: run %s %s", schedule.name, record.run_id, record.state)


def _retrain(schedule: Schedule, due: datetime, workspace: Path) -> None:
    request = retraining_desk.RetrainingRequest(
        recipe=schedule.recipe,
        workspace=workspace,
        run_id=f"{schedule.name}-{due:%Y%m%d-%H%M%S}",
        parameters=schedule.parameters,
        overrides=schedule.overrides,
    )
    memory = retraining_desk.retrain(request, say=_log.debug)
    _log.info("schedule %s: %s, %s", schedule.name, memory.outcome, memory.reason)
