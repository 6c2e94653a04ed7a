"""Progressive stages change the images and nothing else."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model_code.config.training import (
    LearningRateConfig,
    ProgressiveConfig,
    Ramp,
    SizeRamp,
)
from model_code.errors import TrainingError
from model_code.training.loop import (
    go_on,
    prepare,
    run_stage,
    train_and_evaluate,
)
from tests.model_code.training.runs import MODEL, Worker, tiny_config, tiny_dataset
from tests.model_code.training.runs import prepare as prepare_dataset
from tests.model_code.training.test_recovery import assert_equal, final_state

CONSTANT = {
    "image_size": SizeRamp(start=16, end=16),
    "mixup_alpha": Ramp(start=0.1, end=0.1),
    "dropout_rate": Ramp(start=0.2, end=0.2),
}


def test_a_stage_change_without_steps_leaves_everything_as_it_is(
    tmp_path: Path,
) -> None:
    """Weights, slots, average, generators; the step's numbers are the plan's."""
    manifest = tiny_dataset(tmp_path / "data")
    train = tiny_config(deterministic=False)
    with ExitStack() as stack:
        run = prepare(
            stack,
            train,
            MODEL,
            manifest,
            workdir=str(tmp_path / "work"),
            weights=None,
            on_evaluation=go_on,
        )
        first, second = run.plan.stages
        run_stage(run, replace(first, last_step=2))
        before = run.state.snapshot()
        run_stage(run, replace(second, first_step=2, last_step=2))
        assert_equal(run.state.snapshot(), before)


@pytest.mark.full
def test_constant_ramps_equal_plain_training_bit_for_bit(tmp_path: Path) -> None:
    states = []
    for name, progressive in (
        ("progressive", ProgressiveConfig(stages=3, **CONSTANT)),  # type: ignore[arg-type]
        ("plain", ProgressiveConfig(rule="fixed", stages=1, **CONSTANT)),  # type: ignore[arg-type]
    ):
        prepare_dataset(tmp_path / name)
        worker = Worker(tmp_path / name, tiny_config(progressive=progressive))
        assert "result:" in worker.finish()
        states.append(final_state(tmp_path / name))
    assert_equal(*states)


def test_an_exploding_run_stops_and_names_its_last_checkpoint(tmp_path: Path) -> None:
    manifest = tiny_dataset(tmp_path / "data")
    train = tiny_config(
        deterministic=False,
        optimizer=replace(tiny_config().optimizer, kind="sgd", clip_norm=None),
        learning_rate=LearningRateConfig(
            schedule="constant", base=1e18, scale_by_batch=False, warmup_epochs=0.0
        ),
    )
    with pytest.raises(TrainingError, match=r"NaN|nan|inf") as caught:
        train_and_evaluate(
            train, MODEL, manifest, str(tmp_path / "work"), tmp_path / "out"
        )
    assert "checkpoint" in str(caught.value)
    assert not (tmp_path / "out").exists()
    for path in (tmp_path / "work" / "checkpoints").glob("*.npz"):
        with np.load(path) as archive:
            assert np.isfinite(archive["weights/0000"]).all()
