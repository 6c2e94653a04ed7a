"""Which network a study proposes next: random, TPE, evolution or NSGA-II.

The generator of every proposal is seeded by the study's seed and the number of
its slot, so that parallel workers neither repeat each other nor change what
random sampling proposes, and a retried or resumed study goes on as it would
have. TPE, evolution and NSGA-II depend on results as well, hence with several
workers on which of them finished first.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from model_code.config.search import EvolutionSampling, SearchRecipe
from model_code.search.slots import completed, slot_of
from model_code.search.space import (
    SearchSpace,
    from_parameters,
    mutate,
    random_point,
    to_parameters,
)


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """The space in Optuna's terms: one categorical choice a parameter."""
    return {
        name: CategoricalDistribution(values) for name, values in space.choices.items()
    }


def sampler_for(recipe: SearchRecipe, space: SearchSpace) -> BaseSampler:
    """The recipe's sampler, seeded slot by slot."""
    sampling = recipe.sampling

    def make(seed: int) -> BaseSampler:
        match sampling.kind:
            case "random":
                return RandomSampler(seed=seed)
            case "tpe":
                return TPESampler(n_startup_trials=sampling.startup_trials, seed=seed)
            case "evolution":
                return EvolutionSampler(space, sampling, seed)
            case "pareto":
                return NSGAIISampler(population_size=sampling.population, seed=seed)

    return SlotSeededSampler(recipe.seed, make)


class SlotSeededSampler(BaseSampler):
    """A new sampler for each slot, from a seed of the slot's own."""

    def __init__(self, seed: int, make: Callable[[int], BaseSampler]) -> None:
        self._seed = seed
        self._make = make
        self._current = make(seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Seed by the slot of the trial."""
        index = slot_of(study.get_trials(deepcopy=False), trial.number).index
        self._current = self._make(slot_seed(self._seed, index))
        self._current.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """As the slot's sampler does."""
        return self._current.infer_relative_search_space(study, trial)

    def sample_relative(
        self,
        study: Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """As the slot's sampler does."""
        return self._current.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """As the slot's sampler does."""
        return self._current.sample_independent(
            study, trial, param_name, param_distribution
        )

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """As the slot's sampler does."""
        self._current.after_trial(study, trial, state, values)


class EvolutionSampler(RandomSampler):
    """Regularised evolution (Real et al. 2019, arXiv 1802.01548, Algorithm 1).

    Neither Optuna nor its hub has it. The population is the youngest finished
    trials: the old die, however good. The best of a random draw is the parent;
    the child differs in one choice.
    """

    def __init__(
        self, space: SearchSpace, config: EvolutionSampling, seed: int
    ) -> None:
        super().__init__(seed=seed)
        self._space = space
        self._config = config
        self._generator = random.Random(seed)

    def infer_relative_search_space(
        self,
        study: Study,  # noqa: ARG002  Optuna's signature
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        """All parameters: a child is made whole."""
        return distributions(self._space)

    def sample_relative(
        self,
        study: Study,
        trial: FrozenTrial,  # noqa: ARG002
        search_space: dict[str, BaseDistribution],  # noqa: ARG002
    ) -> dict[str, Any]:
        """A random network until the population is full, then a child."""
        finished = completed(study.get_trials(deepcopy=False))
        population = finished[-self._config.population :]
        if len(population) < self._config.population:
            return dict(to_parameters(random_point(self._space, self._generator)))
        draw = self._generator.sample(population, self._config.tournament)
        parent = max(draw, key=lambda slot: slot.last.values[0])
        point = from_parameters(self._space, parent.parameters)
        return dict(to_parameters(mutate(self._space, point, self._generator)))


def slot_seed(seed: int, slot: int) -> int:
    """A seed of 32 bits that differs between slots and between studies."""
    digest = hashlib.sha256(f"{seed}/{slot}".encode()).digest()
    return int.from_bytes(digest[:4], "big")
