"""What a door is given, as the rooms want it: recipe, section, run key, time."""

import time
from dataclasses import dataclass
from typing import Self

from model_code.config.dataset import DatasetConfig
from model_code.config.load import (
    load_recipe,
    load_search_recipe,
    recipe_from_json,
    search_recipe_from_json,
)
from model_code.config.recipe import Recipe, TrainingTask
from model_code.config.search import SearchRecipe
from model_code.errors import ConfigError

PIPELINE_RUN_ID = "pipeline-run-id"
"""As run key: the orchestrator's own run id."""


def read_recipe(text: str) -> Recipe:
    """A recipe from its resolved JSON, or from the name of a packaged one.

    Raises:
        ConfigError: neither.
    """
    return recipe_from_json(text) if text.startswith("{") else load_recipe(text)


def read_search_recipe(text: str) -> SearchRecipe:
    """As `read_recipe`, for the pipeline `search`."""
    is_json = text.startswith("{")
    return search_recipe_from_json(text) if is_json else load_search_recipe(text)


def dataset_config(recipe: str, task: str) -> DatasetConfig:
    """The set of a section, or of a search.

    Raises:
        ConfigError: no such recipe, or it has no such section.
    """
    if task == "search":
        return read_search_recipe(recipe).data
    return section(read_recipe(recipe), task).data


def section(recipe: Recipe, task: str) -> TrainingTask:
    """The `pretrain` or `finetune` section.

    Raises:
        ConfigError: the recipe has no such section.
    """
    sections = {"pretrain": recipe.pretrain, "finetune": recipe.finetune}
    found = sections.get(task)
    if found is None:
        raise ConfigError(
            f"Recipe {recipe.name} has no section {task!r}; expected one for this "
            "task. Without `pretrain` use the pipeline training-from-scratch."
        )
    return found


@dataclass(frozen=True)
class RunIdentity:
    """A pipeline run: `run_key` as asked for, and the orchestrator's own id."""

    run_key: str
    pipeline_run_id: str

    @property
    def key(self) -> str:
        """What names the checkpoints, the tracking run and the version."""
        by_id = self.run_key == PIPELINE_RUN_ID
        return self.pipeline_run_id if by_id else self.run_key


class Stopwatch:
    """Measures a block of work: `with Stopwatch() as work: ...`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> Self:
        """Start."""
        self._started = time.monotonic()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop."""
        self.seconds = time.monotonic() - self._started
