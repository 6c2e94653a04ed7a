"""What a recipe costs before it runs: operations, steps, hours, money; pure.

A training step does about three times the operations of a forward pass (one
forward, two backward), and a multiply-add is two operations. How much of an
accelerator's peak a network reaches is an input (`utilisation`), because it is
measured, not known: EfficientNets reach far less of it than matrix products do.
"""

from dataclasses import dataclass

from model_code.config.recipe import Recipe, TrainingTask
from model_code.errors import ConfigError
from model_code.model.complexity import complexity
from model_code.model.variants import resolve
from model_code.training.progressive import plan_stages

_OPERATIONS_PER_MULTIPLY_ADD = 2
_PASSES = 3
_HOUR = 3600.0


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What trains: `peak_flops` of all devices together, `price` in USD an hour.

    `utilisation` is the share of the peak that training reaches.
    """

    name: str
    peak_flops: float
    price: float
    utilisation: float


@dataclass(frozen=True, kw_only=True)
class TaskCost:
    """One training task; `operations` are floating-point ones."""

    steps: int
    images: int
    operations: float
    hours: float
    price: float


@dataclass(frozen=True, kw_only=True)
class RecipeCost:
    """Both training tasks of a recipe."""

    pretrain: TaskCost | None
    finetune: TaskCost

    @property
    def hours(self) -> float:
        """Training hours together."""
        return self.finetune.hours + (self.pretrain.hours if self.pretrain else 0.0)

    @property
    def price(self) -> float:
        """USD together."""
        return self.finetune.price + (self.pretrain.price if self.pretrain else 0.0)


def recipe_cost(
    recipe: Recipe,
    machine: Machine,
    *,
    finetune_examples: int,
    pretrain_examples: int | None = None,
) -> RecipeCost:
    """Cost of training a recipe on so many train-split images.

    Raises:
        ConfigError: the recipe pretrains and `pretrain_examples` is not given.
    """
    pretrain = None
    if recipe.pretrain is not None:
        if pretrain_examples is None:
            raise ConfigError(
                f"Recipe {recipe.name} pretrains; expected the number of images of its "
                "pretrain set too; give pretrain_examples."
            )
        pretrain = task_cost(recipe, recipe.pretrain, machine, pretrain_examples)
    finetune = task_cost(recipe, recipe.finetune, machine, finetune_examples)
    return RecipeCost(pretrain=pretrain, finetune=finetune)


def task_cost(
    recipe: Recipe, task: TrainingTask, machine: Machine, train_examples: int
) -> TaskCost:
    """Cost of one training task, stage by stage: small images are cheap."""
    variant = resolve(recipe.model)
    images, steps, operations = 0, 0, 0.0
    for stage in plan_stages(task.train, train_examples):
        seen = stage.steps * stage.global_batch_size
        forward = complexity(variant, stage.image_size).total.multiply_adds
        images += seen
        steps += stage.steps
        operations += seen * forward * _OPERATIONS_PER_MULTIPLY_ADD * _PASSES
    hours = operations / (machine.peak_flops * machine.utilisation) / _HOUR
    return TaskCost(
        steps=steps,
        images=images,
        operations=operations,
        hours=hours,
        price=hours * machine.price,
    )


def refuse_overspending(cost: RecipeCost, cap: float) -> None:
    """Stop before anything is spent.

    Raises:
        ConfigError: the plan costs more than `cap`, in USD.
    """
    if cost.price > cap:
        raise ConfigError(
            f"The run is planned at {cost.price:.2f} USD ({cost.hours:.1f} h of "
            f"training); the cap is {cap:.2f} USD; shorten the recipe, use a cheaper "
            "machine, or raise the cap."
        )
