"""What the search maximises: accuracy, step time and size in one reward.

Reward = A * S^w * P^v with w = -0.07 and v = -0.05 (paper, Section 3.3). Units
of S and P do not matter: constants factor out of the ranking. Both are taken
relative to the backbone, whose reward is then its own accuracy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from model_code.config.search import ObjectiveConfig


@dataclass(frozen=True)
class Measured:
    """One network's accuracy (share of 1), step time and parameter count.

    Step time and parameters are multiples of the backbone's.
    """

    accuracy: float
    step_time: float
    parameters: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.accuracy <= 1.0:
            raise ValueError(f"accuracy is {self.accuracy}; give a share of 1")
        if not (self.step_time > 0 and self.parameters > 0):
            raise ValueError(
                f"step_time is {self.step_time} and parameters {self.parameters}; "
                "give positive multiples of the backbone's"
            )


def reward(measured: Measured, config: ObjectiveConfig) -> float:
    """The weighted product of the three (paper, Section 3.3)."""
    time_factor = measured.step_time**config.step_time_exponent
    size_factor = measured.parameters**config.parameters_exponent
    return float(measured.accuracy * time_factor * size_factor)


def pareto_front(candidates: Sequence[Measured]) -> tuple[int, ...]:
    """Indices of those that no other beats in everything at once, in order."""
    return tuple(
        index
        for index, one in enumerate(candidates)
        if not any(_dominates(other, one) for other in candidates)
    )


def _dominates(other: Measured, one: Measured) -> bool:
    as_good = (
        other.accuracy >= one.accuracy
        and other.step_time <= one.step_time
        and other.parameters <= one.parameters
    )
    return as_good and other != one
