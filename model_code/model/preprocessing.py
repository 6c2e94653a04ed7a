"""From pixels to what a network was trained on."""

import keras

from model_code.config.model import Preprocessing

# ImageNet mean and standard deviation of red, green, blue in [0, 1] (facts 1.4).
_MEAN = (0.485, 0.456, 0.406)
_STANDARD_DEVIATION = (0.229, 0.224, 0.225)


def preprocessing_layer(name: Preprocessing) -> keras.layers.Rescaling:
    """Pixels in 0 to 255 to what the network sees, in float32."""
    if name == "unit_range":
        scale: float | list[float] = 1 / 128
        offset: float | list[float] = -1.0
    else:
        scale = [1 / (255 * deviation) for deviation in _STANDARD_DEVIATION]
        offset = [
            -mean / deviation
            for mean, deviation in zip(_MEAN, _STANDARD_DEVIATION, strict=True)
        ]
    return keras.layers.Rescaling(scale, offset, dtype="float32", name="preprocessing")
