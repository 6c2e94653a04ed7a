"""Evolution breeds from its youngest trials and finds good networks sooner."""

import statistics

import pytest
from optuna.storages import InMemoryStorage

from model_code.search.sampling import slot_seed
from model_code.search.study import Search
from model_code.search.worker import work
from tests.model_code.search.recipes import SAMPLINGS, by_formula, open_at


def _searched(kind: str, trials: int, seed: int = 7) -> Search:
    changes = {"sampling": SAMPLINGS[kind], "budget": {"trials": trials}, "seed": seed}
    search = open_at(InMemoryStorage(), **changes)
    work(search, by_formula)
    return search


def test_a_child_differs_in_one_choice_from_one_of_the_youngest() -> None:
    points = [s.parameters for s in _searched("evolution", 20).slots]

    for index in range(4, 20):
        child, population = points[index], points[index - 4 : index]
        changes = [sum(child[n] != p[n] for n in child) for p in population]
        assert min(changes) <= 1


@pytest.mark.parametrize("kind", ["tpe", "evolution"])
def test_learning_from_results_beats_random(kind: str) -> None:
    def best(sampling: str, seed: int) -> float:
        search = _searched(sampling, 30, seed)
        later = [slot.last.values[0] for slot in search.slots[15:]]
        return statistics.median(later)

    gains = [best(kind, seed) - best("random", seed) for seed in range(3)]

    assert statistics.median(gains) > 0


def test_every_slot_of_every_study_has_its_own_seed() -> None:
    seeds = {slot_seed(seed, slot) for seed in range(50) for slot in range(50)}

    assert len(seeds) == 2500
