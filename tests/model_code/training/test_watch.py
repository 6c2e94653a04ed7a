"""Lost losses are noticed at their step."""

import math

import pytest

from model_code.config.training import LossConfig
from model_code.errors import TrainingError
from model_code.training.watch import WINDOW, LossWatch


def last_good() -> str:
    return "the last good checkpoint is step-000000040.npz"


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_at_its_step(bad: float) -> None:
    watch = LossWatch(LossConfig(), 10)
    watch.check(40, [1.0, 2.0], last_good)
    with pytest.raises(TrainingError) as caught:
        watch.check(42, [1.0, bad, 3.0], last_good)
    assert f"The loss is {bad} at step 43, after finite losses up to step 42" in str(
        caught.value
    )
    assert "step-000000040.npz" in str(caught.value)


def test_divergence_names_its_steps() -> None:
    watch = LossWatch(LossConfig(), 10)
    watch.check(0, [2.3] * 50, last_good)
    with pytest.raises(
        TrainingError, match=r"over steps 50 to 149 is 30, .* scores 2\.3;"
    ):
        watch.check(50, [30.0] * WINDOW, last_good)


@pytest.mark.parametrize(
    ("loss", "sound"), [(LossConfig(), 11.4), (LossConfig(kind="sigmoid"), 3.4)]
)
def test_the_limit_is_five_times_knowing_nothing(
    loss: LossConfig, sound: float
) -> None:
    watch = LossWatch(loss, 10)
    watch.check(0, [sound] * 3 * WINDOW, last_good)
    with pytest.raises(TrainingError, match="diverged"):
        watch.check(3 * WINDOW, [sound + 0.2] * WINDOW, last_good)


def test_a_short_spike_is_no_divergence() -> None:
    watch = LossWatch(LossConfig(), 10)
    for step in range(0, 1000, 100):
        watch.check(step, [500.0] + [1.0] * 99, last_good)
