"""Carry out a plan of schedules without killing a run in progress.

The API cannot change a recurring run, and deleting one can end the runs that
it started (kubeflow/pipelines#7421). So a recurring run is deleted only while
it is disabled and none of its runs is in progress; otherwise the step is put
off and everything stays as it was.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipelines.client import KfpClient
from pipelines.records import RecurringRun
from pipelines.schedule_plan import Action
from pipelines.wait import Clock


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a step; `running` are the runs that put it off."""

    action: Action
    done: bool
    running: tuple[str, ...] = ()


def apply(
    client: KfpClient,
    actions: Iterable[Action],
    *,
    patience_seconds: float = 0.0,
    poll: float = 15.0,
    clock: Clock = time,
) -> tuple[Outcome, ...]:
    """Carry out each step; wait up to `patience_seconds` for runs in progress.

    Stopping anywhere is safe: the next plan starts from what is there then.
    """
    deadline = clock.monotonic() + patience_seconds

    def settled(existing: RecurringRun) -> tuple[str, ...]:
        while True:
            running = runs_in_progress(client, existing)
            left = deadline - clock.monotonic()
            if not running or left <= 0:
                return running
            clock.sleep(min(poll, left))

    return tuple(_carry_out(client, action, settled) for action in actions)


def runs_in_progress(client: KfpClient, existing: RecurringRun) -> tuple[str, ...]:
    """Ids of the runs that the recurring run started and that have not ended."""
    runs = client.list_runs(recurring_run_id=existing.recurring_run_id)
    return tuple(run.run_id for run in runs if not run.ended)


def _carry_out(
    client: KfpClient,
    action: Action,
    settled: Callable[[RecurringRun], tuple[str, ...]],
) -> Outcome:
    existing, wanted = action.existing, action.wanted
    if existing is not None and action.kind in {"replace", "delete"}:
        return _remove(client, action, existing, settled)
    if existing is not None and wanted is not None and action.kind == "switch":
        _switch(client, existing, wanted.enabled)
    elif wanted is not None and action.kind == "create":
        client.create_recurring_run(wanted)
    return Outcome(action=action, done=True)


def _remove(
    client: KfpClient,
    action: Action,
    existing: RecurringRun,
    settled: Callable[[RecurringRun], tuple[str, ...]],
) -> Outcome:
    """Delete, after creating the replacement if there is one.

    Waiting happens with the trigger on, so that nothing is missed. It is off
    from the last look at the runs until the deletion, so that none can start.
    """
    running = settled(existing)
    if not running:
        if existing.enabled:
            _switch(client, existing, False)
        running = runs_in_progress(client, existing)
    if running:
        if existing.enabled:
            _switch(client, existing, True)
        return Outcome(action=action, done=False, running=running)
    if action.wanted is not None:
        client.create_recurring_run(action.wanted)
    client.delete_recurring_run(str(existing.recurring_run_id))
    return Outcome(action=action, done=True)


def _switch(client: KfpClient, existing: RecurringRun, enabled: bool) -> None:
    client.set_recurring_run(str(existing.recurring_run_id), enabled=enabled)
