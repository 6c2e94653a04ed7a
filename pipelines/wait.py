"""Waiting for a pipeline run, with an end for every way a run can end."""

import time
from collections.abc import Callable
from typing import NoReturn, Protocol

from model_code.errors import UnavailableError
from pipelines.failures import RunCanceledError, RunFailedError, WaitExpiredError
from pipelines.records import RunRecord, TaskRecord


class Clock(Protocol):
    """Time that a test can move; seconds."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start."""

    def sleep(self, seconds: float) -> None:
        """Pass that much time."""


def wait_for_run(
    get_run: Callable[[], RunRecord],
    *,
    timeout: float,
    poll: float = 10.0,
    progress: Callable[[RunRecord], None],
    clock: Clock = time,
) -> RunRecord:
    """The run once it has succeeded.

    `timeout` and `poll` are seconds. `progress` sees every change of state of
    the run or a task. A backend that is away for a while does not end the
    wait; one that is away at the deadline does.

    Raises:
        RunFailedError, RunCanceledError: how the run ended.
        WaitExpiredError: it had not ended in time; it goes on by itself.
    """
    deadline = clock.monotonic() + timeout
    seen: tuple[object, ...] | None = None
    while True:
        run = _look(get_run, clock.monotonic() >= deadline)
        if run is not None:
            if _states(run) != seen:
                progress(run)
                seen = _states(run)
            if run.ended:
                return _judge(run)
            if clock.monotonic() >= deadline:
                _expire(run, timeout)
        clock.sleep(min(poll, max(0.0, deadline - clock.monotonic())))


def _look(get_run: Callable[[], RunRecord], last: bool) -> RunRecord | None:
    try:
        return get_run()
    except UnavailableError:
        if last:
            raise
        return None


def _states(run: RunRecord) -> tuple[object, ...]:
    return (run.state, *((task.name, task.state) for task in run.tasks))


def _judge(run: RunRecord) -> RunRecord:
    if run.state == "FAILED":
        raise RunFailedError(
            f"Run {run.name} ({run.run_id}) failed: {_reason(run)}; expected success; "
            f"read `effnetv2 runs logs {run.run_id}`, then `effnetv2 runs retry`."
        )
    if run.state == "CANCELED":
        raise RunCanceledError(
            f"Run {run.name} ({run.run_id}) was cancelled; expected success; "
            f"`effnetv2 runs retry {run.run_id}` continues it."
        )
    return run


def _expire(run: RunRecord, timeout: float) -> NoReturn:
    raise WaitExpiredError(
        f"Run {run.name} ({run.run_id}) is {run.state} after {timeout:g} s; expected "
        f"it to have ended; it goes on by itself: `effnetv2 runs show {run.run_id}`, "
        "or wait longer with --timeout."
    )


def _reason(run: RunRecord) -> str:
    failed = [task for task in run.tasks if task.state == "FAILED"]
    if failed:
        return "; ".join(_task_reason(task) for task in failed)
    return run.error or "the backend gave no reason"


def _task_reason(task: TaskRecord) -> str:
    return f"task {task.name}: {task.error or 'no message'}"
