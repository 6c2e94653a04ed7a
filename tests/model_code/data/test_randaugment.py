"""RandAugment and AutoAugment: which operations, how often, in what order."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from model_code.data.augment import autoaugment, policy
from model_code.data.augment.magnitudes import AUTOAUGMENT_REACH, RANDAUGMENT_REACH
from model_code.data.augment.seeds import Stream, position_seed, uniform
from tests.helpers.datasets import smooth_picture
from tests.helpers.eager import both_ways

PICTURE = smooth_picture(1, 24, 24)
NAMES = list(policy.OPERATIONS)


def _draw_for(name):
    return (NAMES.index(name) + 0.5) / len(NAMES)


def _alone(name, magnitude, draws, reach=RANDAUGMENT_REACH):
    operation = policy.OPERATIONS[name]
    return operation(tf.constant(PICTURE), magnitude, reach, tf.constant(draws)).numpy()


def test_the_released_operations():
    assert NAMES == [
        "AutoContrast", "Equalize", "Invert", "Rotate", "Posterize", "Solarize",
        "Color", "Contrast", "Brightness", "Sharpness", "ShearX", "ShearY",
        "TranslateX", "TranslateY", "Cutout", "SolarizeAdd",
    ]  # fmt: skip


def test_each_operation_is_chosen_once_in_sixteen():
    draws = uniform(position_seed(7, Stream.EXAMPLE, tf.constant(0)), (100_000,))
    counts = np.bincount(policy.chosen_operation(draws), minlength=16)
    assert len(counts) == 16
    assert stats.chisquare(counts).pvalue > 0.001


def test_choices_of_successive_pictures_are_even_and_independent():
    # As the input pipeline draws: one key per position.
    def choose(position):
        draws = uniform(position_seed(0, Stream.EXAMPLE, position), (2, policy.DRAWS))
        return policy.chosen_operation(draws[:, 0])

    positions = tf.data.Dataset.range(5_000).map(choose)
    pairs = np.array(list(positions.as_numpy_iterator()))
    table = np.zeros((16, 16))
    np.add.at(table, (pairs[:, 0], pairs[:, 1]), 1)
    assert stats.chisquare(table.ravel()).pvalue > 0.001


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("magnitude", [5.0, 20 / 3, 15.0, 25.0])
def test_each_operation_eagerly_and_in_a_graph(name, magnitude):
    draws = np.array([0.0, 0.3, 0.4, 0.6], np.float32)
    operation = policy.OPERATIONS[name]
    actual = both_ways(
        lambda image, draw: operation(image, magnitude, RANDAUGMENT_REACH, draw),
        PICTURE,
        draws,
    )
    assert actual.shape == PICTURE.shape
    assert actual.dtype == np.uint8


def test_two_layers_are_applied_one_after_the_other():
    draws = np.zeros((2, policy.DRAWS), np.float32)
    draws[0, 0], draws[1, 0] = _draw_for("Invert"), _draw_for("Posterize")
    actual = both_ways(
        lambda image, each: policy.randaugment(image, 10.0, each), PICTURE, draws
    )
    np.testing.assert_array_equal(actual, (255 - PICTURE) & 0xF0)


@pytest.mark.parametrize("name", ["Rotate", "ShearX", "ShearY", "TranslateX"])
def test_the_sign_is_drawn(name):
    first = _alone(name, 1.0, [0.0, 0.2, 0.0, 0.0])
    second = _alone(name, 1.0, [0.0, 0.8, 0.0, 0.0])
    assert (first != second).any()


def test_the_published_policy_has_25_pairs():
    assert len(autoaugment.POLICY_V0) == 25
    assert {layer[0] for pair in autoaugment.POLICY_V0 for layer in pair} < set(NAMES)


@pytest.mark.parametrize("number", range(25))
def test_a_pair_of_autoaugment_applies_what_its_probabilities_say(number):
    draws = np.zeros(autoaugment.POLICY_DRAWS, np.float32)
    draws[0] = (number + 0.5) / 25
    draws[2] = draws[6] = 0.7  # signs
    expected = tf.constant(PICTURE)
    for name, probability, level in autoaugment.POLICY_V0[number]:
        if probability > 0:  # a draw of 0 is below every other
            expected = policy.OPERATIONS[name](
                expected, float(level), AUTOAUGMENT_REACH, tf.constant(draws[1:5])
            )
    actual = autoaugment.autoaugment(tf.constant(PICTURE), tf.constant(draws))
    np.testing.assert_array_equal(actual, expected)


def test_autoaugment_leaves_out_what_its_probabilities_leave_out():
    draws = np.full(autoaugment.POLICY_DRAWS, 0.95, np.float32)
    draws[0] = 0.5 / 25  # both of the first pair have probability 0.8
    actual = both_ways(autoaugment.autoaugment, PICTURE, draws)
    np.testing.assert_array_equal(actual, PICTURE)
