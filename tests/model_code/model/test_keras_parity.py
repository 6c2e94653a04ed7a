"""With the same weights our logits are those of keras.applications."""

import numpy as np
import pytest

from model_code.config.model import ModelConfig
from model_code.model.efficientnet import build_model
from model_code.model.imagenet_weights import APPLICATIONS
from model_code.model.weights import load_weights
from tests.model_code.model.keras_models import keras_model
from tests.model_code.model.networks import pixels

# The others take ten seconds and more of a core.
QUICK = {"efficientnetv2-b0", "efficientnet-b0"}
# Keras pads V1 by the input's size, and takes an unknown one for even: these
# stay even down to the last stride.
V1_SIZES = ((64, 64), (96, 96))
V2_SIZES = ((64, 64), (75, 51))


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(name, marks=[] if name in QUICK else [pytest.mark.full])
        for name in APPLICATIONS
    ],
)
def test_logits_equal_those_of_keras(variant, tmp_path):
    theirs = keras_model(variant)
    theirs.save_weights(tmp_path / "keras.weights.h5")
    _, preprocessing = APPLICATIONS[variant]
    ours = build_model(
        ModelConfig(variant=variant, preprocessing=preprocessing), 7, seed=1
    )
    # Loading fails where a weight is left over on either side.
    report = load_weights(ours, tmp_path / "keras.weights.h5")
    assert report.arrays == len(ours.weights)
    sizes = V2_SIZES if variant.startswith("efficientnetv2") else V1_SIZES
    for height, width in sizes:
        images = pixels(2, height, width, 3)
        expected = np.asarray(theirs(images, training=False))
        logits = np.asarray(ours(images, training=False))
        scale = np.abs(expected).max()
        assert scale > 0
        np.testing.assert_allclose(logits / scale, expected / scale, atol=1e-4)
