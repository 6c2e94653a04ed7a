"""How width and depth coefficients turn a block table into blocks.

Rounding is the released code's (facts 1.4): filters to the nearest multiple
of 8, repeats upwards. Keras, timm and torchvision moreover refuse to lose more
than a tenth of the filters for EfficientNetV1, which changes B3 only
(facts 1.5, item 7).
"""

import math
from typing import Literal

Rounding = Literal["nearest", "nearest_losing_at_most_a_tenth"]

_DIVISOR = 8


def round_filters(filters: int, width_coefficient: float, rounding: Rounding) -> int:
    """Filters after width scaling: a multiple of 8, at least 8."""
    scaled = filters * width_coefficient
    rounded = max(_DIVISOR, int(scaled + _DIVISOR / 2) // _DIVISOR * _DIVISOR)
    if rounding == "nearest_losing_at_most_a_tenth" and rounded < 0.9 * scaled:
        rounded += _DIVISOR
    return rounded


def round_repeats(repeats: int, depth_coefficient: float) -> int:
    """Blocks of a stage after depth scaling."""
    return math.ceil(depth_coefficient * repeats)
