"""Killed, stopped and resumed runs end bit for bit like the uninterrupted one."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model_code.training.checkpoints import CheckpointStore
from tests.model_code.training.runs import STEPS, Worker, prepare, tiny_config

Arrays = dict[str, NDArray[np.generic]]


def final_state(directory: Path, steps: int = STEPS) -> Arrays:
    """Every variable after the last step: weights, slots, average, generators."""
    found = CheckpointStore(str(directory / "work" / "checkpoints"), 2).newest()
    assert found is not None
    assert found.step == steps
    return dict(found.arrays)


def assert_equal(ours: Arrays, expected: Arrays) -> None:
    assert ours.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(ours[name], array, err_msg=name)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Arrays:
    directory = tmp_path_factory.mktemp("uninterrupted")
    prepare(directory)
    worker = Worker(directory, tiny_config())
    assert "result: 18 steps, scratch" in worker.finish()
    return final_state(directory)


def test_stopped_then_killed_then_finished(
    tmp_path: Path, uninterrupted: Arrays
) -> None:
    prepare(tmp_path)
    stopped = Worker(tmp_path, tiny_config())
    stopped.wait_for("step 2/18")
    stopped.process.terminate()
    said = stopped.finish()
    assert stopped.process.returncode == os.EX_TEMPFAIL
    assert "asked to stop and saved itself after step" in said
    steps = CheckpointStore(str(tmp_path / "work" / "checkpoints"), 2).steps()
    assert 2 < steps[-1] < STEPS

    killed = Worker(tmp_path, tiny_config())
    killed.wait_for(f"resuming after step {steps[-1]}")
    killed.wait_for("step 12/18")
    killed.kill()

    last = Worker(tmp_path, tiny_config())
    assert "result: 18 steps, resumed at step" in last.finish()
    assert last.process.returncode == 0
    assert_equal(final_state(tmp_path), uninterrupted)
