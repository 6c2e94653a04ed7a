"""A whole run through the public door: what it writes and what it says."""

import json
import logging
from pathlib import Path

import h5py
import numpy as np
import pytest

from model_code import artifacts, model_card
from model_code.errors import ConfigError
from model_code.model.efficientnet import build_model
from model_code.model.weights import load_weights
from model_code.training.checkpoints import CheckpointStore
from model_code.training.loop import train_and_evaluate
from tests.model_code.training.conftest import Finished
from tests.model_code.training.runs import MODEL, STEPS, tiny_config, tiny_dataset


def history(finished: Finished) -> list[dict[str, float]]:
    lines = (finished.output / artifacts.HISTORY).read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_the_artifact_has_card_weights_and_history(finished: Finished) -> None:
    names = {path.name for path in finished.output.iterdir()}
    assert names == {artifacts.MODEL_CARD, artifacts.WEIGHTS, artifacts.HISTORY}
    card = model_card.read(finished.output)
    assert (card.steps, card.seed, card.image_size) == (STEPS, 3, 24)
    assert card.class_names == ("0", "1", "2")
    assert card.metrics == finished.result.metrics
    assert set(card.metrics) == {"val/loss", "val/top1"}


def test_the_weights_are_the_averaged_ones(finished: Finished) -> None:
    last = CheckpointStore(str(finished.workdir / "checkpoints"), 2).newest()
    assert last is not None
    model = build_model(MODEL, 3, seed=0)
    load_weights(model, finished.output)
    kernels = [v for v in model.trainable_variables if v.name == "kernel"]
    flat = np.concatenate([v.numpy().ravel() for v in kernels])
    np.testing.assert_array_equal(flat, last.arrays["average/0000"])
    assert not np.array_equal(flat, last.arrays["weights/0000"])
    assert h5py.is_hdf5(finished.output / artifacts.WEIGHTS)


def test_history_has_steps_sizes_losses_and_evaluations(finished: Finished) -> None:
    rows = history(finished)
    assert {row["image_size"] for row in rows} == {16, 24}
    assert [row["step"] for row in rows if "val/top1" in row] == [6, 12, STEPS]
    trained = [row for row in rows if "train/loss" in row]
    assert trained[-1]["step"] == STEPS
    assert all(np.isfinite(row["train/loss"]) for row in trained)
    assert all(row["time"] > 1.5e9 for row in rows)


def test_tensorboard_has_the_names_of_the_history(finished: Finished) -> None:
    import tensorflow as tf

    files = list((finished.workdir / "tensorboard").glob("events*"))
    tags = {
        value.tag
        for file in files
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    }
    names = {name for row in history(finished) for name in row}
    assert tags == names - {"step", "time", "image_size"}


def test_a_finished_run_is_not_trained_again(
    finished: Finished, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "effnetv2.progress"):
        result = train_and_evaluate(
            tiny_config(deterministic=False),
            MODEL,
            finished.manifest,
            str(finished.workdir),
            tmp_path,
        )
    assert (result.origin, result.first_step) == ("resumed", STEPS)
    assert result.metrics == finished.result.metrics
    assert f"resuming after step {STEPS}" in caplog.text
    for name in (artifacts.MODEL_CARD, artifacts.HISTORY):
        assert (tmp_path / name).read_bytes() == (finished.output / name).read_bytes()


def test_the_result_is_one_line(finished: Finished) -> None:
    line = str(finished.result)
    assert line.startswith(f"{STEPS} steps, scratch, ")
    assert "val/top1 0." in line
    assert "\n" not in line


def test_a_batch_that_does_not_fit_the_data_is_explained(tmp_path: Path) -> None:
    manifest = tiny_dataset(tmp_path / "data")
    with pytest.raises(ConfigError, match="make no full batch of 4096"):
        train_and_evaluate(
            tiny_config(deterministic=False, global_batch_size=4096),
            MODEL,
            manifest,
            str(tmp_path / "work"),
            tmp_path / "out",
        )
    assert not (tmp_path / "out").exists()
