"""AutoAugment policy v0, which B0 to B3 and EfficientNetV1 were trained with.

Cubuk et al. 2018 (arXiv 1805.09501), Table 9; numbers as in the released code.
"""

from collections.abc import Sequence

import tensorflow as tf

from model_code.data.augment.magnitudes import AUTOAUGMENT_REACH
from model_code.data.augment.policy import DRAWS, OPERATIONS
from model_code.data.augment.seeds import Tensor

Layer = tuple[str, float, int]
"""Operation, probability, level."""

LAYERS = 2
POLICY_DRAWS = 1 + LAYERS * DRAWS
"""Uniform draws a picture uses: one for the sub-policy, `DRAWS` a layer."""

POLICY_V0: tuple[tuple[Layer, Layer], ...] = (
    (("Equalize", 0.8, 1), ("ShearY", 0.8, 4)),
    (("Color", 0.4, 9), ("Equalize", 0.6, 3)),
    (("Color", 0.4, 1), ("Rotate", 0.6, 8)),
    (("Solarize", 0.8, 3), ("Equalize", 0.4, 7)),
    (("Solarize", 0.4, 2), ("Solarize", 0.6, 2)),
    (("Color", 0.2, 0), ("Equalize", 0.8, 8)),
    (("Equalize", 0.4, 8), ("SolarizeAdd", 0.8, 3)),
    (("ShearX", 0.2, 9), ("Rotate", 0.6, 8)),
    (("Color", 0.6, 1), ("Equalize", 1.0, 2)),
    (("Invert", 0.4, 9), ("Rotate", 0.6, 0)),
    (("Equalize", 1.0, 9), ("ShearY", 0.6, 3)),
    (("Color", 0.4, 7), ("Equalize", 0.6, 0)),
    (("Posterize", 0.4, 6), ("AutoContrast", 0.4, 7)),
    (("Solarize", 0.6, 8), ("Color", 0.6, 9)),
    (("Solarize", 0.2, 4), ("Rotate", 0.8, 9)),
    (("Rotate", 1.0, 7), ("TranslateY", 0.8, 9)),
    (("ShearX", 0.0, 0), ("Solarize", 0.8, 4)),
    (("ShearY", 0.8, 0), ("Color", 0.6, 4)),
    (("Color", 1.0, 0), ("Rotate", 0.6, 2)),
    (("Equalize", 0.8, 4), ("Equalize", 0.0, 8)),
    (("Equalize", 1.0, 4), ("AutoContrast", 0.6, 2)),
    (("ShearY", 0.4, 7), ("SolarizeAdd", 0.6, 7)),
    (("Posterize", 0.8, 2), ("Solarize", 0.6, 10)),
    (("Solarize", 0.6, 8), ("Equalize", 0.6, 1)),
    (("Color", 0.8, 6), ("Rotate", 0.4, 5)),
)


_LEVEL_FREE = ("AutoContrast", "Equalize", "Invert")
_UNCHANGED = 0


def autoaugment(image: Tensor, draws: Tensor) -> Tensor:
    """One of 25 pairs of operations, each applied with its own probability.

    Args:
        image: uint8 [size, size, 3].
        draws: float32 [POLICY_DRAWS], uniform in [0, 1).
    """
    chosen = tf.cast(draws[0] * len(POLICY_V0), tf.int32)
    layers = tf.reshape(draws[1:], [LAYERS, DRAWS])
    for number in range(LAYERS):
        column = [pair[number] for pair in POLICY_V0]
        image = _apply_layer(image, column, chosen, layers[number])
    return image


def _apply_layer(
    image: Tensor, column: Sequence[Layer], chosen: Tensor, draws: Tensor
) -> Tensor:
    """The operation of one column of the policy, or the picture unchanged.

    One branch for each different operation: a branch for each of the 25 rows
    takes three times as long to build into a graph.
    """
    operations = sorted({_operation(layer) for layer in column})
    rows = [operations.index(_operation(layer)) + 1 for layer in column]
    probabilities = tf.constant([layer[1] for layer in column])
    applies = draws[0] < tf.gather(probabilities, chosen)
    row = tf.where(applies, tf.gather(tf.constant(rows), chosen), _UNCHANGED)
    branches = [lambda: image] + [
        lambda name=name, level=level: OPERATIONS[name](
            image, float(level), AUTOAUGMENT_REACH, draws
        )
        for name, level in operations
    ]
    return tf.ensure_shape(tf.switch_case(row, branches), image.shape)


def _operation(layer: Layer) -> tuple[str, int]:
    name, _, level = layer
    return name, 0 if name in _LEVEL_FREE else level
