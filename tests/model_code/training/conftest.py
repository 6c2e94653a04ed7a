"""One finished run and one state, shared by the tests that only look at them."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import tensorflow as tf

from model_code.data.manifest import DatasetManifest
from model_code.training.loop import train_and_evaluate
from model_code.training.result import TrainingResult
from model_code.training.state import TrainingState
from tests.model_code.training.runs import MODEL, tiny_config, tiny_dataset


@dataclass(frozen=True)
class Finished:
    """A run that went from the first to the last step."""

    manifest: DatasetManifest
    workdir: Path
    output: Path
    result: TrainingResult


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    directory = tmp_path_factory.mktemp("finished")
    manifest = tiny_dataset(directory / "data")
    workdir, output = directory / "work", directory / "out"
    # Determinism of operations cannot be switched off again in a process.
    train = tiny_config(deterministic=False)
    result = train_and_evaluate(train, MODEL, manifest, str(workdir), output)
    return Finished(manifest, workdir, output, result)


def new_state(*, classes: int = 3, **changes: object) -> TrainingState:
    train = tiny_config(**changes)
    with tf.distribute.OneDeviceStrategy("/CPU:0").scope():
        return TrainingState(train, MODEL, classes)
