"""Load weights from Keras, from the released code and from ourselves; save ours.

Every layer of the network must be found in the file with its shape, and every
layer of the file must be used. The classifier is the exception: where the file
has none, or one for another number of classes, ours is initialised anew and
the report says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from model_code import artifacts
from model_code.errors import ConfigError
from model_code.model.imagenet_weights import imagenet_layers
from model_code.model.stored_layers import Average, Layers, read_checkpoint, read_h5
from model_code.model.weight_names import keras_names, released_names

IMAGENET = "imagenet"
_SUFFIX = ".weights.h5"
_CLASSIFIER = "classifier"


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """What `load_weights` did.

    `unused` are layers of the source that ours has as constants: Keras's
    normalisation of the input. `reinitialised` says why the classifier does
    not come from the source, and is None where it does.
    """

    source: str
    layout: str
    arrays: int
    reinitialised: str | None
    unused: tuple[str, ...]

    def __str__(self) -> str:
        head = self.reinitialised or "classifier loaded too"
        return f"{self.arrays} arrays from {self.source} ({self.layout}); {head}."


def load_weights(
    model: keras.Model, path_or_name: str | Path, *, average: Average | None = None
) -> LoadReport:
    """Replace the weights of `model` by those of a file or of a published name.

    Args:
        model: A network from `build_model`.
        path_or_name: One of: `imagenet`, the weights of keras.applications for
            this variant (downloaded); a weights file (`.h5`) of Keras or ours;
            a Model artifact; a checkpoint of the released code, as a prefix or
            a directory.
        average: EMA or raw weights of a checkpoint of the released code; None
            takes EMA where there are any.

    Raises:
        ConfigError: no such source, or layers that do not fit this network.
        UnavailableError: `imagenet` could not be downloaded.
    """
    ours = {layer.name: layer for layer in model.layers if layer.weights}
    layers, names, layout = _read(model, str(path_or_name), list(ours), average)
    unused = tuple(name for name in layers if name.startswith("normalization"))
    _check(ours, names, layers, str(path_or_name), unused)
    reason = _why_not_classifier(ours[_CLASSIFIER], layers.get(names[_CLASSIFIER]))
    loaded = [name for name in ours if name != _CLASSIFIER or reason is None]
    for name in loaded:
        ours[name].set_weights(layers[names[name]])
    if reason is not None:
        _initialise(ours[_CLASSIFIER])
    return LoadReport(
        source=str(path_or_name),
        layout=layout,
        arrays=sum(len(layers[names[name]]) for name in loaded),
        reinitialised=reason,
        unused=unused,
    )


def save_weights(model: keras.Model, path: Path) -> None:
    """Write all weights to `path`, whole or not at all; `.weights.h5` of Keras 3.

    Rates and seed states are not weights and stay out of the file.

    Raises:
        ConfigError: the name does not end in `.weights.h5`.
    """
    if not path.name.endswith(_SUFFIX):
        raise ConfigError(
            f"Weights cannot be saved to {path}: expected a name that ends in "
            f"{_SUFFIX}, from which Keras knows the format."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".partial-{path.name}")
    model.save_weights(temporary)
    temporary.replace(path)


def _read(
    model: keras.Model, source: str, ours: list[str], average: Average | None
) -> tuple[Layers, Mapping[str, str], str]:
    """The source's layers, what it calls ours, and the name of its layout."""
    if source == IMAGENET:
        layers = imagenet_layers(model)
        return layers, _keras_names(ours, layers), "keras.applications"
    path = Path(source)
    prefix = _checkpoint_prefix(path)
    if prefix is not None:
        layers, kind = read_checkpoint(prefix, average)
        return layers, released_names(ours), f"released checkpoint, {kind}"
    if path.is_dir():
        path = path / artifacts.WEIGHTS
    if not path.is_file():
        raise ConfigError(
            f"No weights at {source}; expected {IMAGENET!r}, a weights file (.h5), "
            "a Model artifact, or a checkpoint of the released code."
        )
    layers = read_h5(path)
    if "stem_norm" in layers:
        return layers, {name: name for name in ours}, "ours"
    return layers, _keras_names(ours, layers), "keras.applications"


def _checkpoint_prefix(path: Path) -> str | None:
    if path.with_name(f"{path.name}.index").is_file():
        return str(path)
    if not (path / "checkpoint").is_file():
        return None
    import tensorflow as tf

    prefix: str | None = tf.train.latest_checkpoint(str(path))
    return prefix


def _keras_names(ours: list[str], layers: Layers) -> dict[str, str]:
    is_v2 = any(name.endswith("_dwconv2") for name in layers)
    return keras_names(ours, "dwconv2" if is_v2 else "dwconv")


def _check(
    ours: Mapping[str, keras.layers.Layer],
    names: Mapping[str, str],
    layers: Layers,
    source: str,
    unused: tuple[str, ...],
) -> None:
    body = {name: layer for name, layer in ours.items() if name != _CLASSIFIER}
    problems = [
        f"{name} ({names[name]} there) is {_shapes(layers.get(names[name]))} and "
        f"should be {_shapes(layer.get_weights())}"
        for name, layer in body.items()
        if _shapes(layers.get(names[name])) != _shapes(layer.get_weights())
    ]
    left_over = sorted(set(layers) - set(names.values()) - set(unused))
    problems += [f"{name} is there and not in this network" for name in left_over]
    if problems:
        raise ConfigError(
            f"Weights {source} do not fit: {len(problems)} layers differ, the first: "
            f"{'; '.join(problems[:3])}. Expected weights of the same variant, width "
            "and depth."
        )


def _why_not_classifier(
    classifier: keras.layers.Layer, stored: tuple[Any, ...] | None
) -> str | None:
    if stored is None:
        return "classifier initialised anew: the source has none"
    if _shapes(stored) != _shapes(classifier.get_weights()):
        return (
            f"classifier initialised anew: {stored[-1].shape[0]} classes in the "
            f"source, {classifier.units} in this network"
        )
    return None


def _shapes(arrays: Any) -> str:
    if arrays is None:
        return "absent"
    return " + ".join("x".join(map(str, array.shape)) for array in arrays)


def _initialise(classifier: keras.layers.Layer) -> None:
    kernel = classifier.kernel_initializer(classifier.kernel.shape)
    classifier.kernel.assign(kernel)
    classifier.bias.assign(classifier.bias_initializer(classifier.bias.shape))
