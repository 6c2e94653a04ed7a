"""Waiting ends for every way a run can end, and never otherwise."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from model_code.errors import UnavailableError
from pipelines.failures import RunCanceledError, RunFailedError, WaitExpiredError
from pipelines.records import RunRecord, TaskRecord
from pipelines.wait import wait_for_run


@dataclass
class FakeClock:
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def run(state, tasks=()) -> RunRecord:
    return RunRecord(
        run_id="r1",
        name="training-x",
        state=state,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        experiment_id="e1",
        tasks=tasks,
    )


def wait(answers, timeout=600.0, poll=10.0):
    """Wait over scripted answers, the last of which repeats."""
    clock, seen, left = FakeClock(), [], list(answers)

    def get_run() -> RunRecord:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    result = wait_for_run(
        get_run, timeout=timeout, poll=poll, progress=seen.append, clock=clock
    )
    return result, seen, clock


def test_success_returns_the_run_and_reports_each_change_once():
    states = ["PENDING", "RUNNING", "RUNNING", "SUCCEEDED"]
    result, seen, clock = wait([run(state) for state in states])
    assert result.state == "SUCCEEDED"
    assert [each.state for each in seen] == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert clock.now == 30.0


def test_cancelled_ends_the_wait():
    with pytest.raises(RunCanceledError, match="was cancelled"):
        wait([run("RUNNING"), run("CANCELING"), run("CANCELED")])


def test_failure_names_the_task_and_its_message():
    tasks = (TaskRecord(name="finetune", state="FAILED", error="exit code 137"),)
    with pytest.raises(RunFailedError, match="task finetune: exit code 137"):
        wait([run("FAILED", tasks)])


def test_time_runs_out_exactly_at_the_deadline():
    with pytest.raises(WaitExpiredError, match="is RUNNING after 25 s"):
        wait([run("RUNNING")], timeout=25.0)


def test_a_backend_that_is_away_for_a_while_is_outlived():
    away = UnavailableError("down")
    result, _, _ = wait([run("RUNNING"), away, away, run("SUCCEEDED")])
    assert result.state == "SUCCEEDED"


def test_a_backend_that_stays_away_is_reported_at_the_deadline():
    with pytest.raises(UnavailableError, match="down"):
        wait([UnavailableError("down")], timeout=30.0)


def test_exit_codes_differ():
    kinds = (RunFailedError, RunCanceledError, WaitExpiredError, UnavailableError)
    assert len({kind.exit_code for kind in kinds}) == len(kinds)
