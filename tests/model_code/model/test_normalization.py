"""The fused batch normalisation is Keras's (facts 6, check 20)."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from model_code.model.normalization import BatchNormalization

SHAPES = [(4, 5, 6, 3), (1, 1, 1, 2), (8, 1, 1, 16)]


def pair(shape, dtype="float32", **settings):
    """Ours and Keras's layer with the same random weights."""
    random = np.random.default_rng(0)
    layers = [
        kind(dtype=dtype, **settings)
        for kind in (BatchNormalization, keras.layers.BatchNormalization)
    ]
    values = [random.uniform(0.5, 1.5, shape[-1]) for _ in range(4)]
    for layer in layers:
        layer.build(shape)
        layer.set_weights(values)
    return layers


def inputs_of(shape):
    return tf.constant(np.random.default_rng(1).normal(3, 2, shape), tf.float32)


def run(layer, inputs, training):
    """Outputs, gradients of input, gamma and beta, and the moving statistics."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=training)
        loss = tf.reduce_sum(tf.cast(outputs, tf.float32) ** 3)
    gradients = tape.gradient(loss, [inputs, layer.gamma.value, layer.beta.value])
    moving = [layer.moving_mean.numpy(), layer.moving_variance.numpy()]
    return [np.asarray(value) for value in (outputs, *gradients, *moving)]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_results_gradients_and_statistics_are_those_of_keras(shape, training):
    ours, theirs = pair(shape, momentum=0.9)
    inputs = inputs_of(shape)
    for mine, other in zip(
        run(ours, inputs, training), run(theirs, inputs, training), strict=True
    ):
        np.testing.assert_allclose(mine, other, rtol=2e-4, atol=2e-3)


def test_the_running_mean_moves_by_one_minus_momentum():
    layer = BatchNormalization(momentum=0.9)
    inputs = inputs_of((8, 4, 4, 3))
    layer(inputs, training=True)
    values = inputs.numpy()
    mean, variance = values.mean(axis=(0, 1, 2)), values.var(axis=(0, 1, 2))
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * mean, rtol=1e-5)
    expected = 0.9 + 0.1 * variance
    np.testing.assert_allclose(layer.moving_variance.numpy(), expected, rtol=1e-5)


def test_inference_moves_nothing():
    ours, _ = pair((4, 5, 6, 3))
    before = ours.get_weights()
    ours(inputs_of((4, 5, 6, 3)), training=False)
    for one, other in zip(before, ours.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_frozen_layer_uses_its_moving_statistics():
    ours, _ = pair((4, 5, 6, 3))
    ours.trainable = False
    inputs = inputs_of((4, 5, 6, 3))
    np.testing.assert_array_equal(
        ours(inputs, training=True), ours(inputs, training=False)
    )


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_keeps_float32_statistics(dtype):
    ours, theirs = pair((4, 5, 6, 3), dtype=dtype)
    inputs = inputs_of((4, 5, 6, 3))
    outputs = ours(inputs, training=True)
    assert outputs.dtype == theirs(inputs, training=True).dtype
    assert ours.moving_mean.dtype == "float32"
    np.testing.assert_allclose(
        ours.moving_variance.numpy(), theirs.moving_variance.numpy(), rtol=0.02
    )


def fused_operations(layer, inputs):
    graph = tf.function(lambda x: layer(x, training=True)).get_concrete_function(inputs)
    return [op for op in graph.graph.get_operations() if "FusedBatchNorm" in op.type]


def test_the_fused_kernel_is_used():
    assert fused_operations(BatchNormalization(), inputs_of((4, 5, 6, 3)))


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({"synchronized": True}, (4, 5, 6, 3)),
        ({"epsilon": 1e-6}, (4, 5, 6, 3)),
        ({"scale": False}, (4, 5, 6, 3)),
        ({"axis": 1}, (4, 5, 6, 3)),
        ({}, (4, 3)),
    ],
)
def test_what_the_kernel_cannot_do_is_left_to_keras(settings, shape):
    layer = BatchNormalization(**settings)
    assert not fused_operations(layer, inputs_of(shape))
