"""How a network behaves (facts 6, checks 18, 19, 21, 22)."""

import inspect
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from model_code.config.model import BlockSpec, BlockTable, ModelConfig
from model_code.model.drop import DropPath
from model_code.model.efficientnet import build_model
from model_code.model.variants import find_variant
from tests.model_code.model.networks import built, of_kind, pixels, tiny, weights_of


def test_building_twice_gives_the_same_network():
    one, other = weights_of(tiny()), weights_of(tiny())
    assert one.keys() == other.keys()
    for path, value in one.items():
        np.testing.assert_array_equal(value, other[path], err_msg=path)


def test_another_seed_gives_other_weights():
    one, other = weights_of(tiny(seed=1)), weights_of(tiny(seed=2))
    kernels = [path for path in one if path.endswith("kernel")]
    assert all((one[path] != other[path]).any() for path in kernels)


def test_no_two_layers_start_alike():
    kernels = [
        value.ravel()[:8]
        for path, value in weights_of(tiny()).items()
        if path.endswith("kernel")
    ]
    assert len({kernel.tobytes() for kernel in kernels}) == len(kernels)


def test_inference_is_deterministic():
    model = tiny()
    images = pixels(2, 32, 32, 3)
    np.testing.assert_array_equal(
        model(images, training=False), model(images, training=False)
    )


@pytest.mark.parametrize("size", [128, 171, 300, 512])
def test_the_same_weights_accept_any_size(size):
    logits = built("efficientnetv2-b0")(pixels(1, size, size, 3), training=False)
    assert logits.shape == (1, 1000)
    assert np.isfinite(logits).all()


def test_images_need_not_be_square():
    assert tiny()(pixels(1, 40, 56, 3), training=False).shape == (1, 5)


def test_gradients_reach_every_trainable_weight():
    model = tiny(drop_path_rate=0.0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(pixels(4, 32, 32, 3), training=True) ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.abs(gradient).max() > 0, variable.path


def initial_kernel(layer):
    return built("efficientnetv2-b0").get_layer(layer).get_weights()[0]


def test_kernels_start_as_released():
    # 3 x 3 x 48 to 192: sqrt(2 / (9 x 192)).
    expanded = initial_kernel("stage3_block2_expand_conv")
    assert np.std(expanded) == pytest.approx((2 / 1728) ** 0.5, rel=0.02)
    depthwise = initial_kernel("stage6_block2_depthwise")
    assert np.std(depthwise) == pytest.approx((2 / 9) ** 0.5, rel=0.02)


def test_kernels_are_not_truncated():
    values = initial_kernel("stage6_block2_expand_conv")
    assert np.abs(values).max() > 3 * np.std(values)


def test_the_classifier_starts_uniform_and_without_bias():
    kernel, bias = built("efficientnetv2-b0").get_layer("classifier").get_weights()
    bound = 1000**-0.5
    assert np.abs(kernel).max() <= bound
    assert np.abs(kernel).max() == pytest.approx(bound, rel=0.02)
    assert np.std(kernel) == pytest.approx(bound / 3**0.5, rel=0.02)
    assert not bias.any()


def layers_of(block):
    layers = built("tiny").layers
    return [type(one).__name__ for one in layers if one.name.startswith(f"{block}_")]


def test_a_fused_block_without_expansion_is_one_convolution():
    assert layers_of("stage1_block2") == [
        *("Conv2D", "BatchNormalization", "Activation", "DropPath", "Add")
    ]


def test_a_fused_block_projects_without_activation():
    assert layers_of("stage2_block2") == [
        *("Conv2D", "BatchNormalization", "Activation"),
        *("Conv2D", "BatchNormalization", "DropPath", "Add"),
    ]


def test_an_mbconv_block():
    assert layers_of("stage3_block2") == [
        *("Conv2D", "BatchNormalization", "Activation"),
        *("DepthwiseConv2D", "BatchNormalization", "Activation"),
        *("GlobalAveragePooling2D", "Conv2D", "Conv2D", "Multiply"),
        *("Conv2D", "BatchNormalization", "DropPath", "Add"),
    ]


def test_the_first_block_never_drops():
    assert find_variant("tiny").blocks[0].has_skip
    assert layers_of("stage1_block1") == [
        *("Conv2D", "BatchNormalization", "Activation", "Add")
    ]


def test_batch_norm_takes_its_settings_from_the_recipe():
    model = tiny(batch_norm_momentum=0.99, batch_norm_epsilon=1e-4)
    norms = of_kind(model, keras.layers.BatchNormalization)
    assert {(norm.momentum, norm.epsilon) for norm in norms} == {(0.99, 1e-4)}


@pytest.mark.parametrize(
    ("preprocessing", "expected"),
    [
        ("unit_range", [[-1, -1, -1], [0, 0, 0], [0.9921875] * 3]),
        (
            "imagenet_mean_std",
            [
                [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225],
                [
                    (128 / 255 - m) / s
                    for m, s in zip(
                        (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True
                    )
                ],
                [0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225],
            ],
        ),
    ],
)
def test_preprocessing_is_the_first_layer_and_named(preprocessing, expected):
    model = tiny(preprocessing=preprocessing)
    first = keras.Model(model.input, model.layers[1].output)
    images = np.array([0, 128, 255], "float32").reshape(1, 3, 1, 1) * np.ones(3)
    np.testing.assert_allclose(first(images)[0, :, 0], expected, atol=1e-6)


def test_a_searched_block_table_is_built():
    table = BlockTable(
        name="searched",
        blocks=(
            BlockSpec(
                operation="fused_mbconv",
                kernel_size=5,
                stride=2,
                expansion_ratio=6,
                input_filters=8,
                output_filters=16,
                repeats=2,
                se_ratio=0.25,
            ),
        ),
        head_filters=32,
    )
    model = build_model(ModelConfig(variant=table), 3, seed=1)
    assert model(pixels(2, 32, 32, 3), training=True).shape == (2, 3)
    assert model.get_layer("stage1_block1_se_reduce").filters == 2


def test_mixed_precision_still_gives_float32_logits():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = tiny()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    logits = model(pixels(2, 32, 32, 3), training=True)
    assert logits.dtype == "float32"
    assert model.get_layer("stem_conv").compute_dtype == "bfloat16"
    assert {weight.dtype for weight in model.weights} == {"float32"}


def test_a_saved_model_is_the_same_network(tmp_path):
    model = tiny()
    images = pixels(2, 32, 32, 3)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        model(images, training=False), again(images, training=False)
    )
    assert [layer.rate for layer in of_kind(again, DropPath)] == pytest.approx(
        [layer.rate for layer in of_kind(model, DropPath)]
    )


def test_a_network_deeper_than_pythons_limit_of_frames_is_built():
    """XL is; a low limit shows it with a small network."""
    limit = len(inspect.stack()) + 150
    deep = ModelConfig(variant="tiny", depth_coefficient=7.0)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        model = build_model(deep, 2, seed=1)
        assert sys.getrecursionlimit() == limit
    finally:
        sys.setrecursionlimit(before)
    assert len(model.layers) > limit
