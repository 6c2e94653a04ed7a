"""Step times by a clock that the test turns."""

import itertools
from collections.abc import Callable, Iterable

import pytest

from model_code.config.search import TimingConfig
from model_code.search.timing import StepTime, measure


class Bench:
    """Two steps that take the seconds they are told, on a clock of their own."""

    def __init__(self, candidate: Iterable[float], backbone: Iterable[float]) -> None:
        self.now = 100.0
        self.calls = ""
        self.candidate = self._step("c", itertools.cycle(candidate))
        self.backbone = self._step("b", itertools.cycle(backbone))

    def _step(self, letter: str, durations: Iterable[float]) -> Callable[[], None]:
        remaining = iter(durations)

        def step() -> None:
            self.calls += letter
            self.now += next(remaining)

        return step

    def measure(self, **settings: float) -> StepTime:
        config = TimingConfig(**{"warmup_steps": 1, **settings})  # type: ignore[arg-type]
        return measure(self.candidate, self.backbone, config, lambda: self.now)


def test_time_is_relative_to_the_backbone() -> None:
    time_of = Bench([0.03], [0.02]).measure()

    assert time_of.relative == pytest.approx(1.5)
    assert time_of.seconds == pytest.approx(0.03)
    assert time_of.backbone_seconds == pytest.approx(0.02)
    assert time_of.spread == pytest.approx(0, abs=1e-9)
    assert (time_of.attempts, time_of.is_noisy) == (1, False)


def test_candidate_and_backbone_take_turns_after_warming_up() -> None:
    bench = Bench([1], [1])

    bench.measure(warmup_steps=2, repeats=3, steps_per_repeat=2)

    assert bench.calls == "cbcb" + "ccbb" * 3


def test_warming_up_is_not_timed() -> None:
    assert Bench([9, 2, 2, 2], [9, 1, 1, 1]).measure(repeats=3).relative == 2


def test_a_device_that_slows_down_weighs_on_both() -> None:
    slowing = [1.0 * 1.2**turn for turn in range(10)]

    time_of = Bench([2 * one for one in slowing], slowing).measure(repeats=9)

    assert time_of.relative == pytest.approx(2)
    assert not time_of.is_noisy


def test_one_disturbed_turn_does_not_move_the_median() -> None:
    time_of = Bench([1, 1, 1, 1, 50, 1, 1, 1, 1, 1], [1]).measure(repeats=9)

    assert time_of.relative == 1
    assert not time_of.is_noisy


def test_a_noisy_measurement_is_made_again() -> None:
    wild, calm = [1, 3, 1, 3, 1], [2] * 5

    time_of = Bench([1, *wild, *calm], [1]).measure(repeats=5, attempts=3)

    assert time_of.attempts == 2
    assert time_of.relative == 2
    assert not time_of.is_noisy


def test_the_calmest_of_noisy_measurements_is_kept_and_marked() -> None:
    wildest, wild = [1, 9, 1, 9, 1], [1, 2, 1, 2, 1]

    time_of = Bench([1, *wildest, *wild, *wildest], [1]).measure(repeats=5, attempts=3)

    assert time_of.attempts == 3
    assert time_of.is_noisy
    # Quartiles of 1, 1, 1, 2, 2 by the exclusive method are 1 and 2.
    assert time_of.spread == pytest.approx(1.0)
