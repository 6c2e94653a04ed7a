"""Training settings of the paper and of the released code, as test input."""

from typing import Any

from model_code.config.training import (
    LearningRateConfig,
    ProgressiveConfig,
    Ramp,
    SizeRamp,
    TrainConfig,
)

IMAGENET_TRAIN = 1_256_144  # the released code's default train split (facts 3.1)
IMAGENET_21K_TRAIN = 12_720_275


def progressive(start: int, end: int, **changes: Any) -> ProgressiveConfig:
    return ProgressiveConfig(image_size=SizeRamp(start=start, end=end), **changes)


def train_config(**changes: Any) -> TrainConfig:
    """ImageNet-1k as released, 350 epochs of batch 4096, unless changed."""
    settings: dict[str, Any] = {
        "seed": 7,
        "epochs": 350.0,
        "global_batch_size": 4096,
        "evaluation_image_size": 384,
        "progressive": progressive(128, 300),
    }
    return TrainConfig(**(settings | changes))


def adaptive(
    start: int, end: int, randaugment: float, mixup: float, dropout: float
) -> ProgressiveConfig:
    """One column of the paper's Table 6."""
    return progressive(
        start,
        end,
        randaugment_magnitude=Ramp(start=5.0, end=randaugment),
        mixup_alpha=Ramp(end=mixup),
        dropout_rate=Ramp(start=0.1, end=dropout),
    )


IMAGENET_21K = {
    "epochs": 60.0,
    "learning_rate": LearningRateConfig(
        schedule="cosine", base=0.008, warmup_epochs=1.0
    ),
}
TRANSFER = {
    "epochs": 15.0,
    "minimum_steps": 10_000,
    "global_batch_size": 512,
    "learning_rate": LearningRateConfig(
        schedule="cosine", base=0.001, scale_by_batch=False, warmup_epochs=0.0
    ),
}
