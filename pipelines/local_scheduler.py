"""Schedules on a single machine, driven by the same files as a Kubeflow backend.

APScheduler wakes up when a trigger is due, from a job store that survives a
restart. What is due is decided by the ledger, because APScheduler forgets a
trigger once its job has started: a run killed with the process would be lost.
So every wake-up asks: was a run interrupted? which triggers came since?

Runs of all schedules happen one after the other, in the scheduler's own thread
and under one lock, so that they never share the machine.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.base import BaseScheduler
from filelock import FileLock, Timeout

from model_code.errors import ConfigError, ProductError
from pipelines.ledger import Ledger, State
from pipelines.local.failure import InterruptedRunError
from pipelines.schedules import Schedule, load_schedules

_log = logging.getLogger(__name__)

ENVIRONMENT = "local"
MAXIMUM_ATTEMPTS = 5
"""A run that takes the scheduler down with it is given up after so many."""

Runner = Callable[[Schedule, datetime, Path], None]
"""Runs a schedule's pipeline for a trigger in a workspace; raises if it fails.

Called again with the same trigger after a kill, so it resumes what it began.
"""


@dataclass(frozen=True)
class Claim:
    """The trigger to run now, and older ones that it stands for."""

    run: datetime
    missed: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Idle:
    """Nothing to run; these triggers never will be."""

    missed: tuple[datetime, ...] = ()


_FIRE = "pipelines.local_scheduler:fire"


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a scheduler finds its schedules and keeps its memory.

    `runner` names the function that runs a pipeline as `module:attribute`,
    since a persistent job can only refer to what can be imported.
    """

    schedules: Path
    workspace: Path
    runner: str = "pipelines.scheduled_run:run"

    @property
    def database(self) -> str:
        """SQLAlchemy URL of ledger and job store."""
        return f"sqlite:///{self.workspace.resolve() / 'scheduler.db'}"

    def ledger(self) -> Ledger:
        """The open ledger."""
        self.workspace.mkdir(parents=True, exist_ok=True)
        return Ledger(self.database)

    def lock(self) -> FileLock:
        """Held by whoever runs pipelines of this workspace."""
        return FileLock(self.workspace / "scheduler.lock")


def arrange(scheduler: BaseScheduler, places: Places) -> None:
    """Give a scheduler its store and the jobs of the files; then start it.

    Every job wakes up once at the start, for runs that a kill interrupted and
    triggers that came while nobody was there. A job whose file is gone finds
    that out itself.
    """
    now = datetime.now(UTC)
    scheduler.add_jobstore(SQLAlchemyJobStore(url=places.database))
    # The one that runs a job where it is called; its name is its authors'.
    scheduler.add_executor(DebugExecutor())
    schedules = load_schedules(ENVIRONMENT, places.schedules)
    ledger = places.ledger()
    for schedule in schedules:
        ledger.register(schedule.name, now)
        scheduler.add_job(
            _FIRE,
            schedule.timing.trigger(),
            args=(str(places.schedules), str(places.workspace), places.runner),
            id=schedule.name,
            replace_existing=True,
            next_run_time=now,
            # The ledger decides about late and repeated triggers, so none is dropped.
            coalesce=True,
            misfire_grace_time=None,
            max_instances=1,
        )
    ledger.close()
    _log.info("%d schedules from %s", len(schedules), places.schedules)


def serve(places: Places) -> None:
    """Run schedules until the process ends.

    Raises:
        ConfigError: another scheduler works in the same workspace.
    """
    from apscheduler.schedulers.blocking import BlockingScheduler

    places.workspace.mkdir(parents=True, exist_ok=True)
    lock = places.lock()
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ConfigError(
            f"Workspace {places.workspace} already has a scheduler; expected one; "
            "stop that process or use another --workspace."
        ) from error
    with lock:
        scheduler = BlockingScheduler(timezone=UTC)
        arrange(scheduler, places)
        scheduler.add_listener(_stop_when_interrupted(scheduler), EVENT_JOB_ERROR)
        scheduler.start()


