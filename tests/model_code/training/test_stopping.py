"""SIGTERM asks, and a workdir has one writer."""

import os
import signal
import threading
from pathlib import Path

import pytest

from model_code.errors import PreemptedError, TrainingError
from model_code.training.stopping import sole_writer, stop_requests


def test_sigterm_asks_and_does_not_kill() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_requests() as asked:
        assert not asked()
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked()
    assert signal.getsignal(signal.SIGTERM) is before


def test_another_thread_trains_without_the_signal() -> None:
    seen = []

    def train() -> None:
        with stop_requests() as asked:
            seen.append(asked())

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert seen == [False]


def test_a_second_writer_is_refused_until_the_first_is_done(tmp_path: Path) -> None:
    workdir = str(tmp_path / "work")
    with (
        sole_writer(workdir),
        pytest.raises(TrainingError, match="Another process is training in"),
        sole_writer(workdir),
    ):
        pass
    with sole_writer(workdir):
        pass


def test_a_bucket_is_not_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with sole_writer("gs://bucket/run"):
        assert not list(tmp_path.iterdir())


def test_preemption_asks_to_be_tried_again() -> None:
    assert PreemptedError.exit_code == os.EX_TEMPFAIL
