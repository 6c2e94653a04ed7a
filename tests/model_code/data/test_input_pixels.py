"""Decoding, cropping and resizing, for training and for evaluation."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from model_code.config.training import AugmentationConfig
from model_code.data import pixels
from model_code.data.augment.seeds import Stream, position_seed
from model_code.data.cropping import evaluation_crop
from tests.helpers.datasets import encode_image, smooth_picture
from tests.helpers.eager import both_ways


def _coordinates(height, width):
    """Red is the row and green the column, so that a crop says where it is."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, 0 * rows], -1).astype(np.uint8)


def _bounds(picture):
    """Rows and columns of the source that a picture of `_coordinates` spans."""
    return (
        picture[0, :, 0].mean(), picture[-1, :, 0].mean(),
        picture[:, 0, 1].mean(), picture[:, -1, 1].mean(),
    )  # fmt: skip


def _seed(number):
    return position_seed(3, Stream.CROP, tf.constant(number))


@pytest.mark.parametrize("size", [16, 128, 299, 300, 319, 320, 384])
def test_the_released_evaluation_crop(size):
    crop = evaluation_crop(size, AugmentationConfig())
    assert crop == (size / (size + 32) if size < 320 else None)


def test_evaluation_crops_that_are_asked_for():
    center = AugmentationConfig(crop="resize", evaluation_crop="center")
    assert evaluation_crop(380, center) == pytest.approx(380 / 412)
    assert evaluation_crop(224, AugmentationConfig(evaluation_crop="whole")) is None
    assert evaluation_crop(224, AugmentationConfig(crop="resize")) is None


def test_a_500_pixel_side_is_cropped_to_451_at_size_300():
    window = pixels._central(300 / 332, tf.constant(500), tf.constant(620))
    assert window.numpy().tolist() == [24, 84, 451, 451]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_evaluation_sees_the_central_square(kind):
    encoded = encode_image(_coordinates(200, 240), kind)
    crop = evaluation_crop(96, AugmentationConfig())
    picture = both_ways(
        lambda image: pixels.decode_for_evaluation(image, 96, crop), encoded
    )
    assert picture.dtype == np.float32
    # 96 / 128 of 200 is 150: rows 25 to 175, columns 45 to 195.
    expected = (25, 174, 45, 194)
    assert _bounds(picture) == pytest.approx(expected, abs=3 if kind == "JPEG" else 1)


def test_evaluation_squashes_the_whole_picture():
    encoded = encode_image(_coordinates(200, 240), "PNG")
    picture = pixels.decode_for_evaluation(tf.constant(encoded), 160, None).numpy()
    assert _bounds(picture) == pytest.approx((0, 199, 0, 239), abs=0.5)


def test_bilinear_is_tensorflows_resize():
    source = smooth_picture(2, 50, 60)
    encoded = tf.constant(encode_image(source, "PNG"))
    actual = pixels.decode_for_evaluation(encoded, 40, None)
    expected = tf.image.resize(source, [40, 40], "bilinear")
    np.testing.assert_allclose(actual, expected, atol=1e-3)


def test_bicubic_is_tensorflows_resize_within_the_range():
    source = smooth_picture(2, 50, 60)
    encoded = tf.constant(encode_image(source, "PNG"))
    actual = pixels.decode_for_evaluation(encoded, 64, None, "bicubic").numpy()
    expected = tf.image.resize(source, [64, 64], "bicubic").numpy()
    np.testing.assert_allclose(actual, np.clip(expected, 0, 255), atol=1e-3)


def test_pictures_much_larger_than_needed_are_averaged():
    # One white column in four: bilinear looks at the two in the middle, both black.
    stripes = np.zeros((96, 96, 3), np.uint8)
    stripes[:, ::4] = 255
    encoded = tf.constant(encode_image(stripes, "PNG"))
    picture = pixels.decode_for_evaluation(encoded, 24, None)
    np.testing.assert_allclose(picture, 255 / 4, atol=1e-3)


