"""Learning rate, EMA weight and evaluation points as functions of the step.

Everything is computed here, on the host and in double precision, and handed to
the compiled step as numbers: the loop has no second implementation of a
schedule that could disagree with this one. Pure: no framework, no clock.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from model_code.config.training import LearningRateConfig, TrainConfig
from model_code.training.progressive import ProgressiveStage, training_images

BATCH_OF_BASE_RATE = 256
"""`base` is the learning rate for this many images a step (facts 3.1)."""


@dataclass(frozen=True, kw_only=True)
class LearningRateSchedule:
    """Learning rate of a run with one batch size, as the released code has it.

    Warm-up overrides the decay instead of delaying it, so the rate steps down
    right after warm-up (facts 3.1): the decay counts from step 0.
    """

    config: LearningRateConfig
    peak: float
    steps_per_epoch: float
    total_steps: float

    def __call__(self, step: float) -> float:
        """The rate of step number `step`, the first being 0."""
        warmup_steps = int(self.config.warmup_epochs * self.steps_per_epoch)
        if step < warmup_steps:
            return self.peak * step / warmup_steps
        return max(self.peak * self._decay(step), self.config.minimum)

    def _decay(self, step: float) -> float:
        progress = min(step / self.total_steps, 1.0)
        match self.config.schedule:
            case "constant":
                return 1.0
            case "linear":
                return 1.0 - progress
            case "cosine":
                return 0.5 * (1.0 + math.cos(math.pi * progress))
            case "exponential":
                interval = self.config.decay_epochs * self.steps_per_epoch
                return float(self.config.decay_rate ** (step // interval))


def learning_rate_schedule(
    config: TrainConfig, train_examples: int
) -> LearningRateSchedule:
    """The schedule of a run at its global batch size."""
    rate, batch = config.learning_rate, config.global_batch_size
    scale = batch / BATCH_OF_BASE_RATE if rate.scale_by_batch else 1.0
    return LearningRateSchedule(
        config=rate,
        peak=rate.base * scale,
        steps_per_epoch=train_examples / batch,
        total_steps=math.floor(training_images(config, train_examples) / batch),
    )


def learning_rates(
    config: TrainConfig, stages: Sequence[ProgressiveStage], train_examples: int
) -> list[float]:
    """The learning rate of every step of the plan.

    Where a stage's batch differs from the recipe's global batch, the schedule
    advances by images seen, so warm-up and decay stay in epochs, and with
    `scale_by_batch` the rate is multiplied by stage batch / global batch (linear
    scaling, Goyal et al. 2017). With equal batches this is the plain schedule.
    """
    schedule = learning_rate_schedule(config, train_examples)
    rates = []
    position = Fraction(0)  # images seen, in recipe batches
    for stage in stages:
        growth = Fraction(stage.global_batch_size, config.global_batch_size)
        scale = float(growth) if config.learning_rate.scale_by_batch else 1.0
        rates += [
            schedule(float(position + growth * step)) * scale
            for step in range(stage.steps)
        ]
        position += growth * stage.steps
    return rates


def ema_decay(nominal: float, updates: int) -> float:
    """Decay of the weights' moving average, `updates` having been made before.

    The ramp (1 + n) / (10 + n) lets early averages forget the initial weights;
    0.9999 is reached after 89,990 updates, 84 % of ImageNet training (check 31).
    """
    return min(nominal, (1 + updates) / (10 + updates))


def evaluation_steps(
    config: TrainConfig, stages: Sequence[ProgressiveStage], train_examples: int
) -> list[int]:
    """Counts of steps after which to evaluate, the last step's included.

    An evaluation is due whenever another `evaluate_every_epochs` has been seen.
    """
    period = Fraction(str(config.evaluate_every_epochs)) * train_examples
    due = []
    images, next_due = 0, period
    for stage in stages:
        for step in range(stage.first_step, stage.last_step):
            images += stage.global_batch_size
            if images >= next_due:
                due.append(step + 1)
                next_due += period
    last = stages[-1].last_step
    return due if due and due[-1] == last else [*due, last]
