"""Progressive learning with adaptive regularisation: the plan, before any training.

A plan is a sequence of progressive stages. Image size and regularisation
strength both follow from the stage's progress p in [0, 1], which is the whole
idea of the paper (Section 4, Algorithm 1): small images need weak
regularisation, large images strong. Pure: no framework, no clock, no global
random state.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from model_code.config.training import ProgressiveConfig, Ramp, TrainConfig
from model_code.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class ProgressiveStage:
    """One run of the training loop at one image size and strength.

    Steps count from 0 over the whole training; `last_step` is exclusive.
    """

    index: int
    first_step: int
    last_step: int
    image_size: int
    randaugment_magnitude: float
    mixup_alpha: float
    cutmix_alpha: float
    dropout_rate: float
    global_batch_size: int

    @property
    def steps(self) -> int:
        """How many optimizer updates the stage makes; short runs may have none."""
        return self.last_step - self.first_step


def plan_stages(
    config: TrainConfig, train_examples: int
) -> tuple[ProgressiveStage, ...]:
    """The progressive stages of a training run over `train_examples` images.

    Length is `epochs` over the images, and at least `minimum_steps` of the
    recipe's global batch size. Stages share it equally in images seen, so a
    stage with a larger batch takes fewer steps. With one batch size the
    boundaries are 1/M, 2/M ... of the steps, as published (facts 3.3).

    Raises:
        ConfigError: the run would not make a single step.
    """
    levels = _levels(config, train_examples)
    ends = _last_steps(config, levels, train_examples)
    if not ends[-1]:
        raise ConfigError(
            f"{config.epochs} epochs over {train_examples} training images make no "
            f"full batch of {config.global_batch_size}; lower global_batch_size, or "
            "raise epochs or minimum_steps."
        )
    starts = (0, *ends[:-1])
    return tuple(
        _stage(config, index, level, (first, last))
        for index, (level, first, last) in enumerate(
            zip(levels, starts, ends, strict=True)
        )
    )


def stage_at(stages: Sequence[ProgressiveStage], step: int) -> ProgressiveStage:
    """The stage that makes step number `step`, whatever came before it.

    Raises:
        ValueError: the plan has no such step.
    """
    for stage in stages:
        if stage.first_step <= step < stage.last_step:
            return stage
    raise ValueError(f"step {step} is outside 0 to {stages[-1].last_step - 1}")


def training_images(config: TrainConfig, train_examples: int) -> Fraction:
    """Images the run sees, repeats included; exact, since epochs may be 0.3."""
    return max(
        Fraction(str(config.epochs)) * train_examples,
        Fraction(config.minimum_steps * config.global_batch_size),
    )


def _levels(config: TrainConfig, train_examples: int) -> list[int]:
    """Which of the M levels each stage uses: 0, 1 ... M-1 unless drawn at random.

    Random resize draws among the M sizes of Algorithm 1 rather than among all
    pixels between, so that a device compiles M programs at most; the paper
    changes size every 8 epochs for the same reason (Section 5.3).
    """
    progressive = config.progressive
    if progressive.rule != "random_resize":
        return list(range(progressive.stages))
    period = progressive.resize_every_epochs * train_examples
    draws = -(-training_images(config, train_examples) // period)
    # Only `random()` is promised to give one sequence on every Python version.
    generator = random.Random(config.seed)
    return [int(generator.random() * progressive.stages) for _ in range(draws)]


def _last_steps(
    config: TrainConfig, levels: Sequence[int], train_examples: int
) -> tuple[int, ...]:
    images = training_images(config, train_examples)
    if config.progressive.rule == "random_resize":
        period = Fraction(config.progressive.resize_every_epochs * train_examples)
        shares = [period] * (len(levels) - 1)
        shares.append(images - sum(shares))
    else:
        shares = [images / len(levels)] * len(levels)
    steps = Fraction(0)
    ends = []
    for level, share in zip(levels, shares, strict=True):
        steps += share / _batch_size(config, level)
        ends.append(int(steps))
    return tuple(ends)


def _stage(
    config: TrainConfig, index: int, level: int, steps: tuple[int, int]
) -> ProgressiveStage:
    progressive = config.progressive
    strength = _strength_progress(progressive, level)
    return ProgressiveStage(
        index=index,
        first_step=steps[0],
        last_step=steps[1],
        image_size=_image_size(progressive, level),
        randaugment_magnitude=_along(progressive.randaugment_magnitude, strength),
        mixup_alpha=_along(progressive.mixup_alpha, strength),
        cutmix_alpha=_along(progressive.cutmix_alpha, strength),
        dropout_rate=_along(progressive.dropout_rate, strength),
        global_batch_size=_batch_size(config, level),
    )


def _image_size(progressive: ProgressiveConfig, level: int) -> int:
    start, end = progressive.image_size.start, progressive.image_size.end
    if progressive.rule == "fixed":
        return end
    if progressive.rule == "released":
        # `start` is never trained at; the fraction is cut, not rounded (facts 3.3).
        return start + (end - start) * (level + 1) // progressive.stages
    return round(start + (end - start) * _ramp_progress(progressive.stages, level))


def _strength_progress(progressive: ProgressiveConfig, level: int) -> float:
    """Strength follows size, so a fixed size keeps it at the end value."""
    if progressive.rule == "fixed" or not progressive.adaptive:
        return 1.0
    return float(_ramp_progress(progressive.stages, level))


def _ramp_progress(stages: int, level: int) -> Fraction:
    """Algorithm 1: i / (M - 1); a single stage trains at the end value."""
    return Fraction(level, stages - 1) if stages > 1 else Fraction(1)


def _along(ramp: Ramp, progress: float) -> float:
    if progress == 1.0:
        return ramp.end  # not start + (end - start), which may round differently
    return ramp.start + (ramp.end - ramp.start) * progress


def _batch_size(config: TrainConfig, level: int) -> int:
    sizes = config.progressive.stage_batch_sizes
    return sizes[level] if sizes else config.global_batch_size
