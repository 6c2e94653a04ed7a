"""Weights from Keras, from released checkpoints and from ourselves."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from model_code import artifacts
from model_code.config.model import BlockSpec, BlockTable, ModelConfig
from model_code.errors import ConfigError, UnavailableError
from model_code.model.efficientnet import build_model
from model_code.model.weights import load_weights, save_weights
from tests.model_code.model.keras_models import keras_model
from tests.model_code.model.networks import pixels, tiny, weights_of

B0 = ModelConfig(variant="efficientnetv2-b0", preprocessing="imagenet_mean_std")
V1_B0 = ModelConfig(variant="efficientnet-b0", preprocessing="imagenet_mean_std")


def randomised(model, seed=0):
    random = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(random.uniform(0.1, 1.0, weight.shape).astype("float32"))
    return model


def assert_same_weights(one, other, but=()):
    theirs = weights_of(other)
    for path, value in weights_of(one).items():
        if not path.startswith(but):
            np.testing.assert_array_equal(value, theirs[path], err_msg=path)


# Ours.


def test_a_saved_network_loads_bit_for_bit(tmp_path):
    model = randomised(tiny())
    save_weights(model, tmp_path / "deep" / "model.weights.h5")
    again = tiny(seed=2)
    report = load_weights(again, tmp_path / "deep" / "model.weights.h5")
    assert_same_weights(model, again)
    assert report.layout == "ours"
    assert report.arrays == len(model.weights)
    assert (report.reinitialised, report.unused) == (None, ())


def test_keras_itself_can_read_what_we_save(tmp_path):
    model = randomised(tiny())
    save_weights(model, tmp_path / "model.weights.h5")
    again = tiny(seed=2)
    again.load_weights(tmp_path / "model.weights.h5")
    assert_same_weights(model, again)


def test_saving_leaves_nothing_else_behind(tmp_path):
    save_weights(tiny(), tmp_path / "model.weights.h5")
    save_weights(tiny(), tmp_path / "model.weights.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["model.weights.h5"]


def test_saving_under_another_name_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"ends in \.weights\.h5"):
        save_weights(tiny(), tmp_path / "model.h5")


def test_a_model_artifact_is_a_source(tmp_path):
    model = randomised(tiny())
    save_weights(model, tmp_path / artifacts.WEIGHTS)
    again = tiny(seed=2)
    load_weights(again, tmp_path)
    assert_same_weights(model, again)


def test_another_number_of_classes_initialises_the_classifier_anew(tmp_path):
    model = randomised(tiny(5))
    save_weights(model, tmp_path / "model.weights.h5")
    other = tiny(3)
    fresh = weights_of(other)
    report = load_weights(randomised(other, seed=1), tmp_path / "model.weights.h5")
    assert_same_weights(other, model, but=("classifier",))
    np.testing.assert_array_equal(
        other.get_layer("classifier").kernel.numpy(), fresh["classifier/kernel"]
    )
    assert not other.get_layer("classifier").bias.numpy().any()
    assert "5 classes in the source, 3 in this network" in str(report)
    assert report.arrays == len(model.weights) - 2


def test_another_architecture_is_refused_and_changes_nothing(tmp_path):
    save_weights(randomised(tiny(depth_coefficient=2.0)), tmp_path / "a.weights.h5")
    model = tiny()
    before = weights_of(model)
    with pytest.raises(
        ConfigError, match="stage1_block3_project_conv is there and not"
    ):
        load_weights(model, tmp_path / "a.weights.h5")
    save_weights(randomised(tiny(width_coefficient=2.0)), tmp_path / "b.weights.h5")
    with pytest.raises(ConfigError, match=r"stem_conv .* is 3x3x3x16 and should be"):
        load_weights(model, tmp_path / "b.weights.h5")
    for path, value in weights_of(model).items():
        np.testing.assert_array_equal(value, before[path])


def test_no_such_file(tmp_path):
    with pytest.raises(ConfigError, match="No weights at"):
        load_weights(tiny(), tmp_path / "absent.weights.h5")


def test_a_file_of_another_format_is_refused(tmp_path):
    (tmp_path / "model.h5").write_text("not HDF5")
    with pytest.raises(ConfigError, match="expected an HDF5 file"):
        load_weights(tiny(), tmp_path / "model.h5")


# keras.applications.


def as_keras_2_file(model, path):
    """The layout in which keras.applications publishes its weights."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, layer.get_weights(), strict=True):
                group.create_dataset(name, data=value)


