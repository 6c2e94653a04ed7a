"""What a training run says: progress lines, history rows, TensorBoard."""

import time
from collections.abc import Mapping, Sequence

import tensorflow as tf

from model_code.progress import logger
from model_code.training.plan import Plan
from model_code.training.progressive import ProgressiveStage

LINE_SECONDS = 5.0
"""At most one progress line in this time."""

Row = dict[str, float]


class Journal:
    """Follows a run; the same names go to history, TensorBoard and tracking.

    Rows have `step`, `time` (seconds since 1970), `image_size` and any of
    `train/loss`, `train/learning_rate`, `train/images_per_second`, `val/loss`,
    `val/top1`, `val/top5`.
    """

    def __init__(
        self, plan: Plan, history: Sequence[Row], summaries: str | None
    ) -> None:
        """Continue `history`.

        Args:
            plan: Of the run.
            history: Rows of the run before it was resumed.
            summaries: Directory for TensorBoard; None, in workers that are not
                the chief, says nothing.
        """
        self.history = list(history)
        self._plan = plan
        self._speaks = summaries is not None
        self._writer = (
            tf.summary.create_file_writer(summaries)
            if summaries is not None
            else tf.summary.create_noop_writer()
        )
        self._speed = _Speed()
        self._losses: list[float] = []
        self._said = 0.0

    def trained(
        self,
        stage: ProgressiveStage,
        first: int,
        losses: Sequence[float],
        seconds: float,
    ) -> None:
        """Steps from `first` on were made in that time, with those losses."""
        last = first + len(losses)
        self._losses += losses
        self._speed.add(len(losses) * stage.global_batch_size, seconds)
        if self._plan.is_row_due(first, last):
            row = {
                "train/loss": sum(self._losses) / len(self._losses),
                "train/learning_rate": self._plan.learning_rates[last - 1],
                "train/images_per_second": self._speed.images_per_second,
            }
            self._add(stage, last, row)
            self._losses.clear()
        silent = time.monotonic() - self._said < LINE_SECONDS
        if self._speaks and (last == stage.last_step or not silent):
            self._said = time.monotonic()
            self._say(stage, last, losses[-1])

    def evaluated(
        self, stage: ProgressiveStage, step: int, metrics: Mapping[str, float]
    ) -> None:
        """The averaged weights after `step` steps do so well."""
        self._add(stage, step, metrics)
        if self._speaks:
            shown = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
            logger.info("after step %d: %s", step, shown)

    @property
    def images_per_second(self) -> float:
        """Of training alone, without compiling and evaluating; 0 before any."""
        return self._speed.mean

    def close(self) -> None:
        """Finish the summaries."""
        self._writer.close()

    def _add(
        self, stage: ProgressiveStage, step: int, values: Mapping[str, float]
    ) -> None:
        row = {"step": step, "time": time.time(), "image_size": stage.image_size}
        self.history.append(row | dict(values))
        with self._writer.as_default(step):
            for name, value in values.items():
                tf.summary.scalar(name, value)

    def _say(self, stage: ProgressiveStage, step: int, loss: float) -> None:
        rate = self._speed.images_per_second
        left = self._plan.work_after(step) / (rate * stage.image_size**2) if rate else 0
        logger.info(
            "stage %d/%d, %d px, step %d/%d, loss %.4f, %.0f images/s, %s left",
            stage.index + 1,
            len(self._plan.stages),
            stage.image_size,
            step,
            self._plan.steps,
            loss,
            rate,
            duration(left),
        )


class _Speed:
    """Images a second over the last calls and over all; the first call compiles."""

    def __init__(self) -> None:
        self.images_per_second = 0.0
        self._images = 0
        self._seconds = 0.0
        self._compiled = False

    def add(self, images: int, seconds: float) -> None:
        if not self._compiled:
            self._compiled = True
            return
        self._images += images
        self._seconds += seconds
        now = images / seconds
        # A moving average over about ten calls: sizes change between stages.
        share = 0.1 if self.images_per_second else 1.0
        self.images_per_second += share * (now - self.images_per_second)

    @property
    def mean(self) -> float:
        return self._images / self._seconds if self._seconds else 0.0


def duration(seconds: float) -> str:
    """Seconds as a person says them: `2 h 5 min`, `3 min 20 s`, `8 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
