"""Random numbers as a function of a recipe's seed and a position, nothing else.

Every draw is a stateless Philox draw keyed by (stream, position), so a batch
does not depend on threads, on interruptions or on TensorFlow's global seed.
Philox is named because the default algorithm differs between devices.
"""

import enum
from typing import Any

import tensorflow as tf

Tensor = Any
"""A `tf.Tensor`; TensorFlow ships no types."""

ALGORITHM = "philox"


class Stream(enum.IntEnum):
    """Independent sequences that one seed gives rise to."""

    ORDER = 0
    CROP = 1
    EXAMPLE = 2
    ERASE = 3
    MIX = 4
    SHARDS = 5


def position_seed(seed: int, stream: Stream, position: Tensor) -> Tensor:
    """The int64 [2] seed of `position` (an example, a step, an epoch)."""
    key = (seed * len(Stream) + stream) % 2**63
    return tf.stack([tf.constant(key, tf.int64), tf.cast(position, tf.int64)])


def uniform(seed: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Float32 draws in [0, 1)."""
    return tf.random.stateless_uniform(shape, seed, alg=ALGORITHM)


def beta(seed: Tensor, count: int, alpha: float) -> Tensor:
    """Float32 [count] draws of Beta(alpha, alpha).

    Drawn in float64: at the alpha of 0.067 of a middle stage of V2-M, both
    gammas of one draw underflow in float32 about once in 100,000 images, and
    their ratio is then not a number.
    """
    gammas = tf.random.stateless_gamma(
        [2, count], seed, alpha=tf.constant(alpha, tf.float64), dtype=tf.float64
    )
    return tf.cast(gammas[0] / (gammas[0] + gammas[1]), tf.float32)