def test_a_published_file_of_keras_2(tmp_path):
    theirs = keras_model("efficientnet-b0")
    as_keras_2_file(theirs, tmp_path / "efficientnetb0.h5")
    ours = build_model(V1_B0, 7, seed=1)
    report = load_weights(ours, tmp_path / "efficientnetb0.h5")
    # Ours has the constants of the normalisation in its preprocessing layer.
    assert [name.rstrip("_0123456789") for name in report.unused] == ["normalization"]
    assert report.reinitialised is None
    images = pixels(1, 64, 64, 3)
    np.testing.assert_allclose(
        ours(images, training=False),
        theirs(images, training=False),
        rtol=1e-3,
        atol=1e-4,
    )


def test_a_file_without_top_initialises_the_classifier_anew(tmp_path):
    theirs = keras_model("efficientnetv2-b0")
    notop = keras.Model(theirs.input, theirs.get_layer("top_activation").output)
    as_keras_2_file(notop, tmp_path / "efficientnetv2-b0_notop.h5")
    ours = build_model(B0, 3, seed=1)
    report = load_weights(ours, tmp_path / "efficientnetv2-b0_notop.h5")
    assert "the source has none" in str(report)
    np.testing.assert_array_equal(
        ours.get_layer("stage6_block8_se_expand").get_weights()[0],
        theirs.get_layer("block6h_se_expand").get_weights()[0],
    )


def test_a_whole_model_file_of_keras_2(tmp_path):
    theirs = keras_model("efficientnetv2-b0")
    theirs.save(tmp_path / "model.h5")
    ours = build_model(B0, 7, seed=1)
    assert load_weights(ours, tmp_path / "model.h5").arrays == len(ours.weights)


def test_imagenet_weights_by_name(monkeypatch):
    published = keras_model("efficientnetv2-b0")
    asked = []

    def download(weights):
        asked.append(weights)
        return published

    monkeypatch.setattr(keras.applications, "EfficientNetV2B0", download)
    ours = build_model(B0, 10, seed=1)
    report = load_weights(ours, "imagenet")
    assert asked == ["imagenet"]
    assert "7 classes in the source, 10 in this network" in str(report)
    np.testing.assert_array_equal(
        ours.get_layer("head_norm").get_weights()[3],
        published.get_layer("top_bn").get_weights()[3],
    )


def test_imagenet_weights_without_a_network(monkeypatch):
    def download(weights):
        # What keras.utils.get_file raises.
        raise Exception("URL fetch failure on https://: timed out")  # noqa: TRY002

    monkeypatch.setattr(keras.applications, "EfficientNetV2B0", download)
    with pytest.raises(UnavailableError, match="could not be downloaded"):
        load_weights(build_model(B0, 10, seed=1), "imagenet")


def test_imagenet_weights_of_another_preprocessing_are_refused():
    model = build_model(ModelConfig(variant="efficientnetv2-b0"), 10, seed=1)
    with pytest.raises(ConfigError, match=r"set model\.preprocessing"):
        load_weights(model, "imagenet")


def test_imagenet_weights_of_an_unpublished_variant_are_refused():
    with pytest.raises(ConfigError, match="has no weights for 'tiny'"):
        load_weights(tiny(), "imagenet")


# The released code.


def searched():
    """Every kind of block: with and without expansion, with and without SE."""

    def stage(operation, expansion_ratio, se_ratio):
        return BlockSpec(
            operation=operation,
            kernel_size=3,
            stride=1,
            expansion_ratio=expansion_ratio,
            input_filters=8,
            output_filters=8,
            repeats=2,
            se_ratio=se_ratio,
        )

    blocks = (
        stage("fused_mbconv", 1, 0.0),
        stage("fused_mbconv", 4, 0.25),
        stage("mbconv", 1, 0.25),
        stage("mbconv", 4, 0.0),
    )
    table = BlockTable(name="searched", blocks=blocks, head_filters=16)
    return build_model(ModelConfig(variant=table), 5, seed=1)


# Names as released: google/automl, efficientnetv2/effnetv2_model.py.
RELEASED = {
    "stem_conv/kernel": "stem/conv2d/kernel",
    "stem_norm/gamma": "stem/tpu_batch_normalization/gamma",
    "stage1_block1_project_conv/kernel": "blocks_0/conv2d/kernel",
    "stage1_block1_project_norm/moving_mean": (
        "blocks_0/tpu_batch_normalization/moving_mean"
    ),
    "stage2_block2_expand_conv/kernel": "blocks_3/conv2d/kernel",
    "stage2_block2_se_reduce/bias": "blocks_3/se/conv2d/bias",
    "stage2_block2_project_conv/kernel": "blocks_3/conv2d_1/kernel",
    "stage2_block2_project_norm/beta": "blocks_3/tpu_batch_normalization_1/beta",
    "stage3_block1_depthwise/kernel": "blocks_4/depthwise_conv2d/depthwise_kernel",
    "stage3_block1_depthwise_norm/gamma": "blocks_4/tpu_batch_normalization/gamma",
    "stage3_block1_project_conv/kernel": "blocks_4/conv2d/kernel",
    "stage3_block1_project_norm/gamma": "blocks_4/tpu_batch_normalization_1/gamma",
    "stage4_block2_expand_norm/gamma": "blocks_7/tpu_batch_normalization/gamma",
    "stage4_block2_depthwise_norm/gamma": "blocks_7/tpu_batch_normalization_1/gamma",
    "stage4_block2_project_norm/gamma": "blocks_7/tpu_batch_normalization_2/gamma",
    "head_conv/kernel": "head/conv2d/kernel",
    "head_norm/moving_variance": "head/tpu_batch_normalization/moving_variance",
    "classifier/kernel": "head/dense/kernel",
}


