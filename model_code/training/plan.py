"""Everything about a training run that is known before its first step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model_code.config.training import TrainConfig
from model_code.data.manifest import DatasetManifest
from model_code.training.progressive import ProgressiveStage, plan_stages
from model_code.training.schedules import ema_decay, evaluation_steps, learning_rates

HISTORY_ROWS = 200
"""About how many training rows a history has, however long the run."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Progressive stages, learning rates and points of evaluation, by step.

    Attributes:
        stages: in order; together they make every step.
        learning_rates: one a step.
        evaluations: counts of steps after which to evaluate.
        ema_decay: nominal decay of the average, None without one.
    """

    stages: tuple[ProgressiveStage, ...]
    learning_rates: Sequence[float]
    evaluations: frozenset[int]
    ema_decay: float | None

    @classmethod
    def of(cls, train: TrainConfig, manifest: DatasetManifest) -> Self:
        """The plan of training on the splits that the recipe names."""
        examples = sum(
            manifest.splits[split].examples for split in train.train_on.split("+")
        )
        stages = plan_stages(train, examples)
        return cls(
            stages=stages,
            learning_rates=learning_rates(train, stages, examples),
            evaluations=frozenset(evaluation_steps(train, stages, examples)),
            ema_decay=train.ema_decay,
        )

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return self.stages[-1].last_step

    def schedule(self, first: int, last: int, rows: int) -> NDArray[np.float32]:
        """What the compiled steps `first` to `last` (exclusive) are told.

        Returns:
            float32 [rows, 3]: step, learning rate, and 1 - EMA decay, in the
            first `last - first` rows.
        """
        table = np.zeros((rows, 3), np.float32)
        for row, step in enumerate(range(first, last)):
            share = 0.0
            if self.ema_decay is not None:
                share = 1.0 - ema_decay(self.ema_decay, step)
            table[row] = step, self.learning_rates[step], share
        return table

    def is_row_due(self, first: int, last: int) -> bool:
        """Whether history gets a training row for steps `first` to `last`."""
        every = max(1, self.steps // HISTORY_ROWS)
        return last // every > first // every or last == self.steps

    def next_evaluation(self, step: int) -> int:
        """The first point of evaluation after `step`."""
        return min(point for point in self.evaluations if point > step)

    def work_after(self, step: int) -> float:
        """What is left to do after `step`, in pixels to train on."""
        return sum(
            (stage.last_step - max(step, stage.first_step))
            * stage.global_batch_size
            * stage.image_size**2
            for stage in self.stages
            if stage.last_step > step
        )
