"""How long a training step takes, beside the backbone's, on this device.

Candidate and backbone take turns, so that a slower clock, a neighbour or a
second worker weighs on both alike, and what is kept is the median of the
turns' ratios. A measurement that scatters too much is made again.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from model_code.config.search import TimingConfig

Step = Callable[[], object]
"""One training step that returns only when the device has finished it."""

Clock = Callable[[], float]
"""Seconds from an arbitrary start."""


@dataclass(frozen=True, kw_only=True)
class StepTime:
    """A measured training-step time.

    `relative` is the candidate's time over the backbone's (median of turns),
    `spread` the interquartile range of these ratios over their median. Seconds
    are medians of one step. `attempts` counts measurements made;
    `is_noisy` says that not even the calmest stayed within the allowed spread.
    """

    relative: float
    spread: float
    seconds: float
    backbone_seconds: float
    attempts: int
    is_noisy: bool


def measure(
    candidate: Step,
    backbone: Step,
    config: TimingConfig,
    clock: Clock = time.perf_counter,
) -> StepTime:
    """Time both, again and again until it is calm, and keep the calmest."""
    for _ in range(config.warmup_steps):
        candidate()
        backbone()
    measurements: list[StepTime] = []
    for _ in range(config.attempts):
        measurements.append(_measure_once(candidate, backbone, config, clock))
        if not measurements[-1].is_noisy:
            break
    calmest = min(measurements, key=lambda measurement: measurement.spread)
    return replace(calmest, attempts=len(measurements))


def _measure_once(
    candidate: Step, backbone: Step, config: TimingConfig, clock: Clock
) -> StepTime:
    turns = [
        (
            _seconds_a_step(candidate, config.steps_per_repeat, clock),
            _seconds_a_step(backbone, config.steps_per_repeat, clock),
        )
        for _ in range(config.repeats)
    ]
    ratios = [mine / its for mine, its in turns]
    median = statistics.median(ratios)
    lower, _, upper = statistics.quantiles(ratios, n=4)
    spread = (upper - lower) / median
    return StepTime(
        relative=median,
        spread=spread,
        seconds=statistics.median(mine for mine, _ in turns),
        backbone_seconds=statistics.median(its for _, its in turns),
        attempts=1,
        is_noisy=spread > config.maximum_spread,
    )


def _seconds_a_step(step: Step, steps: int, clock: Clock) -> float:
    start = clock()
    for _ in range(steps):
        step()
    return (clock() - start) / steps
