"""Gradients in float16: scaled up so that small ones do not vanish.

bfloat16 has the range of float32 and needs none of this.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

INITIAL = 2.0**15
GROWTH_STEPS = 2000
"""Steps without overflow after which the scale doubles (Micikevicius et al. 2018)."""


class LossScale:
    """A factor on the loss that halves on overflow and doubles after long luck.

    A step whose gradients overflow makes no update. Gradients have been summed
    over the replicas when they are looked at, so all replicas agree.
    """

    def __init__(self) -> None:
        """Start at 2^15; call in a strategy's scope."""
        self.scale = tf.Variable(INITIAL, trainable=False)
        self.good_steps = tf.Variable(0, trainable=False)

    def update(
        self, gradients: Sequence[Any], apply: Callable[[Sequence[Any]], None]
    ) -> None:
        """Call `apply` with gradients of the unscaled loss, if they are finite."""
        unscaled = [gradient / self.scale for gradient in gradients]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in unscaled])

        def succeed() -> None:
            apply(unscaled)
            grown = self.good_steps + 1 >= GROWTH_STEPS
            self.scale.assign(tf.where(grown, self.scale * 2.0, self.scale))
            self.good_steps.assign(tf.where(grown, 0, self.good_steps + 1))

        def skip() -> None:
            self.scale.assign(tf.maximum(self.scale / 2.0, 1.0))
            self.good_steps.assign(0)

        tf.cond(finite, succeed, skip)
