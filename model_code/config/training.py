"""How a network is trained: schedule, optimizer, augmentation, devices."""

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from model_code.config.base import (
    STRICT,
    Count,
    Flag,
    Fraction,
    Index,
    NonNegative,
    Pixels,
    Positive,
    Rate,
)

Interpolation = Literal["bilinear", "bicubic"]
"""How a picture is resized; bicubic for B0 to B3 and EfficientNetV1 (facts 3.2)."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SizeRamp:
    """Image size in pixels at the first and last progressive stage."""

    start: Pixels
    end: Pixels


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Ramp:
    """A regularisation strength at the first and last progressive stage."""

    start: NonNegative = 0.0
    end: NonNegative = 0.0


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ProgressiveConfig:
    """Progressive learning with adaptive regularisation (paper, Section 4).

    `rule` names how sizes follow from the ramp:
      * `algorithm1`: linear from start to end (paper, Algorithm 1);
      * `released`: `start` is a virtual size before the first stage, as in
        the released code (facts 3.3);
      * `random_resize`: a new size every `resize_every_epochs` (Table 13);
      * `fixed`: always `end`.
    `adaptive` false keeps every strength at its end value (Table 13).
    """

    rule: Literal["algorithm1", "released", "random_resize", "fixed"] = "algorithm1"
    stages: Count = 4
    image_size: SizeRamp
    randaugment_magnitude: Ramp = Ramp()
    mixup_alpha: Ramp = Ramp()
    cutmix_alpha: Ramp = Ramp()
    dropout_rate: Ramp = Ramp()
    adaptive: Flag = True
    resize_every_epochs: Count = 8
    stage_batch_sizes: tuple[Count, ...] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.image_size.start > self.image_size.end:
            raise ValueError(
                f"image_size starts at {self.image_size.start} px and ends at "
                f"{self.image_size.end} px; progressive learning grows: swap them"
            )
        if self.dropout_rate.start >= 1 or self.dropout_rate.end >= 1:
            raise ValueError("dropout_rate must stay below 1")
        if self.stage_batch_sizes and len(self.stage_batch_sizes) != self.stages:
            raise ValueError(
                f"stage_batch_sizes has {len(self.stage_batch_sizes)} entries for "
                f"{self.stages} stages; give one a stage"
            )
        return self


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LearningRateConfig:
    """Learning rate as a function of the step.

    The peak is `base`, times global batch / 256 where `scale_by_batch`.
    Warm-up is linear from zero and overrides the decay (released code).
    `decay_rate` and `decay_epochs` belong to the exponential staircase.
    """

    schedule: Literal["exponential", "cosine", "linear", "constant"] = "exponential"
    base: Positive = 0.016
    scale_by_batch: Flag = True
    warmup_epochs: NonNegative = 5.0
    decay_rate: Positive = 0.97
    decay_epochs: Positive = 2.4
    minimum: NonNegative = 0.0


@dataclass(frozen=True, kw_only=True, config=STRICT)
class OptimizerConfig:
    """Update rule; `rmsprop` has TensorFlow-1 semantics (facts 3.1).

    `weight_decay` excludes bias, gamma and beta. With `coupled` it is an L2
    term of the loss, 0.5 * sum(w^2), as released; AdamW decouples it.
    """

    kind: Literal["rmsprop", "sgd", "adamw"] = "rmsprop"
    momentum: Rate = 0.9
    decay: Rate = 0.9
    beta_2: Rate = 0.999
    epsilon: Positive = 1e-3
    weight_decay: NonNegative = 1e-5
    clip_norm: Positive | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AugmentationConfig:
    """Random changes to training images, before mixup and CutMix.

    `crop` `inception` draws area and aspect ratio, `resize` squashes the whole
    image. A crop that fits `crop_area` and `crop_aspect` is tried `crop_attempts`
    times, then the whole image is taken. `policy` picks what the RandAugment
    magnitude of a progressive stage applies to; `cutout` erases a square
    (finetuning, facts 3.2). `evaluation_crop` `center` takes the central square
    of size / (size + 32) of the short side, `whole` squashes; `auto` does what
    was released for `crop`: `resize` is whole, `inception` central below 320 px.
    """

    crop: Literal["inception", "resize"] = "inception"
    crop_area: tuple[Fraction, Fraction] = (0.05, 1.0)
    crop_aspect: tuple[Positive, Positive] = (0.75, 1.3333333333333333)
    crop_attempts: Count = 100
    evaluation_crop: Literal["auto", "center", "whole"] = "auto"
    flip_horizontal: Flag = True
    flip_vertical: Flag = False
    rotate_90: Flag = False
    policy: Literal["none", "randaugment", "autoaugment"] = "randaugment"
    cutout: Flag = False
    interpolation: Interpolation = "bilinear"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LossConfig:
    """Loss over the classes; multi-hot rows are normalised for `softmax`."""

    kind: Literal["softmax", "sigmoid"] = "softmax"
    label_smoothing: Rate = 0.1


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DistributionConfig:
    """Where the replicas live; the global batch size stays what a recipe says."""

    strategy: Literal["one_device", "mirrored", "multi_worker", "tpu"] = "one_device"
    steps_per_call: Count = 8
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    jit_compile: Flag = False
    synchronize_batch_norm: Flag = False


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CheckpointConfig:
    """When training saves itself; whichever comes first."""

    every_steps: Count = 1000
    every_seconds: Positive = 600.0
    keep: Count = 2


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TrainConfig:
    """One training run, from the first step to exported EMA weights.

    Length is `epochs` over the train split, and at least `minimum_steps`.
    `seed` is required: the order of images, augmentation, initialisation and
    dropout follow from it. `initial_weights` is a weights file, a checkpoint of
    the released code, or one of ours (`model/weights.py`). `drop_path_rate`, if
    given, replaces the network's during this training: ImageNet-21k pretraining
    was released without (facts 3.4).
    """

    seed: Index
    epochs: Positive
    minimum_steps: Index = 0
    global_batch_size: Count
    progressive: ProgressiveConfig
    learning_rate: LearningRateConfig = LearningRateConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    loss: LossConfig = LossConfig()
    ema_decay: Rate | None = 0.9999
    evaluation_image_size: Pixels
    evaluate_every_epochs: Positive = 1.0
    train_on: Literal["train", "train+validation"] = "train"
    initial_weights: str | None = None
    drop_path_rate: Rate | None = None
    distribution: DistributionConfig = DistributionConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    deterministic: Flag = False
    shuffle_buffer: Count = Field(default=16_384)
