"""Twenty kills at random moments, and workers that die: the long tests."""

import json
import random
import socket
from pathlib import Path

import numpy as np
import pytest

from model_code import artifacts
from model_code.config.training import (
    DistributionConfig,
    ProgressiveConfig,
    SizeRamp,
    TrainConfig,
)
from model_code.training.checkpoints import CheckpointStore
from tests.model_code.training.runs import STEPS, Worker, prepare, tiny_config
from tests.model_code.training.test_recovery import assert_equal, final_state

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]

KILLS = 20
LONG_STEPS = 144


def last_saved(directory: Path) -> int:
    steps = CheckpointStore(str(directory / "work" / "checkpoints"), 2).steps()
    return steps[-1] if steps else 0


def test_twenty_random_kills(tmp_path: Path) -> None:
    """While starting, or a few steps on, at a random moment of a step or a save."""
    train = tiny_config(epochs=24.0)
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    for directory in (alone, killed):
        prepare(directory)
    whole = Worker(alone, train)
    assert f"result: {LONG_STEPS} steps, scratch" in whole.finish()
    draw = random.Random(4)
    survived = 0
    for _ in range(KILLS):
        worker = Worker(killed, train)
        if draw.random() < 0.8:
            worker.wait_for_step(last_saved(killed) + draw.randint(1, 6))
        worker.kill(after_seconds=draw.random() * 0.1)
        survived += worker.process.returncode == 0
    assert survived == 0, "a worker finished before it was killed; make the run longer"
    assert last_saved(killed) >= LONG_STEPS // 4
    assert f"result: {LONG_STEPS} steps, resumed" in Worker(killed, train).finish()
    assert_equal(final_state(killed, LONG_STEPS), final_state(alone, LONG_STEPS))


def quiet(strategy: str) -> TrainConfig:
    """Nothing random but the order of images, so that curves can be compared.

    Batch statistics are shared: each replica's own would differ from those of
    the global batch.
    """
    distribution = DistributionConfig(
        strategy=strategy,  # type: ignore[arg-type]
        steps_per_call=2,
        synchronize_batch_norm=strategy != "one_device",
    )
    sizes = ProgressiveConfig(stages=2, image_size=SizeRamp(start=16, end=24))
    return tiny_config(progressive=sizes, distribution=distribution)


def losses(directory: Path) -> dict[int, float]:
    lines = (directory / "out" / artifacts.HISTORY).read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return {row["step"]: row["train/loss"] for row in rows if "train/loss" in row}


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> dict[int, float]:
    directory = tmp_path_factory.mktemp("one")
    prepare(directory)
    worker = Worker(directory, quiet("one_device"), drop_path_rate=0.0)
    assert "result:" in worker.finish()
    return losses(directory)


def assert_same_curve(ours: dict[int, float], expected: dict[int, float]) -> None:
    assert ours.keys() == expected.keys()
    found, wanted = (np.array(list(curve.values())) for curve in (ours, expected))
    # Sums in another order differ by 1e-7; 18 steps at this rate amplify that.
    np.testing.assert_allclose(found, wanted, rtol=2e-3)
    assert wanted.std() > 0.01


def test_two_logical_devices_have_the_curve_of_one(
    tmp_path: Path, one_process: dict[int, float]
) -> None:
    prepare(tmp_path)
    worker = Worker(tmp_path, quiet("mirrored"), drop_path_rate=0.0, logical_cpus=2)
    assert "result:" in worker.finish()
    assert_same_curve(losses(tmp_path), one_process)


def cluster(directory: Path) -> list[Worker]:
    """Two workers on free ports of this machine."""
    addresses = [f"localhost:{free_port()}" for _ in range(2)]
    return [
        Worker(
            directory,
            quiet("multi_worker"),
            {"TF_CONFIG": tf_config(addresses, index)},
            drop_path_rate=0.0,
        )
        for index in range(2)
    ]


def tf_config(addresses: list[str], index: int) -> str:
    task = {"type": "worker", "index": index}
    return json.dumps({"cluster": {"worker": addresses}, "task": task})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def test_two_workers_have_the_curve_of_one_process(
    tmp_path: Path, one_process: dict[int, float]
) -> None:
    prepare(tmp_path)
    chief, other = cluster(tmp_path)
    assert "result:" in chief.finish()
    assert "result:" in other.finish()
    assert_same_curve(losses(tmp_path), one_process)


def test_a_killed_worker_restarts_from_the_checkpoint(
    tmp_path: Path, one_process: dict[int, float]
) -> None:
    """The other cannot go on alone; both start again, as a job controller does."""
    prepare(tmp_path)
    chief, other = cluster(tmp_path)
    chief.wait_for_step(8)
    other.kill()
    chief.kill(after_seconds=1.0)
    saved = last_saved(tmp_path)
    assert 4 <= saved < STEPS
    chief, other = cluster(tmp_path)
    assert f"resumed at step {saved}" in chief.finish()
    other.finish()
    assert_same_curve(losses(tmp_path), one_process)
