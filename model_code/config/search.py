"""A search recipe: which networks to try, how each is judged, and how long."""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from model_code.config.base import STRICT, Count, Index, Name, Positive
from model_code.config.dataset import DatasetConfig
from model_code.config.model import ModelConfig
from model_code.config.training import TrainConfig

Operation = Literal["mbconv", "fused_mbconv"]
KernelSize = Literal[3, 5]
ExpansionRatio = Literal[1, 4, 6]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SpaceConfig:
    """What may be chosen for each stage (paper, Section 3.3).

    `layer_offsets` are added to the backbone's repeats. The paper does not give
    its choices of layers; these are MnasNet's, whose space it follows.
    """

    operations: tuple[Operation, ...] = Field(
        default=("mbconv", "fused_mbconv"), min_length=1
    )
    kernel_sizes: tuple[KernelSize, ...] = Field(default=(3, 5), min_length=1)
    expansion_ratios: tuple[ExpansionRatio, ...] = Field(
        default=(1, 4, 6), min_length=1
    )
    layer_offsets: tuple[int, ...] = Field(default=(-1, 0, 1), min_length=1)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ObjectiveConfig:
    """Reward = accuracy * step_time^w * parameters^v (paper, Section 3.3).

    Accuracy is top-1 on the validation split.
    """

    step_time_exponent: float = -0.07
    parameters_exponent: float = -0.05


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TimingConfig:
    """How the time of a training step is measured.

    Candidate and backbone take turns, `repeats` times `steps_per_repeat` steps
    each. Spread is the interquartile range of the turns' ratios over their
    median; above `maximum_spread` the whole measurement is repeated, at most
    `attempts` times in all.
    """

    warmup_steps: Count = 3
    repeats: Annotated[int, Field(strict=True, ge=3)] = 9
    steps_per_repeat: Count = 1
    maximum_spread: Positive = 0.1
    attempts: Count = 3


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RandomSampling:
    """Every trial independent of all others, as in the paper's first version."""

    kind: Literal["random"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TpeSampling:
    """Tree-structured Parzen estimator, after random `startup_trials`."""

    kind: Literal["tpe"]
    startup_trials: Count = 10


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EvolutionSampling:
    """Regularised evolution (Real et al. 2019): one mutation of the best of a draw.

    The draw of `tournament` is from the `population` youngest finished trials.
    """

    kind: Literal["evolution"]
    population: Annotated[int, Field(strict=True, ge=2)] = 16
    tournament: Count = 4

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.tournament > self.population:
            raise ValueError(
                f"tournament draws {self.tournament} of a population of "
                f"{self.population}; give at most the population"
            )
        return self


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ParetoSampling:
    """NSGA-II on accuracy, step time and parameters as three objectives."""

    kind: Literal["pareto"]
    population: Annotated[int, Field(strict=True, ge=2)] = 16


Sampling = Annotated[
    RandomSampling | TpeSampling | EvolutionSampling | ParetoSampling,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PruningConfig:
    """Stop a trial whose reward is below the median of others at its epoch."""

    startup_trials: Count = 5
    warmup_evaluations: Index = 1


@dataclass(frozen=True, kw_only=True, config=STRICT)
class BudgetConfig:
    """Where the search ends; the paper sampled up to 1000 networks.

    `hours` is the sum of the trials' own durations, so that a study that was
    interrupted goes on with what is left.
    """

    trials: Annotated[int, Field(strict=True, ge=1, le=1000)]
    hours: Positive | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class WorkerConfig:
    """Parallel workers on one study, and what happens when one dies.

    A trial whose worker gives no sign of life for `grace_seconds` is tried
    again by another, at most `retries` times. Workers on several hosts need
    clocks that agree to well within the grace.
    """

    count: Count = 1
    heartbeat_seconds: Positive = 15.0
    grace_seconds: Positive = 90.0
    retries: Index = 3

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.grace_seconds < 2 * self.heartbeat_seconds:
            raise ValueError(
                f"grace_seconds {self.grace_seconds} is below two heartbeats of "
                f"{self.heartbeat_seconds} s: live trials would be taken for dead"
            )
        return self


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SearchRecipe:
    """One reproducible search.

    `model` gives the backbone: filters, strides and head come from it, scaled
    by its coefficients. `train` is the shortened training of every trial.
    `searched_as` is the size whose place the winner takes in the scaled family.
    """

    name: Name
    description: str
    seed: Index
    data: DatasetConfig
    model: ModelConfig
    train: TrainConfig
    space: SpaceConfig = SpaceConfig()
    objective: ObjectiveConfig = ObjectiveConfig()
    timing: TimingConfig = TimingConfig()
    sampling: Sampling
    pruning: PruningConfig | None = None
    budget: BudgetConfig
    workers: WorkerConfig = WorkerConfig()
    searched_as: Literal["b0", "s"] = "s"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.sampling.kind == "pareto" and self.pruning is not None:
            raise ValueError(
                "pruning compares one reward and pareto has three objectives; "
                "set pruning to null"
            )
        return self


_ADAPTER = TypeAdapter(SearchRecipe)


def to_dict(recipe: SearchRecipe) -> dict[str, Any]:
    """Every setting of the recipe, defaults included, as plain JSON values."""
    plain: dict[str, Any] = _ADAPTER.dump_python(recipe, mode="json")
    return plain


def to_json(recipe: SearchRecipe) -> str:
    """Canonical text of the resolved recipe: sorted keys, no spaces."""
    return json.dumps(to_dict(recipe), sort_keys=True, separators=(",", ":"))


def study_settings(recipe: SearchRecipe) -> dict[str, Any]:
    """What the result of a trial depends on: neither budget nor workers."""
    settings = to_dict(recipe)
    for length in ("budget", "workers", "description"):
        del settings[length]
    return settings


def study_digest(recipe: SearchRecipe) -> str:
    """SHA-256 of the study's settings, in hexadecimal.

    Trials of equal digest may share a study; a study may be given more time.
    """
    text = json.dumps(study_settings(recipe), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
