"""Geometric operations against TensorFlow's own projective transform."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from model_code.data.augment import geometry
from tests.helpers.eager import both_ways

PICTURE = np.random.default_rng(0).integers(0, 256, (33, 33, 3), np.uint8)


def _projected(*transform):
    """Nearest neighbour with grey where the picture ends."""
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=PICTURE[np.newaxis],
        transforms=np.array([[*transform, 0.0, 0.0]], np.float32),
        output_shape=PICTURE.shape[:2],
        fill_value=128.0,
        interpolation="NEAREST",
        fill_mode="CONSTANT",
    )[0].numpy()


@pytest.mark.parametrize("level", [-0.37, -0.151, 0.0, 0.21, 0.303, 0.751])
def test_shear_x(level):
    actual = both_ways(geometry.shear_x, PICTURE, np.float32(level))
    np.testing.assert_array_equal(actual, _projected(1, level, 0, 0, 1, 0))


@pytest.mark.parametrize("level", [-0.37, -0.151, 0.0, 0.21, 0.303, 0.751])
def test_shear_y(level):
    actual = both_ways(geometry.shear_y, PICTURE, np.float32(level))
    np.testing.assert_array_equal(actual, _projected(1, 0, 0, level, 1, 0))


@pytest.mark.parametrize("pixels", [-100.0, -33.0, -6.7, 0.0, 5.0, 32.2, 66.7])
def test_translate(pixels):
    along_x = both_ways(geometry.translate_x, PICTURE, np.float32(pixels))
    np.testing.assert_array_equal(along_x, _projected(1, 0, pixels, 0, 1, 0))
    along_y = both_ways(geometry.translate_y, PICTURE, np.float32(pixels))
    np.testing.assert_array_equal(along_y, _projected(1, 0, 0, 0, 1, pixels))


@pytest.mark.parametrize("degrees", [-75.0, -30.0, 7.0, 15.0, 45.0])
def test_rotate_about_the_centre(degrees):
    cosine = math.cos(math.radians(degrees))
    sine = math.sin(math.radians(degrees))
    x = (32 - (cosine * 32 - sine * 32)) / 2
    y = (32 - (sine * 32 + cosine * 32)) / 2
    expected = _projected(cosine, -sine, x, sine, cosine, y)
    actual = both_ways(geometry.rotate, PICTURE, np.float32(degrees))
    # A position that falls exactly between two pixels may go either way.
    assert (actual != expected).any(axis=-1).mean() < 0.01


def test_rotate_by_nothing_changes_nothing():
    np.testing.assert_array_equal(
        both_ways(geometry.rotate, PICTURE, np.float32(0)), PICTURE
    )


@pytest.mark.parametrize("quarters", range(4))
def test_turn(quarters):
    actual = both_ways(geometry.turn, PICTURE, quarters)
    np.testing.assert_array_equal(actual, np.rot90(PICTURE, quarters))


@given(st.floats(0, 0.75, width=32), st.floats(0, 0.75, width=32), st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_cutout_erases_a_clipped_square_and_nothing_else(row, column, half_side):
    actual = geometry.cutout(
        tf.constant(PICTURE), half_side, tf.constant([row, column])
    )
    expected = PICTURE.copy()
    y, x = int(np.float32(row) * 33), int(np.float32(column) * 33)
    expected[
        max(y - half_side, 0) : y + half_side, max(x - half_side, 0) : x + half_side
    ] = 128
    np.testing.assert_array_equal(actual.numpy(), expected)


def test_cutout_both_ways():
    erased = both_ways(
        lambda image, centre: geometry.cutout(image, 4, centre),
        PICTURE,
        np.array([0.1, 0.9], np.float32),
    )
    assert (erased == 128).all(axis=-1).sum() >= 7 * 7
