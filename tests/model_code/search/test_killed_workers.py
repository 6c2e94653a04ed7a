"""Workers die by SIGKILL in the middle of trials, and no trial is lost or doubled."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from model_code.search.study import Search
from model_code.search.worker import work
from tests.helpers.postgres import postgres_server
from tests.model_code.search.recipes import by_formula, open_at

pytestmark = pytest.mark.full

_SETTINGS = {
    "budget": {"trials": 8},
    "workers": {"heartbeat_seconds": 0.5, "grace_seconds": 4.0, "retries": 3},
}
_WORKER = f"""
import sys, time
from model_code.search.worker import work
from tests.model_code.search.recipes import by_formula, open_at

def evaluate(network, report):
    time.sleep(1.0)
    return by_formula(network, report)

work(open_at(sys.argv[1], **{_SETTINGS}), evaluate)
"""


@pytest.fixture(params=["journal", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "journal":
        yield str(tmp_path / "journal.log")
    else:
        with postgres_server(tmp_path) as url:
            yield url


def test_the_study_ends_whole(store: str) -> None:
    search = open_at(store, **_SETTINGS)
    killed: set[int] = set()
    for _ in range(2):
        pair = [_start(store) for _ in range(2)]
        killed |= _kill_mid_trial(search, pair)

    assert [_start(store).wait(timeout=120)] == [0]

    attempts = [len(slot.attempts) for slot in search.slots]
    assert len(killed) >= 3
    assert [slot.last.state for slot in search.slots] == [TrialState.COMPLETE] * 8
    complete = [t for t in search.trials if t.state == TrialState.COMPLETE]
    failed = [t for t in search.trials if t.state == TrialState.FAIL]
    assert len(complete) == 8
    assert {trial.number for trial in failed} == killed
    assert sum(attempts) == 8 + len(killed)
    assert [s.parameters for s in search.slots] == _without_kills()
    search.storage.remove_session()


def _start(store: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _WORKER, store])


def _kill_mid_trial(search: Search, pair: list[subprocess.Popen[bytes]]) -> set[int]:
    """Kill both while each is in a trial of its own; returns these trials."""
    before = {trial.number for trial in _running(search)}
    deadline = time.monotonic() + 60
    while len({t.number for t in _running(search)} - before) < 2:
        assert time.monotonic() < deadline, "two trials never ran at once"
        time.sleep(0.02)
    for worker in pair:
        worker.send_signal(signal.SIGKILL)
        worker.wait(timeout=30)
    return {trial.number for trial in _running(search)}


def _running(search: Search) -> list:
    return search.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def _without_kills() -> list[dict[str, str | int]]:
    search = open_at(InMemoryStorage(), **_SETTINGS)
    work(search, by_formula)
    return [slot.parameters for slot in search.slots]