def released_name(layer, block_counts):
    """What effnetv2_model.py calls a layer: Keras 2 numbers equal kinds in a block."""
    if layer.name.startswith("stem_"):
        scope = "stem"
    elif layer.name.startswith(("head_", "classifier")):
        scope = "head"
    else:
        block = layer.name.rsplit("_block", 1)[0] + layer.name.split("_")[1]
        numbers = block_counts.setdefault("blocks", {})
        scope = f"blocks_{numbers.setdefault(block, len(numbers))}"
    if "_se_" in layer.name:
        scope += "/se"
    kind = {
        "Conv2D": "conv2d",
        "DepthwiseConv2D": "depthwise_conv2d",
        "BatchNormalization": "tpu_batch_normalization",
        "Dense": "dense",
    }[type(layer).__name__]
    seen = block_counts.get((scope, kind), 0)
    block_counts[scope, kind] = seen + 1
    return f"{scope}/{kind}_{seen}" if seen else f"{scope}/{kind}"


def released_variables(model):
    """Every weight of `model` by the name it has in a released checkpoint."""
    counts = {}
    found = {}
    for layer in model.layers:
        if layer.weights:
            scope = released_name(layer, counts)
            for weight in layer.weights:
                depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
                name = "depthwise_kernel" if depthwise else weight.name
                found[weight.path] = f"searched/{scope}/{name}"
    return found


def write_checkpoint(path, variables):
    names = list(variables)
    tf.raw_ops.SaveV2(
        prefix=str(path / "model"),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[variables[name] for name in names],
    )
    (path / "checkpoint").write_text('model_checkpoint_path: "model"\n')


def released_checkpoint(path, raw, shadows):
    """Raw weights, their averages, and what else training keeps beside them."""
    variables = {"global_step": np.array(107_336, "int64")}
    averages = weights_of(shadows)
    for ours, name in released_variables(raw).items():
        variables[name] = weights_of(raw)[ours]
        variables[f"{name}/ExponentialMovingAverage"] = averages[ours]
        variables[f"{name}/RMSProp"] = np.zeros_like(averages[ours])
    write_checkpoint(path, variables)


@pytest.mark.parametrize(
    ("average", "expected"), [(None, "ema"), ("ema", "ema"), ("raw", "raw")]
)
def test_a_released_checkpoint(tmp_path, average, expected):
    sources = {"raw": randomised(searched(), 1), "ema": randomised(searched(), 2)}
    released_checkpoint(tmp_path, sources["raw"], sources["ema"])
    model = searched()
    report = load_weights(model, tmp_path, average=average)
    assert_same_weights(model, sources[expected])
    assert report.layout == f"released checkpoint, {expected}"
    assert report.arrays == len(model.weights)


def test_names_in_a_released_checkpoint():
    names = released_variables(searched())
    assert {path: names[path] for path in RELEASED} == {
        path: f"searched/{name}" for path, name in RELEASED.items()
    }


def test_a_checkpoint_by_its_prefix_and_without_averages(tmp_path):
    source = randomised(searched(), 1)
    values = weights_of(source)
    names = released_variables(source)
    write_checkpoint(tmp_path, {names[path]: values[path] for path in values})
    model = searched()
    report = load_weights(model, tmp_path / "model")
    assert_same_weights(model, source)
    assert report.layout == "released checkpoint, raw"
    with pytest.raises(ConfigError, match="has no ema weights"):
        load_weights(model, tmp_path / "model", average="ema")


def test_a_checkpoint_that_lacks_a_weight_is_refused(tmp_path):
    source = randomised(searched(), 1)
    values = weights_of(source)
    names = released_variables(source)
    del names["stage2_block1_se_reduce/bias"]
    write_checkpoint(tmp_path, {name: values[path] for path, name in names.items()})
    with pytest.raises(ConfigError, match=r"stage2_block1_se_reduce .* should be"):
        load_weights(searched(), tmp_path)
