"""What a RandAugment magnitude, or an AutoAugment level, means to each operation.

A magnitude is a float on a scale where 10 was once the strongest; progressive
learning ramps it past 10 (facts 3.2, check 43; released code, `autoaugment.py`).
Signs of rotation, shear and translation are drawn per example, elsewhere.
"""

from dataclasses import dataclass

_SCALE = 10.0


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How far a policy may go: what magnitude 10 means in pixels."""

    translate: float
    cutout: float


RANDAUGMENT_REACH = Reach(translate=100.0, cutout=40.0)
AUTOAUGMENT_REACH = Reach(translate=250.0, cutout=100.0)


def rotation(magnitude: float) -> float:
    """Degrees."""
    return magnitude / _SCALE * 30.0


def shear(magnitude: float) -> float:
    """Pixels of displacement a pixel of distance."""
    return magnitude / _SCALE * 0.3


def translation(magnitude: float, reach: Reach) -> float:
    """Pixels, whatever the image size."""
    return magnitude / _SCALE * reach.translate


def enhancement(magnitude: float) -> float:
    """Blend factor of colour, contrast, brightness and sharpness; 1 is identity."""
    return magnitude / _SCALE * 1.8 + 0.1


def posterize_bits(magnitude: float) -> int:
    """Bits kept of 8; fewer is stronger, so the operation weakens as it grows."""
    return int(magnitude / _SCALE * 4)


def solarize_threshold(magnitude: float) -> int:
    """Pixels from here up are inverted; 256 and more invert none."""
    return int(magnitude / _SCALE * 256)


def solarize_addition(magnitude: float) -> int:
    """Added to the dark half of the range."""
    return int(magnitude / _SCALE * 110)


def cutout_half_side(magnitude: float, reach: Reach) -> int:
    """Half the side, in pixels, of the square that is erased."""
    return int(magnitude / _SCALE * reach.cutout)
