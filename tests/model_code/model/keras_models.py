"""Networks of keras.applications, every weight of them random."""

import functools

import keras
import numpy as np

from model_code.model.imagenet_weights import APPLICATIONS

_RANGES = {
    "gamma": (0.5, 1.5),
    "moving_variance": (0.5, 1.5),
    "beta": (-0.2, 0.2),
    "moving_mean": (-0.2, 0.2),
    "bias": (-0.2, 0.2),
}
# Of ImageNet in [0, 1]; the weights files of EfficientNetV1 carry it as a layer.
_NORMALIZATION = (
    np.array([0.485, 0.456, 0.406], "float32"),
    np.array([0.229, 0.224, 0.225], "float32") ** 2,
    np.array(0),
)


@functools.lru_cache(maxsize=2)
def keras_model(variant, classes=7):
    """Keras's network for a row of ours, logits out, for images of any size.

    For looking at only: tests share it.
    """
    name, _ = APPLICATIONS[variant]
    model = getattr(keras.applications, name)(
        weights=None,
        classes=classes,
        classifier_activation=None,
        input_tensor=keras.Input((None, None, 3)),
    )
    random = np.random.default_rng(0)
    for layer in model.layers:
        if not isinstance(layer, keras.layers.Normalization):
            for weight in layer.weights:
                weight.assign(_values(random, layer, weight).astype("float32"))
        elif layer.weights:
            layer.set_weights(_NORMALIZATION)
            layer.finalize_state()
    return keras.Model(model.inputs[0], model.outputs[0])


def _values(random, layer, weight):
    """Statistics and biases tell apart what zeros and ones would not.

    Activations stay near one as in a trained network. Where they grow, the
    gates of SE become steps and multiply rounding errors from block to block.
    """
    if weight.name == "kernel":
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        fan_in = np.prod(weight.shape[:2] if depthwise else weight.shape[:-1])
        return random.normal(0, fan_in**-0.5, weight.shape)
    low, high = _RANGES[weight.name]
    projecting = weight.name == "gamma" and "project" in layer.name
    return random.uniform(low, high, weight.shape) * (0.2 if projecting else 1.0)
