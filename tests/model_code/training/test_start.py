"""Resume, else warm start, else scratch: in that order, each said."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_code.data.manifest import DatasetManifest
from model_code.errors import TrainingError
from model_code.training.checkpoints import Checkpoint, CheckpointStore
from model_code.training.start import settings_of, start_training
from model_code.training.state import TrainingState
from tests.model_code.training.conftest import Finished, new_state
from tests.model_code.training.runs import MODEL, STEPS, tiny_config


def settings(manifest: DatasetManifest, **changes: Any) -> dict[str, Any]:
    return settings_of(tiny_config(**changes), MODEL, manifest, None)


def store_with(
    directory: Path, state: TrainingState, notes: dict[str, Any]
) -> CheckpointStore:
    store = CheckpointStore(str(directory), keep=2)
    store.save(Checkpoint(step=4, arrays=state.snapshot(), notes=notes))
    store.wait()
    return store


def test_scratch_where_there_is_nothing(
    tmp_path: Path, finished: Finished, caplog: pytest.LogCaptureFixture
) -> None:
    state = new_state()
    before = state.snapshot()
    with caplog.at_level(logging.INFO, "effnetv2.progress"):
        start = start_training(
            state, CheckpointStore(str(tmp_path), 2), settings(finished.manifest), None
        )
    assert (start.origin, start.step, start.history) == ("scratch", 0, ())
    assert "starting from scratch" in caplog.text
    for name, array in state.snapshot().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_checkpoint_comes_before_a_warm_start(
    tmp_path: Path, finished: Finished
) -> None:
    saved = new_state(seed=50)
    given = settings(finished.manifest)
    history = [{"step": 4, "train/loss": 1.5}]
    store = store_with(tmp_path, saved, {"settings": given, "history": history})
    state = new_state()
    start = start_training(state, store, given, finished.output)
    assert (start.origin, start.step, start.history) == ("resumed", 4, tuple(history))
    for name, array in saved.snapshot().items():
        np.testing.assert_array_equal(state.snapshot()[name], array)


def test_a_warm_start_takes_weights_and_nothing_else(
    tmp_path: Path, finished: Finished, caplog: pytest.LogCaptureFixture
) -> None:
    state = new_state(seed=50)
    fresh = state.snapshot()
    with caplog.at_level(logging.INFO, "effnetv2.progress"):
        start = start_training(
            state,
            CheckpointStore(str(tmp_path), 2),
            settings(finished.manifest),
            finished.output,
        )
    assert (start.origin, start.step) == ("warm start", 0)
    assert "warm start" in caplog.text
    last = CheckpointStore(str(finished.workdir / "checkpoints"), 2).newest()
    assert last is not None
    found = state.snapshot()
    for group in ("0000", "0001"):  # the artifact holds the averaged weights
        expected = last.arrays[f"average/{group}"]
        np.testing.assert_array_equal(found[f"weights/{group}"], expected)
        np.testing.assert_array_equal(found[f"average/{group}"], expected)
        slot = f"optimizer/square_average/{group}"
        np.testing.assert_array_equal(found[slot], fresh[slot])


def test_a_head_for_other_classes_starts_anew_and_says_so(
    tmp_path: Path, finished: Finished, caplog: pytest.LogCaptureFixture
) -> None:
    state = new_state(classes=5)
    with caplog.at_level(logging.INFO, "effnetv2.progress"):
        start_training(
            state,
            CheckpointStore(str(tmp_path), 2),
            settings(finished.manifest),
            finished.output,
        )
    assert "classifier initialised anew: 3 classes in the source, 5" in caplog.text


def test_checkpoints_of_other_settings_are_refused_by_name(
    tmp_path: Path, finished: Finished
) -> None:
    notes = {"settings": settings(finished.manifest), "history": []}
    store = store_with(tmp_path, new_state(), notes)
    changed = settings(finished.manifest, epochs=4.0)
    with pytest.raises(TrainingError, match=r"train\.epochs was 3\.0 and is 4\.0"):
        start_training(new_state(), store, changed, None)


def test_devices_and_intervals_may_change_between_resumptions(
    finished: Finished,
) -> None:
    from model_code.config.training import CheckpointConfig, DistributionConfig

    other = settings(
        finished.manifest,
        distribution=DistributionConfig(strategy="mirrored", steps_per_call=1),
        checkpoint=CheckpointConfig(every_steps=1),
    )
    assert other == settings(finished.manifest)
    mixed = DistributionConfig(precision="mixed_bfloat16")
    assert settings(finished.manifest, distribution=mixed) != other


def test_a_finished_run_ends_where_it_ended(finished: Finished) -> None:
    store = CheckpointStore(str(finished.workdir / "checkpoints"), 2)
    assert store.steps() == [16, STEPS]
