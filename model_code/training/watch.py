"""Losses that mean the run is lost, seen as soon as they appear. Pure."""

import math
from collections import deque
from collections.abc import Callable, Sequence

from model_code.config.training import LossConfig
from model_code.errors import TrainingError

WINDOW = 100
"""Steps whose mean loss must stay bounded."""

LIMIT = 5.0
"""How many times the loss of knowing nothing that mean may reach.

A network that spreads its answer evenly scores ln(classes), so a mean of five
times that is confident nonsense: weights have exploded, and do not come back.
"""


class LossWatch:
    """Follows the losses of consecutive steps."""

    def __init__(self, loss: LossConfig, class_count: int) -> None:
        """Watch a run with that loss over that many classes."""
        sigmoid = loss.kind == "sigmoid"
        self.limit = LIMIT * math.log(2 if sigmoid else max(class_count, 2))
        self._recent: deque[float] = deque(maxlen=WINDOW)

    def check(
        self, first_step: int, losses: Sequence[float], last_good: Callable[[], str]
    ) -> None:
        """Take note of the losses of the steps from `first_step` on.

        Args:
            first_step: Step of the first loss.
            losses: One a step.
            last_good: Gives half a sentence on where a run would resume.

        Raises:
            TrainingError: a loss is NaN or infinite, or losses have diverged.
        """
        for step, loss in enumerate(losses, first_step):
            if not math.isfinite(loss):
                raise TrainingError(
                    f"The loss is {loss} at step {step}, after finite losses up to "
                    f"step {step - 1}; {last_good()}. {_ADVICE}"
                )
            self._recent.append(loss)
        mean = sum(self._recent) / len(self._recent)
        if len(self._recent) == WINDOW and mean > self.limit:
            last = first_step + len(losses) - 1
            raise TrainingError(
                f"The loss diverged: its mean over steps {last - WINDOW + 1} to {last} "
                f"is {mean:.3g}, where knowing nothing scores "
                f"{self.limit / LIMIT:.3g}; {last_good()}. {_ADVICE}"
            )


_ADVICE = (
    "Lower learning_rate.base, raise warmup_epochs or set optimizer.clip_norm, then "
    "run again with a new key, since a checkpoint keeps to its settings."
)
