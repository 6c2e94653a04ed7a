"""The ImageNet weights that keras.applications publishes."""

import keras

from model_code.config.model import Preprocessing
from model_code.errors import ConfigError, UnavailableError
from model_code.model.preprocessing import preprocessing_layer
from model_code.model.stored_layers import Layers

_BASE = ("b0", "b1", "b2", "b3")
_LARGE = ("s", "m", "l")

APPLICATIONS: dict[str, tuple[str, Preprocessing]] = {
    **{
        f"efficientnetv2-{size}": (f"EfficientNetV2{size.upper()}", "imagenet_mean_std")
        for size in _BASE
    },
    **{
        f"efficientnetv2-{size}": (f"EfficientNetV2{size.upper()}", "unit_range")
        for size in _LARGE
    },
    # Keras's B3 keeps nine tenths of its filters: another row (facts 1.5, item 7).
    **{
        f"efficientnet-b{n}-keras" if n == 3 else f"efficientnet-b{n}": (
            f"EfficientNetB{n}",
            "imagenet_mean_std",
        )
        for n in range(8)
    },
}
"""Rows that keras.applications has: its function, and what it normalises by."""


def imagenet_layers(model: keras.Model) -> Layers:
    """Download the layers for this network's variant, trained on ImageNet-1k.

    Raises:
        ConfigError: none are published for the variant, or they were trained
            with another preprocessing.
        UnavailableError: the download failed.
    """
    if model.name not in APPLICATIONS:
        raise ConfigError(
            f"keras.applications has no weights for {model.name!r}; expected one of "
            f"{', '.join(APPLICATIONS)}, or the path of a weights file."
        )
    name, preprocessing = APPLICATIONS[model.name]
    _check_preprocessing(model, preprocessing)
    build = getattr(keras.applications, name)
    try:
        published = build(weights="imagenet")
    except Exception as error:
        # keras.utils.get_file turns a network failure into a bare Exception.
        if "URL fetch failure" not in str(error):
            raise
        raise UnavailableError(
            f"The ImageNet weights of {model.name} could not be downloaded: {error}. "
            "Allow the network, or give the path of a weights file."
        ) from error
    return {
        layer.name: tuple(layer.get_weights())
        for layer in published.layers
        if layer.weights
    }


def _check_preprocessing(model: keras.Model, preprocessing: Preprocessing) -> None:
    expected = preprocessing_layer(preprocessing).get_config()
    if model.get_layer("preprocessing").get_config() != expected:
        raise ConfigError(
            f"The ImageNet weights of {model.name} were trained with preprocessing "
            f"{preprocessing!r}, which this network does not have; set "
            f"model.preprocessing to {preprocessing!r}."
        )
