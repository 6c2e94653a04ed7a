"""Drop path and dropout (facts 6, checks 16 to 18), and their changing rates."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from model_code.errors import ConfigError
from model_code.model.drop import (
    Dropout,
    DropPath,
    set_drop_path_rate,
    set_dropout_rate,
)
from tests.model_code.model.networks import of_kind, pixels, tiny


def drop_path(rate, seed=1):
    return DropPath(rate, share=1.0, seed=seed)


def test_the_expectation_is_the_input():
    outputs = drop_path(0.2)(np.ones((100_000, 1, 1, 1), "float32"), training=True)
    assert np.mean(outputs) == pytest.approx(1.0, rel=0.01)


def test_a_whole_example_is_dropped_or_rescaled():
    inputs = pixels(1000, 3, 3, 2) + 1
    outputs = np.asarray(drop_path(0.2)(inputs, training=True))
    dropped = (outputs == 0).all(axis=(1, 2, 3))
    np.testing.assert_allclose(outputs[~dropped], inputs[~dropped] / 0.8, rtol=1e-6)
    assert dropped.mean() == pytest.approx(0.2, abs=0.05)


def test_dropout_drops_single_features():
    outputs = np.asarray(Dropout(0.3, seed=1)(np.ones((400, 500)), training=True))
    assert set(np.unique(outputs)) == {0, np.float32(1 / np.float32(0.7))}
    assert (outputs == 0).mean() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("layer", [drop_path(0.5), Dropout(0.5, seed=1)])
def test_nothing_is_dropped_outside_training(layer):
    inputs = pixels(8, 2, 2, 3)
    np.testing.assert_array_equal(layer(inputs, training=False), inputs)
    np.testing.assert_array_equal(layer(inputs), inputs)


def test_a_rate_of_zero_changes_nothing():
    inputs = pixels(8, 2, 2, 3)
    np.testing.assert_array_equal(drop_path(0.0)(inputs, training=True), inputs)


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(ConfigError, match="rate of dropping"):
        Dropout(rate, seed=1)
    with pytest.raises(ConfigError, match="rate of dropping"):
        set_drop_path_rate(tiny(), rate)


def test_setting_the_rate_gives_each_block_its_share():
    model = tiny(drop_path_rate=0.2)
    before = {layer.name: layer.rate for layer in of_kind(model, DropPath)}
    set_drop_path_rate(model, 0.4)
    after = {layer.name: layer.rate for layer in of_kind(model, DropPath)}
    assert after == pytest.approx({name: 2 * rate for name, rate in before.items()})
    assert before["stage3_block2_drop_path"] == pytest.approx(0.2 * 5 / 6)


def test_rates_change_without_a_retrace():
    model = tiny(drop_path_rate=0.0)
    traces = 0

    @tf.function
    def forward(images):
        nonlocal traces
        traces += 1
        return model(images, training=True)

    images = pixels(16, 32, 32, 3)
    steady = np.array_equal(forward(images), forward(images))
    set_dropout_rate(model, 0.5)
    assert steady
    assert not np.array_equal(forward(images), forward(images))
    set_dropout_rate(model, 0.0)
    set_drop_path_rate(model, 0.5)
    assert not np.array_equal(forward(images), forward(images))
    assert traces == 1


def test_rates_and_seeds_are_state_but_not_weights():
    model = tiny()
    weights = {weight.path for weight in model.weights}
    state = {variable.path for variable in model.variables} - weights
    layers = [
        layer.name for layer in (*of_kind(model, DropPath), *of_kind(model, Dropout))
    ]
    assert state == {f"{layer}_rate" for layer in layers} | {
        f"{layer}_seed/seed_generator_state" for layer in layers
    }
    assert len(model.trainable_variables) == len(model.trainable_weights)


def test_restoring_the_state_repeats_what_was_dropped():
    model = tiny(drop_path_rate=0.5)
    set_dropout_rate(model, 0.5)
    images = pixels(16, 32, 32, 3)
    model(images, training=True)
    saved = [variable.numpy() for variable in model.variables]
    first = np.asarray(model(images, training=True))
    other = tiny(drop_path_rate=0.1, seed=9)
    for variable, value in zip(other.variables, saved, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(other(images, training=True), first)
    assert not np.array_equal(other(images, training=True), first)


def test_each_layer_drops_other_examples():
    model = tiny()
    masks = []
    for layer in of_kind(model, DropPath):
        layer.rate = 0.5
        masks.append(
            np.asarray(layer(np.ones((64, 1, 1, 1), "float32"), training=True))
        )
    assert len({mask.tobytes() for mask in masks}) == len(masks) > 1


REPLICAS = """
import json, numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
logical = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, logical)
from model_code.model.drop import Dropout
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    mirrored = Dropout(0.5, seed=1)
alone = Dropout(0.5, seed=1)
ones = np.ones((1, 64), "float32")
step = tf.function(lambda: mirrored(ones, training=True))
drawn = [strategy.experimental_local_results(strategy.run(step)) for _ in range(2)]
print(json.dumps({
    "replicas": [[values.numpy().tolist() for values in pair] for pair in drawn],
    "alone": [alone(ones, training=True).numpy().tolist() for _ in range(2)],
}))
"""


def test_replicas_drop_other_examples():
    done = subprocess.run(
        [sys.executable, "-c", REPLICAS], check=True, capture_output=True, text=True
    )
    drawn = json.loads(done.stdout)
    for (first, second), alone in zip(drawn["replicas"], drawn["alone"], strict=True):
        assert first != second
        assert first == alone
    assert drawn["alone"][0] != drawn["alone"][1]
