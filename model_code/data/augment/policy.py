"""The sixteen operations by name, and RandAugment, which draws among them.

Pictures are square uint8 [size, size, 3] of static size, at the size the
network sees: as released, a policy runs after crop, resize and flip.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import tensorflow as tf

from model_code.data.augment import colour, geometry, magnitudes
from model_code.data.augment.magnitudes import RANDAUGMENT_REACH, Reach
from model_code.data.augment.seeds import Tensor

DRAWS = 4
"""Uniform draws that one layer of a policy uses: which operation, or whether;
which sign; and the row and column of a square."""

RANDAUGMENT_LAYERS = 2

Operation = Callable[[Tensor, float, Reach, Tensor], Tensor]
"""Picture, magnitude, reach and float32 [DRAWS] uniform draws to picture."""


def _plain(function: Callable[[Tensor], Tensor]) -> Operation:
    return lambda image, _magnitude, _reach, _draws: function(image)


def _levelled(
    function: Callable[[Tensor, float], Tensor], level: Callable[[float], float]
) -> Operation:
    return lambda image, magnitude, _reach, _draws: function(image, level(magnitude))


def _stepped(
    function: Callable[[Tensor, int], Tensor], level: Callable[[float], int]
) -> Operation:
    return lambda image, magnitude, _reach, _draws: function(image, level(magnitude))


def _signed(
    function: Callable[[Tensor, Tensor], Tensor], level: Callable[[float, Reach], float]
) -> Operation:
    def apply(image: Tensor, magnitude: float, reach: Reach, draws: Tensor) -> Tensor:
        return function(
            image, tf.where(draws[1] < 0.5, 1.0, -1.0) * level(magnitude, reach)
        )

    return apply


def _cutout(image: Tensor, magnitude: float, reach: Reach, draws: Tensor) -> Tensor:
    half_side = magnitudes.cutout_half_side(magnitude, reach)
    return geometry.cutout(image, half_side, draws[2:4])


def _rotation(magnitude: float, _reach: Reach) -> float:
    return magnitudes.rotation(magnitude)


def _shear(magnitude: float, _reach: Reach) -> float:
    return magnitudes.shear(magnitude)


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "AutoContrast": _plain(colour.autocontrast),
        "Equalize": _plain(colour.equalize),
        "Invert": _plain(colour.invert),
        "Rotate": _signed(geometry.rotate, _rotation),
        "Posterize": _stepped(colour.posterize, magnitudes.posterize_bits),
        "Solarize": _stepped(colour.solarize, magnitudes.solarize_threshold),
        "Color": _levelled(colour.color, magnitudes.enhancement),
        "Contrast": _levelled(colour.contrast, magnitudes.enhancement),
        "Brightness": _levelled(colour.brightness, magnitudes.enhancement),
        "Sharpness": _levelled(colour.sharpness, magnitudes.enhancement),
        "ShearX": _signed(geometry.shear_x, _shear),
        "ShearY": _signed(geometry.shear_y, _shear),
        "TranslateX": _signed(geometry.translate_x, magnitudes.translation),
        "TranslateY": _signed(geometry.translate_y, magnitudes.translation),
        "Cutout": _cutout,
        "SolarizeAdd": _stepped(colour.solarize_add, magnitudes.solarize_addition),
    }
)
"""In the order of the released code (facts 3.2)."""


def randaugment(image: Tensor, magnitude: float, draws: Tensor) -> Tensor:
    """Two operations, each one of sixteen with equal chance, always applied.

    Args:
        image: uint8 [size, size, 3].
        magnitude: Strength shared by all operations; 10 is `Reach`'s unit.
        draws: float32 [RANDAUGMENT_LAYERS, DRAWS], uniform in [0, 1).
    """
    # One graph for both layers: sixteen operations take a second to build.
    apply_one = tf.function(partial(_apply_one, magnitude), autograph=False)
    for layer in range(RANDAUGMENT_LAYERS):
        image = tf.ensure_shape(apply_one(image, draws[layer]), image.shape)
    return image


def chosen_operation(draw: Tensor) -> Tensor:
    """Index into `OPERATIONS` of a uniform draw."""
    return tf.cast(draw * len(OPERATIONS), tf.int32)


def _apply_one(magnitude: float, image: Tensor, draws: Tensor) -> Tensor:
    branches = [
        lambda operation=operation: operation(
            image, magnitude, RANDAUGMENT_REACH, draws
        )
        for operation in OPERATIONS.values()
    ]
    return tf.switch_case(chosen_operation(draws[0]), branches)
