"""The SavedModel: what is served is what was evaluated."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from model_code import artifacts, model_card
from model_code.data.pixels import decode_for_evaluation
from model_code.model.efficientnet import build_model
from model_code.model.weights import load_weights
from tests.helpers.models import write_model

CLASSES = ("defective", "functional")


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("served") / "model"
    write_model(directory, CLASSES, crop=40 / 72)
    return directory


@pytest.fixture(scope="module")
def served(model_dir):
    return tf.saved_model.load(str(model_dir / artifacts.SAVED_MODEL))


def encoded(kind: str, mode: str, size=(70, 50), seed=0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind)
    return buffer.getvalue()


IMAGES = {
    "jpeg": encoded("JPEG", "RGB"),
    "grey jpeg": encoded("JPEG", "L"),
    "large jpeg": encoded("JPEG", "RGB", (400, 300)),
    "png": encoded("PNG", "RGB"),
    "grey png": encoded("PNG", "L"),
    "png with alpha": encoded("PNG", "RGBA"),
    "png with a palette": encoded("PNG", "P"),
    "bitmap": encoded("BMP", "RGB"),
    "gif": encoded("GIF", "P"),
    "smaller than the network": encoded("PNG", "RGB", (9, 7)),
}


@pytest.mark.parametrize("name", IMAGES)
def test_serving_gives_what_the_evaluation_path_gives(model_dir, served, name):
    pixels = decode_for_evaluation(tf.constant(IMAGES[name]), 40, 40 / 72)[tf.newaxis]
    network = build_model(model_card.read(model_dir).model, 2, seed=99)
    load_weights(network, model_dir / artifacts.WEIGHTS)
    expected = tf.nn.softmax(network(pixels, training=False))
    decoded = served.signatures["pixels"](images=pixels)
    answer = served.signatures["serving_default"](images=tf.constant([IMAGES[name]]))
    np.testing.assert_array_equal(answer["probabilities"], decoded["probabilities"])
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)


def test_a_batch_of_any_sizes_and_formats_is_answered_row_by_row(served):
    classify = served.signatures["serving_default"]
    batch = classify(images=tf.constant(list(IMAGES.values())))
    assert batch["probabilities"].shape == (len(IMAGES), 2)
    np.testing.assert_allclose(
        tf.reduce_sum(batch["probabilities"], 1), np.ones(len(IMAGES)), atol=1e-6
    )
    names = [[name.decode() for name in row] for row in batch["class_names"].numpy()]
    assert names == [list(CLASSES)] * len(IMAGES)
    for row, image in zip(batch["probabilities"], IMAGES.values(), strict=True):
        alone = classify(images=tf.constant([image]))["probabilities"][0]
        np.testing.assert_allclose(row, alone, atol=1e-6)


def test_bytes_that_are_no_image_are_refused(served):
    with pytest.raises(tf.errors.InvalidArgumentError):
        served.signatures["serving_default"](images=tf.constant([b"not an image" * 9]))


def test_a_sigmoid_model_gives_each_class_alone(tmp_path):
    card = write_model(tmp_path / "model", ("a", "b", "c"), loss="sigmoid")
    model = tf.saved_model.load(str(tmp_path / "model" / artifacts.SAVED_MODEL))
    network = build_model(card.model, 3, seed=99)
    load_weights(network, tmp_path / "model" / artifacts.WEIGHTS)
    pixels = tf.random.stateless_uniform([2, 40, 40, 3], [1, 2], 0, 255)
    expected = tf.sigmoid(network(pixels, training=False))
    answer = model.signatures["pixels"](images=pixels)["probabilities"]
    np.testing.assert_allclose(answer, expected, atol=1e-6)