def _stop_when_interrupted(
    scheduler: BaseScheduler,
) -> Callable[[JobExecutionEvent], None]:
    """A signal that stops a run stops the scheduler; the run is resumed later."""

    def stop(event: JobExecutionEvent) -> None:
        if isinstance(event.exception, InterruptedRunError):
            scheduler.shutdown(wait=False)

    return stop


def fire(schedules: str, workspace: str, runner: str) -> None:
    """What a job does when it wakes: everything that is due, the oldest first.

    Not only what its own schedule has to do: a schedule whose runs take longer
    than its interval must not keep the others waiting for ever.
    """
    places = Places(schedules=Path(schedules), workspace=Path(workspace), runner=runner)
    found = load_schedules(ENVIRONMENT, places.schedules)
    ledger = places.ledger()
    try:
        for schedule in found:
            ledger.register(schedule.name, datetime.now(UTC))
            _resume(schedule, ledger, places)
        while (chosen := _next(found, ledger)) is not None:
            schedule, due = chosen
            now = datetime.now(UTC)
            ledger.claim(schedule.name, due.run, due.missed, now)
            _run(schedule, due.run, ledger, places)
    finally:
        ledger.close()


def _resume(schedule: Schedule, ledger: Ledger, places: Places) -> None:
    for trigger in ledger.interrupted(schedule.name):
        if trigger.attempts >= MAXIMUM_ATTEMPTS:
            detail = f"interrupted {trigger.attempts} times"
            _finish(ledger, schedule, trigger.due, "failed", detail)
            continue
        ledger.restart(schedule.name, trigger.due)
        _run(schedule, trigger.due, ledger, places)


def _next(
    schedules: tuple[Schedule, ...], ledger: Ledger
) -> tuple[Schedule, Claim] | None:
    """The oldest trigger that is due in any schedule; records what is missed."""
    now = datetime.now(UTC)
    candidates = []
    for schedule in schedules:
        if not schedule.enabled or ledger.is_paused(schedule.name):
            ledger.pass_over(schedule.name, now)
            continue
        due = due_triggers(schedule, ledger.handled_until(schedule.name), now)
        if isinstance(due, Claim):
            candidates.append((schedule, due))
        else:
            ledger.miss(schedule.name, due.missed, now, "the scheduler was not there")
    return min(candidates, key=lambda each: each[1].run, default=None)


def due_triggers(
    schedule: Schedule, handled_until: datetime, now: datetime
) -> Claim | Idle:
    """Which trigger in (handled_until, now] is run next; pure.

    With catch-up the oldest, and the others after it. Without, the newest if it
    is not later than the grace time; the others are missed.
    """
    triggers = tuple(schedule.timing.fire_times(handled_until, now))
    if not triggers:
        return Idle()
    if schedule.catch_up:
        return Claim(triggers[0])
    grace = timedelta(seconds=schedule.misfire_grace_seconds)
    if now - triggers[-1] > grace:
        return Idle(triggers)
    return Claim(triggers[-1], triggers[:-1])


def _run(schedule: Schedule, due: datetime, ledger: Ledger, places: Places) -> None:
    runner = _resolve(places.runner)
    try:
        runner(schedule, due, places.workspace)
    except InterruptedRunError:
        raise
    except ProductError as error:
        _log.error("run of %s for %s failed: %s", schedule.name, due, error)
        _finish(ledger, schedule, due, "failed", str(error))
    else:
        _finish(ledger, schedule, due, "succeeded", "")


def _finish(
    ledger: Ledger, schedule: Schedule, due: datetime, state: State, detail: str
) -> None:
    ledger.finish(schedule.name, due, state, detail, datetime.now(UTC))


def _resolve(reference: str) -> Runner:
    module, _, attribute = reference.partition(":")
    found: Runner = getattr(import_module(module), attribute)
    return found
