"""All random changes to one training picture after it was cropped and resized."""

from functools import partial

import tensorflow as tf

from model_code.config.training import AugmentationConfig
from model_code.data.augment import autoaugment, geometry, policy
from model_code.data.augment.seeds import ALGORITHM, Tensor, uniform

_FLIPS_AND_TURN = 3
_CENTRE = 2
_DRAWS = _FLIPS_AND_TURN + autoaugment.POLICY_DRAWS + _CENTRE


def augment(
    picture: Tensor,
    config: AugmentationConfig,
    magnitude: float,
    seed: Tensor,
    erase_seed: Tensor,
) -> Tensor:
    """Flip and turn, then the policy, then cutout; as released, in this order.

    All decisions about a picture come from one draw of uniform numbers, which
    a configuration that leaves something out uses in the same places: turning
    flips off does not change which operations RandAugment picks.

    Args:
        picture: uint8 [size, size, 3], size static.
        config: What the recipe allows.
        magnitude: Of RandAugment; 0 leaves RandAugment out.
        seed: int64 [2].
        erase_seed: int64 [2], for the noise in the erased square.

    Returns:
        uint8 [size, size, 3].
    """
    draws = uniform(seed, (_DRAWS,))
    moves, policy_draws, centre = tf.split(
        draws, [_FLIPS_AND_TURN, autoaugment.POLICY_DRAWS, _CENTRE]
    )
    picture = _orient(picture, config, moves)
    if config.policy == "autoaugment":
        picture = autoaugment.autoaugment(picture, policy_draws)
    elif config.policy == "randaugment" and magnitude > 0:
        layers = tf.reshape(policy_draws[1:], [policy.RANDAUGMENT_LAYERS, policy.DRAWS])
        picture = policy.randaugment(picture, magnitude, layers)
    return erase(picture, centre, erase_seed) if config.cutout else picture


def _orient(picture: Tensor, config: AugmentationConfig, draws: Tensor) -> Tensor:
    if config.flip_horizontal:
        picture = _sometimes(draws[0], partial(tf.reverse, axis=[1]), picture)
    if config.flip_vertical:
        picture = _sometimes(draws[1], partial(tf.reverse, axis=[0]), picture)
    if config.rotate_90:
        picture = geometry.turn(picture, tf.cast(draws[2] * 4, tf.int32))
    return picture


def _sometimes(draw: Tensor, change: partial[Tensor], picture: Tensor) -> Tensor:
    changed = tf.cond(draw < 0.5, lambda: change(picture), lambda: picture)
    return tf.ensure_shape(changed, picture.shape)


def erase(picture: Tensor, centre: Tensor, seed: Tensor) -> Tensor:
    """Cutout of finetuning: a square of noise, half the picture's side at most.

    The released noise is uniform in [0, 1) where pixels run from -1 to 1, so
    here it is 128 to 255 (facts 3.2, check 50).

    Args:
        picture: uint8 [size, size, 3].
        centre: float32 [2], row and column as fractions of the size.
        seed: int64 [2].
    """
    size = int(picture.shape[0])
    top, bottom, left, right = geometry.square(size, size // 4, centre)
    noise = tf.random.stateless_uniform(
        [bottom - top, right - left, 3],
        seed,
        minval=128,
        maxval=256,
        dtype=tf.int32,
        alg=ALGORITHM,
    )
    return geometry.paste(picture, tf.cast(noise, tf.uint8), top, left)
