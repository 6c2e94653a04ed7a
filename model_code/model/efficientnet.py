"""A row becomes a Keras network."""

import keras

from model_code.config.model import ModelConfig
from model_code.model.architecture import drop_path_rates
from model_code.model.blocks import LayerFactory, residual_block
from model_code.model.depth import room_for_depth
from model_code.model.drop import Dropout, set_drop_path_rate, set_dropout_rate
from model_code.model.preprocessing import preprocessing_layer
from model_code.model.variants import resolve

__all__ = ["build_model", "set_drop_path_rate", "set_dropout_rate"]


def build_model(
    config: ModelConfig,
    class_count: int,
    *,
    dropout_rate: float = 0.0,
    seed: int,
    synchronize_batch_norm: bool = False,
) -> keras.Model:
    """The network of `config`, initialised from `seed` alone.

    It takes float32 pixels in 0 to 255, [B, H, W, 3], of any size from 32 x 32
    up, and gives float32 logits, [B, class_count]. The first layer is the
    preprocessing. `model.variables` are all its state: weights, moving
    statistics, rates and the states of the seed generators of its drop-path
    and dropout layers; saving these makes a resumed run bit for bit the same.

    Args:
        config: The row or block table, and how it is normalised and dropped.
        class_count: Width of the classifier.
        dropout_rate: Of the classifier; `set_dropout_rate` changes it.
        seed: Decides initial weights and what dropping draws.
        synchronize_batch_norm: Share batch statistics among replicas
            (TensorFlow only).

    Raises:
        ConfigError: an unknown variant, a block table that does not fit, or a
            rate outside [0, 1).
    """
    variant = resolve(config)
    make = LayerFactory(
        seed=seed,
        momentum=config.batch_norm_momentum,
        epsilon=config.batch_norm_epsilon,
        synchronized=synchronize_batch_norm,
    )
    images = keras.Input(shape=(None, None, 3), dtype="float32", name="images")
    outputs = preprocessing_layer(config.preprocessing)(images)
    outputs = make.conv("stem_conv", variant.stem_filters, 3, stride=2)(outputs)
    outputs = make.activation("stem_activation")(make.norm("stem_norm")(outputs))
    rates = drop_path_rates(variant, 1.0)
    for block, share in zip(variant.blocks, rates, strict=True):
        outputs = residual_block(outputs, block, make, config.drop_path_rate, share)
    outputs = make.conv("head_conv", variant.feature_filters, 1)(outputs)
    outputs = make.activation("head_activation")(make.norm("head_norm")(outputs))
    outputs = keras.layers.GlobalAveragePooling2D(name="head_pool")(outputs)
    dropout = Dropout(dropout_rate, seed=make.layer_seed("dropout"), name="dropout")
    logits = _classifier(class_count, make)(dropout(outputs))
    with room_for_depth(len(variant.blocks)):
        return keras.Model(images, logits, name=variant.name)


def _classifier(class_count: int, make: LayerFactory) -> keras.layers.Dense:
    """Logits in float32, whatever the precision before them.

    Uniform within 1 / sqrt(class_count), as released (facts 1.4).
    """
    return keras.layers.Dense(
        class_count,
        kernel_initializer=keras.initializers.VarianceScaling(
            scale=1 / 3,
            mode="fan_out",
            distribution="uniform",
            seed=make.layer_seed("classifier"),
        ),
        dtype="float32",
        name="classifier",
    )
