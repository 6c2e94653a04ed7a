"""Flips, turns and the erased square of finetuning (facts, check 50)."""

import numpy as np
import pytest
import tensorflow as tf

from model_code.config.training import AugmentationConfig
from model_code.data.augment.picture import augment, erase
from model_code.data.augment.seeds import Stream, position_seed
from tests.helpers.datasets import smooth_picture
from tests.helpers.eager import both_ways

SIZE = 20
PICTURE = smooth_picture(8, SIZE, SIZE)


def _augmented(position, **settings):
    config = AugmentationConfig(
        **{"policy": "none", "flip_horizontal": False} | settings
    )
    seeds = [
        position_seed(0, stream, tf.constant(position))
        for stream in (Stream.EXAMPLE, Stream.ERASE)
    ]
    return augment(tf.constant(PICTURE), config, 9.0, *seeds).numpy()


def _occurring(**settings):
    """How often each distinct result occurs."""
    results = [_augmented(position, **settings).tobytes() for position in range(120)]
    return {each: results.count(each) for each in set(results)}


def test_nothing_changes_when_nothing_is_asked_for():
    np.testing.assert_array_equal(_augmented(0), PICTURE)


@pytest.mark.parametrize(
    ("flag", "axis"), [("flip_horizontal", 1), ("flip_vertical", 0)]
)
def test_flips_happen_half_of_the_time(flag, axis):
    occurring = _occurring(**{flag: True})
    flipped = np.flip(PICTURE, axis).tobytes()
    assert set(occurring) == {PICTURE.tobytes(), flipped}
    assert 40 <= occurring[flipped] <= 80


def test_quarter_turns_are_even():
    occurring = _occurring(rotate_90=True)
    assert set(occurring) == {np.rot90(PICTURE, k).tobytes() for k in range(4)}
    assert all(15 <= count <= 45 for count in occurring.values())


def test_flips_and_turns_together_give_all_eight_positions():
    assert len(_occurring(flip_horizontal=True, rotate_90=True)) == 8


def _square_of(position):
    changed = (_augmented(position, cutout=True) != PICTURE).any(-1)
    return changed.any(1).sum(), changed.any(0).sum()


def test_the_erased_square_is_half_the_size_at_most_and_a_quarter_at_least():
    sides = np.array([_square_of(position) for position in range(80)])
    assert sides.max() == SIZE // 2
    assert sides.min() >= SIZE // 4


def test_the_noise_is_the_bright_half_of_the_range():
    black = tf.zeros([40, 40, 3], tf.uint8)
    seed = position_seed(0, Stream.ERASE, tf.constant(4))
    erased = both_ways(
        lambda image, centre: erase(image, centre, seed),
        black.numpy(),
        np.array([0.5, 0.5], np.float32),
    )
    noise = erased[10:30, 10:30]
    assert noise.min() >= 128
    assert noise.mean() == pytest.approx(191.5, abs=4)
    assert erased.astype(int).sum() == noise.astype(int).sum()


@pytest.mark.parametrize("policy", ["randaugment", "autoaugment"])
def test_policies_change_pictures_reproducibly(policy):
    first = _augmented(1, policy=policy)
    np.testing.assert_array_equal(_augmented(1, policy=policy), first)
    assert (first != PICTURE).any()
