"""Read layers and their arrays from the files that weights come in.

Each reader gives the layers that have weights, by the name that the file gives
them, and each layer's arrays in Keras's order: kernel, bias; or gamma, beta,
moving mean, moving variance.
"""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any, Literal

import h5py  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from model_code.errors import ConfigError

Layers = dict[str, tuple[NDArray[Any], ...]]
Average = Literal["ema", "raw"]

# In Keras's order; the released code names a depthwise kernel by its kind.
_WEIGHTS = (
    *("kernel", "depthwise_kernel", "bias"),
    *("gamma", "beta", "moving_mean", "moving_variance"),
)
_SHADOW = "/ExponentialMovingAverage"


def read_h5(path: Path) -> Layers:
    """Layers of a `.weights.h5` file of Keras 3, or an `.h5` file of Keras 2.

    Raises:
        ConfigError: it is neither.
    """
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ConfigError(
            f"Weights {path}: {error}; expected an HDF5 file written by Keras."
        ) from error
    with file:
        if "layers" in file:
            return _keras_3_layers(file["layers"])
        # A whole model saved by Keras 2 holds its weights in a group.
        group = file.get("model_weights", file)
        if "layer_names" in group.attrs:
            return _keras_2_layers(group)
    raise ConfigError(
        f"Weights {path} hold neither the group 'layers' (Keras 3) nor the "
        "attribute 'layer_names' (Keras 2); expected a weights file of Keras."
    )


def _keras_3_layers(group: h5py.Group) -> Layers:
    found: Layers = {}
    for layer in group.values():
        arrays = layer["vars"]
        if len(arrays):
            name = _text(arrays.attrs["name"])
            found[name] = tuple(arrays[str(i)][()] for i in range(len(arrays)))
    return found


def _keras_2_layers(group: h5py.Group) -> Layers:
    found: Layers = {}
    for name in map(_text, group.attrs["layer_names"]):
        weights = [_text(weight) for weight in group[name].attrs["weight_names"]]
        if weights:
            found[name] = tuple(group[name][weight][()] for weight in weights)
    return found


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def read_checkpoint(prefix: str, average: Average | None) -> tuple[Layers, Average]:
    """Layers of a TensorFlow checkpoint of the released code.

    Names are those below the model's own name: `blocks_0/conv2d`.

    Args:
        prefix: Path of the checkpoint without `.index`.
        average: EMA or raw weights; None takes EMA where the checkpoint has
            any, as the released code does for evaluation and finetuning.

    Returns:
        The layers, and which of the two they are.

    Raises:
        ConfigError: the checkpoint has no weights of the kind asked for.
    """
    import tensorflow as tf

    reader = tf.train.load_checkpoint(prefix)
    names = reader.get_variable_to_shape_map()
    has_shadows = any(name.endswith(_SHADOW) for name in names)
    chosen: Average = average or ("ema" if has_shadows else "raw")
    suffix = _SHADOW if chosen == "ema" else ""
    pattern = re.compile(
        r"(?:^|/)(?P<layer>(?:stem|head|blocks_\d+)/.+)/"
        rf"(?P<weight>{'|'.join(_WEIGHTS)}){suffix}$"
    )
    layers: dict[str, dict[str, NDArray[Any]]] = defaultdict(dict)
    for match in filter(None, map(pattern.search, names)):
        array = np.asarray(reader.get_tensor(match.string))
        layers[match["layer"]][match["weight"]] = array
    if not layers:
        raise ConfigError(
            f"Checkpoint {prefix} has no {chosen} weights under stem/, blocks_N/ and "
            "head/; expected a checkpoint of google/automl efficientnetv2."
        )
    return {name: _in_order(arrays) for name, arrays in layers.items()}, chosen


def _in_order(arrays: dict[str, NDArray[Any]]) -> tuple[NDArray[Any], ...]:
    return tuple(arrays[weight] for weight in _WEIGHTS if weight in arrays)
