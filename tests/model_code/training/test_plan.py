"""What the compiled steps are told, and when to stop between them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model_code.config.training import TrainConfig
from model_code.data.manifest import DatasetManifest
from model_code.training.plan import Plan
from model_code.training.schedules import ema_decay, learning_rate_schedule
from tests.model_code.training.runs import (
    STEPS,
    TRAIN_EXAMPLES,
    tiny_config,
    tiny_dataset,
)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return tiny_dataset(Path(tmp_path_factory.mktemp("plan")))


def plan(manifest: DatasetManifest, train: TrainConfig | None = None) -> Plan:
    return Plan.of(train or tiny_config(), manifest)


def test_the_schedule_of_a_call(manifest: DatasetManifest) -> None:
    train = tiny_config()
    table = plan(manifest).schedule(7, 9, 4)
    rate = learning_rate_schedule(train, TRAIN_EXAMPLES)
    expected = [(step, rate(step), 1 - ema_decay(0.9, step)) for step in (7, 8)]
    np.testing.assert_allclose(table[:2], expected, rtol=1e-6)
    assert table.shape == (4, 3)


def test_calls_of_any_length_tell_each_step_the_same(manifest: DatasetManifest) -> None:
    """So a resume, and a stage boundary between steps, change nothing (check 39)."""
    whole = plan(manifest).schedule(0, STEPS, STEPS)
    for first, last in ((0, 1), (8, 10), (9, 18)):
        part = plan(manifest).schedule(first, last, 9)
        np.testing.assert_array_equal(part[: last - first], whole[first:last])


def test_without_an_average_its_share_is_zero(manifest: DatasetManifest) -> None:
    assert not plan(manifest, tiny_config(ema_decay=None)).schedule(0, 3, 3)[:, 2].any()


def test_evaluations_follow_the_epochs(manifest: DatasetManifest) -> None:
    found = plan(manifest)
    assert found.evaluations == {6, 12, 18}
    assert [found.next_evaluation(step) for step in (0, 5, 6, 17)] == [6, 6, 12, 18]


def test_both_splits_are_trained_on_when_asked(manifest: DatasetManifest) -> None:
    both = plan(manifest, tiny_config(train_on="train+validation"))
    assert both.steps == 3 * (TRAIN_EXAMPLES + 10) // 8


def test_a_history_has_about_two_hundred_rows(manifest: DatasetManifest) -> None:
    long = plan(manifest, tiny_config(epochs=1000.0))
    calls = [(first, first + 7) for first in range(0, long.steps - 7, 7)]
    assert 190 <= sum(long.is_row_due(*call) for call in calls) <= 201
    assert long.is_row_due(long.steps - 1, long.steps)


def test_work_left_counts_pixels(manifest: DatasetManifest) -> None:
    found = plan(manifest)
    per_step = [stage.image_size**2 * 8 for stage in found.stages]
    assert found.work_after(0) == 9 * sum(per_step)
    assert found.work_after(7) == 2 * per_step[0] + 9 * per_step[1]
    assert found.work_after(18) == 0


def test_a_growing_batch_needs_no_other_plan(manifest: DatasetManifest) -> None:
    train = tiny_config()
    growing = replace(
        train, progressive=replace(train.progressive, stage_batch_sizes=(16, 8))
    )
    assert [stage.steps for stage in plan(manifest, growing).stages] == [4, 9]
