"""The scale of float16 losses, and what an overflow leaves alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from model_code.config.training import DistributionConfig
from model_code.training import loss_scale
from model_code.training.loss_scale import INITIAL, LossScale
from model_code.training.state import TrainingState
from model_code.training.steps import replica_step
from tests.model_code.training.runs import MODEL, tiny_config


def updated(scale: LossScale, gradient: float) -> list[float]:
    """The gradients that were applied, none after an overflow."""
    seen = tf.Variable(0.0)
    count = tf.Variable(0)

    def apply(gradients: Sequence[Any]) -> None:
        seen.assign(gradients[0][0])
        count.assign_add(1)

    tf.function(lambda: scale.update([tf.constant([gradient])], apply))()
    return [float(seen)] if int(count) else []


def test_gradients_are_unscaled() -> None:
    assert updated(LossScale(), INITIAL * 3.0) == [3.0]


@pytest.mark.parametrize("gradient", [np.inf, -np.inf, np.nan])
def test_an_overflow_halves_the_scale_and_skips_the_update(gradient: float) -> None:
    scale = LossScale()
    scale.good_steps.assign(7)
    assert updated(scale, gradient) == []
    assert float(scale.scale) == INITIAL / 2
    assert int(scale.good_steps) == 0


def test_the_scale_doubles_after_long_luck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_scale, "GROWTH_STEPS", 3)
    scale = LossScale()
    for _ in range(3):
        updated(scale, 1.0)
    assert float(scale.scale) == INITIAL * 2
    assert int(scale.good_steps) == 0


def test_the_scale_never_falls_below_one() -> None:
    scale = LossScale()
    scale.scale.assign(1.0)
    updated(scale, np.inf)
    assert float(scale.scale) == 1.0


def test_a_step_with_an_overflow_leaves_weights_and_slots_alone() -> None:
    train = tiny_config(
        deterministic=False,
        ema_decay=None,
        distribution=DistributionConfig(precision="mixed_float16"),
    )
    strategy = tf.distribute.OneDeviceStrategy("/CPU:0")
    with strategy.scope():
        state = TrainingState(train, MODEL, 3)
    step = tf.function(replica_step(state, train, 1))
    images = tf.random.stateless_uniform([4, 32, 32, 3], [1, 2], maxval=255.0)
    labels = tf.one_hot([0, 1, 2, 0], 3)
    schedule = tf.constant([0.0, 0.01, 0.0])

    def changed() -> bool:
        before = state.snapshot()
        strategy.run(step, args=(images, labels, schedule))
        after = state.snapshot()
        return not np.array_equal(before["weights/0000"], after["weights/0000"])

    assert changed()
    assert state.loss_scale is not None
    state.loss_scale.scale.assign(1e38)
    assert not changed()
    assert float(state.loss_scale.scale) == pytest.approx(5e37)
