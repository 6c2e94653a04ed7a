"""The reward of the paper (facts 6, checks 51 to 54) and the Pareto front."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_code.config.search import ObjectiveConfig
from model_code.search.objective import Measured, pareto_front, reward

PAPER = ObjectiveConfig()
POSITIVE = st.floats(min_value=1e-3, max_value=1e3)
ACCURACY = st.floats(min_value=0.01, max_value=1.0)
MEASURED = st.builds(Measured, ACCURACY, POSITIVE, POSITIVE)


@pytest.mark.parametrize(
    ("accuracy", "step_time", "parameters", "expected"),
    [
        (0.829, 1, 1, 0.829),
        (0.829, 2, 1, 0.789737),
        (0.829, 1, 2, 0.800761),
        (0.829, 0.5, 1, 0.870215),
        (0.829, 2, 2, 0.762836),
        (0.76, 1, 10, 0.677351),
    ],
)
def test_reward(
    accuracy: float, step_time: float, parameters: float, expected: float
) -> None:
    measured = Measured(accuracy, step_time, parameters)

    assert reward(measured, PAPER) == pytest.approx(expected, abs=1e-6)


@given(MEASURED, MEASURED, POSITIVE, POSITIVE)
def test_units_of_time_and_size_do_not_change_the_ranking(
    one: Measured, other: Measured, time_unit: float, size_unit: float
) -> None:
    def ratio(time: float, size: float) -> float:
        rewards = [
            reward(Measured(m.accuracy, m.step_time * time, m.parameters * size), PAPER)
            for m in (one, other)
        ]
        return rewards[0] / rewards[1]

    # Equal ratios rank equally; floats leave the last digits.
    assert ratio(time_unit, size_unit) == pytest.approx(ratio(1, 1), rel=1e-9)


@given(MEASURED, st.floats(min_value=1.01, max_value=10))
def test_reward_rises_with_accuracy_and_falls_with_cost(
    one: Measured, factor: float
) -> None:
    worse = Measured(one.accuracy / factor, one.step_time, one.parameters)
    slower = Measured(one.accuracy, one.step_time * factor, one.parameters)
    larger = Measured(one.accuracy, one.step_time, one.parameters * factor)

    for lesser in (worse, slower, larger):
        assert reward(lesser, PAPER) < reward(one, PAPER)


# Paper, Table 3: accuracy, images per second and core on TPU, millions of
# parameters of EfficientNet-B4 with Fused-MBConv in the named stages.
TABLE_3 = {
    "none": (0.828, 262, 19.3),
    "1-3": (0.831, 362, 20.0),
    "1-5": (0.831, 327, 43.4),
    "1-7": (0.817, 254, 132.0),
}


def test_table_3_early_fusion_wins() -> None:
    rewards = {
        stages: reward(Measured(accuracy, 262 / speed, millions / 19.3), PAPER)
        for stages, (accuracy, speed, millions) in TABLE_3.items()
    }

    expected = {"none": 0.828, "1-3": 0.848508, "1-5": 0.810479, "1-7": 0.740506}
    assert rewards == pytest.approx(expected, abs=1e-6)
    assert max(rewards, key=rewards.__getitem__) == "1-3"


def test_exponents_come_from_the_recipe() -> None:
    measured = Measured(0.5, 2.0, 4.0)
    config = ObjectiveConfig(step_time_exponent=-1.0, parameters_exponent=0.0)

    assert reward(measured, config) == pytest.approx(0.25)


@given(st.lists(MEASURED, max_size=12))
def test_the_front_is_what_nothing_dominates(candidates: list[Measured]) -> None:
    front = [candidates[index] for index in pareto_front(candidates)]

    def at_least(a: Measured, b: Measured) -> bool:
        return (
            a.accuracy >= b.accuracy
            and a.step_time <= b.step_time
            and a.parameters <= b.parameters
        )

    for one, other in itertools.permutations(front, 2):
        assert one == other or not at_least(one, other)
    assert all(any(at_least(best, one) for best in front) for one in candidates)


@given(st.lists(MEASURED, min_size=1, max_size=12))
def test_the_best_reward_is_on_the_front(candidates: list[Measured]) -> None:
    best = max(reward(candidate, PAPER) for candidate in candidates)

    front = [reward(candidates[i], PAPER) for i in pareto_front(candidates)]

    assert max(front) == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize(
    "values", [(1.1, 1, 1), (-0.1, 1, 1), (0.5, 0, 1), (0.5, 1, -1)]
)
def test_impossible_measurements_are_refused(
    values: tuple[float, float, float],
) -> None:
    with pytest.raises(ValueError, match="give"):
        Measured(*values)
