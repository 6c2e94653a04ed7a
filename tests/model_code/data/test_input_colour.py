"""Pixel operations against PIL and against independent NumPy."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from model_code.data.augment import colour
from tests.helpers.datasets import smooth_picture
from tests.helpers.eager import both_ways

PICTURES = [
    smooth_picture(3, 32, 32),
    np.random.default_rng(0).integers(0, 256, (33, 33, 3), np.uint8),
    np.full((16, 16, 3), 77, np.uint8),
    np.tile(np.array([[[0, 128, 255]]], np.uint8), (9, 9, 1)),
    np.random.default_rng(1).integers(100, 104, (40, 40, 3), np.uint8),
]
pictures = pytest.mark.parametrize("picture", PICTURES)


def _pil(picture, function):
    return np.asarray(function(Image.fromarray(picture)))


@pictures
def test_equalize_is_pils(picture):
    expected = _pil(picture, ImageOps.equalize)
    np.testing.assert_array_equal(both_ways(colour.equalize, picture), expected)


@pictures
def test_autocontrast_is_pils(picture):
    difference = both_ways(colour.autocontrast, picture).astype(int) - _pil(
        picture, ImageOps.autocontrast
    )
    assert np.abs(difference).max() <= 1  # PIL truncates a table in float64


@pictures
def test_invert_is_pils(picture):
    expected = _pil(picture, ImageOps.invert)
    np.testing.assert_array_equal(both_ways(colour.invert, picture), expected)


@pictures
@pytest.mark.parametrize("bits", range(1, 9))
def test_posterize_is_pils(picture, bits):
    expected = _pil(picture, lambda image: ImageOps.posterize(image, bits))
    actual = both_ways(lambda image: colour.posterize(image, bits), picture)
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize(("bits", "same_as"), [(0, 1), (10, 8)])
def test_posterize_outside_its_range_does_what_released_shifts_do(bits, same_as):
    picture = PICTURES[1]
    actual = both_ways(lambda image: colour.posterize(image, bits), picture)
    expected = both_ways(lambda image: colour.posterize(image, same_as), picture)
    np.testing.assert_array_equal(actual, expected)


@pictures
@pytest.mark.parametrize("threshold", [0, 1, 128, 255, 256, 640])
def test_solarize_inverts_from_the_threshold_up(picture, threshold):
    expected = np.where(picture.astype(int) < threshold, picture, 255 - picture)
    actual = both_ways(lambda image: colour.solarize(image, threshold), picture)
    np.testing.assert_array_equal(actual, expected)


@pictures
@pytest.mark.parametrize("addition", [0, 1, 110, 255, 300])
def test_solarize_add_brightens_the_dark_half(picture, addition):
    raised = np.minimum(picture.astype(int) + addition, 255)
    expected = np.where(picture < 128, raised, picture)
    actual = both_ways(lambda image: colour.solarize_add(image, addition), picture)
    np.testing.assert_array_equal(actual, expected)


@pictures
@pytest.mark.parametrize("factor", [0.1, 0.55, 1.0, 1.9, 4.6])
@pytest.mark.parametrize(
    ("operation", "enhancer"),
    [
        (colour.color, ImageEnhance.Color),
        (colour.brightness, ImageEnhance.Brightness),
        (colour.sharpness, ImageEnhance.Sharpness),
    ],
)
def test_enhancers_are_pils(picture, factor, operation, enhancer):
    expected = _pil(picture, lambda image: enhancer(image).enhance(factor)).astype(int)
    actual = both_ways(lambda image: operation(image, factor), picture)
    # PIL rounds the degenerate image to whole levels before it blends.
    assert np.abs(actual.astype(int) - expected).max() <= 1 + abs(factor - 1)


@pytest.mark.parametrize(("size", "constant"), [(128, 64), (171, 114), (300, 255)])
def test_contrast_blends_with_the_released_constant(size, constant):
    picture = smooth_picture(5, size, size)
    blended = constant + 1.9 * (picture.astype(float) - constant)
    actual = both_ways(lambda image: colour.contrast(image, 1.9), picture)
    np.testing.assert_allclose(actual, np.clip(blended, 0, 255), atol=1.01)


def test_contrast_of_one_changes_nothing():
    actual = both_ways(lambda image: colour.contrast(image, 1.0), PICTURES[1])
    np.testing.assert_array_equal(actual, PICTURES[1])