@pytest.mark.parametrize("size", [16, 30, 60, 120, 240, 300])
def test_scaled_decoding_shows_the_same_picture(size):
    source = smooth_picture(9, 240, 280)
    scaled = pixels.decode_for_evaluation(
        tf.constant(encode_image(source, "JPEG")), size, None
    )
    full = pixels.decode_for_evaluation(
        tf.constant(encode_image(source, "PNG")), size, None
    )
    assert np.abs(scaled.numpy() - full.numpy()).mean() < 2.5


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "I;16"])
def test_every_png_becomes_three_channels(mode):
    grey = smooth_picture(4, 32, 32)[..., 0]
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(grey).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    picture = both_ways(
        lambda data: pixels.decode_for_evaluation(data, 32, None), buffer.getvalue()
    )
    np.testing.assert_allclose(picture, np.repeat(grey[..., None], 3, -1), atol=1)


def test_grey_jpegs_become_three_channels():
    grey = smooth_picture(4, 32, 32)[..., 0]
    encoded = encode_image(grey)
    decoded = np.asarray(Image.open(io.BytesIO(encoded)))[..., None]
    picture = pixels.decode_for_evaluation(tf.constant(encoded), 32, None).numpy()
    # The fast transform differs from Pillow's accurate one by a few levels.
    np.testing.assert_allclose(picture, np.repeat(decoded, 3, -1), atol=12)
    assert np.abs(picture - decoded).mean() < 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_training_crops_keep_to_the_area_and_aspect(kind):
    height, width = 200, 240
    encoded = tf.constant(encode_image(_coordinates(height, width), kind))
    config = AugmentationConfig(crop_area=(0.25, 0.5))
    slack = 4 if kind == "JPEG" else 2
    corners = set()
    for number in range(25):
        picture = pixels.decode_for_training(encoded, 64, _seed(number), config)
        top, bottom, left, right = _bounds(picture.numpy().astype(float))
        rows, columns = bottom - top, right - left
        assert 0.25 - 0.05 <= rows * columns / (height * width) <= 0.5 + 0.02
        assert (columns - slack) / (rows + slack) <= 4 / 3 + 0.02
        assert (columns + slack) / (rows - slack) >= 3 / 4 - 0.02
        corners.add((round(top), round(left)))
    assert len(corners) > 15


def test_training_crops_are_uint8_both_ways_and_follow_the_seed():
    encoded = encode_image(smooth_picture(1, 90, 90), "PNG")
    config = AugmentationConfig()
    first = both_ways(
        lambda data: pixels.decode_for_training(data, 32, _seed(1), config), encoded
    )
    again = pixels.decode_for_training(tf.constant(encoded), 32, _seed(1), config)
    other = pixels.decode_for_training(tf.constant(encoded), 32, _seed(2), config)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert (first != other.numpy()).any()


def test_training_without_a_crop_rounds_what_evaluation_sees():
    encoded = tf.constant(encode_image(smooth_picture(1, 90, 90)))
    config = AugmentationConfig(crop="resize")
    trained = pixels.decode_for_training(encoded, 32, _seed(1), config)
    evaluated = pixels.decode_for_evaluation(encoded, 32, None)
    np.testing.assert_array_equal(trained, np.floor(evaluated.numpy() + 0.5))


def test_decoding_lives_in_a_saved_model(tmp_path):
    class Serving(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, encoded):
            return tf.map_fn(
                lambda image: pixels.decode_for_evaluation(image, 24, 0.75),
                encoded,
                fn_output_signature=tf.TensorSpec([24, 24, 3], tf.float32),
            )

    files = [encode_image(smooth_picture(1), kind) for kind in ("PNG", "JPEG")]
    tf.saved_model.save(Serving(), str(tmp_path / "model"))
    served = tf.saved_model.load(str(tmp_path / "model"))(tf.constant(files))
    expected = [pixels.decode_for_evaluation(tf.constant(f), 24, 0.75) for f in files]
    np.testing.assert_allclose(served, np.stack(expected), atol=1e-4)
