"""A study: the recipe, its space and the store that remembers every trial."""

from dataclasses import dataclass

import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from model_code.config.search import SearchRecipe, study_digest
from model_code.errors import ConfigError
from model_code.model.variants import resolve
from model_code.search.sampling import sampler_for
from model_code.search.slots import Slot, hours_spent, slots
from model_code.search.space import SearchSpace, backbone_table

_DIGEST = "recipe_digest"


@dataclass(frozen=True)
class Search:
    """A study that is open, with the recipe and the space it belongs to."""

    recipe: SearchRecipe
    space: SearchSpace
    storage: BaseStorage
    study: optuna.Study

    @property
    def trials(self) -> list[FrozenTrial]:
        """All attempts so far, as the store has them."""
        return self.study.get_trials(deepcopy=False)

    def trial_id(self, number: int) -> int:
        """What the storage knows the trial of that number by."""
        study_id = self.storage.get_study_id_from_name(self.study.study_name)
        return self.storage.get_trial_id_from_study_id_trial_number(study_id, number)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The proposed networks within the budget, in order."""
        return slots(self.trials)[: self.recipe.budget.trials]

    @property
    def is_over(self) -> bool:
        """Whether the hours are spent, or every slot of the budget is finished."""
        budget = self.recipe.budget
        if budget.hours is not None and hours_spent(self.trials) >= budget.hours:
            return True
        counted = self.slots
        return len(counted) == budget.trials and all(s.is_finished for s in counted)

    @property
    def has_open_slot(self) -> bool:
        """Whether a worker that asks now would get something to do."""
        counted = self.slots
        waiting = any(slot.last.state == TrialState.WAITING for slot in counted)
        return waiting or len(counted) < self.recipe.budget.trials


def open_search(recipe: SearchRecipe, storage: BaseStorage) -> Search:
    """The recipe's study in this store, made where it is not there yet.

    Raises:
        ConfigError: the store holds a study of that name for another recipe.
    """
    space = SearchSpace(backbone_table(resolve(recipe.model)), recipe.space)
    study = optuna.create_study(
        storage=storage,
        study_name=recipe.name,
        sampler=sampler_for(recipe, space),
        pruner=_pruner(recipe),
        directions=_directions(recipe),
        load_if_exists=True,
    )
    digest = study_digest(recipe)
    if study.user_attrs.get(_DIGEST, digest) != digest:
        raise ConfigError(
            f"The study store holds a study {recipe.name!r} of another recipe; its "
            "trials cannot be compared with this one's. Give the recipe another "
            "name, or the search another store."
        )
    study.set_user_attr(_DIGEST, digest)
    return Search(recipe, space, storage, study)


def _directions(recipe: SearchRecipe) -> list[StudyDirection]:
    if recipe.sampling.kind == "pareto":
        # Accuracy, step time, parameters.
        return [
            StudyDirection.MAXIMIZE,
            StudyDirection.MINIMIZE,
            StudyDirection.MINIMIZE,
        ]
    return [StudyDirection.MAXIMIZE]


def _pruner(recipe: SearchRecipe) -> BasePruner:
    if recipe.pruning is None:
        return NopPruner()
    return MedianPruner(
        n_startup_trials=recipe.pruning.startup_trials,
        n_warmup_steps=recipe.pruning.warmup_evaluations,
    )
