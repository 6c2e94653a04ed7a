"""Which part of a picture an evaluation sees; pure, so that serving can state it."""

from model_code.config.training import AugmentationConfig

_CENTRAL_BELOW = 320
_MARGIN = 32


def evaluation_crop(image_size: int, config: AugmentationConfig) -> float | None:
    """Side of the central square as a share of the short side; None is all of it.

    None squashes the whole picture into a square. As released: a central crop
    below 320 px for S to XL, at every size for B0 to B3 and EfficientNetV1, and
    none where training does not crop either (facts 3.2, check 48).
    """
    if config.evaluation_crop == "whole":
        return None
    if config.evaluation_crop == "auto":
        released = config.crop == "inception" and image_size < _CENTRAL_BELOW
        if not released:
            return None
    return image_size / (image_size + _MARGIN)
