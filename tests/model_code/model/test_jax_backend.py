"""The same weights file gives the same logits on Keras's JAX backend.

JAX is not in the lock. `JAX_PYTHON` names an interpreter that has jax, keras,
h5py and pydantic; without it this environment's own is asked.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model_code.model.weights import save_weights
from tests.model_code.model.networks import pixels, tiny

pytestmark = pytest.mark.full

ROOT = Path(__file__).parents[3]
PYTHON = os.environ.get("JAX_PYTHON", sys.executable)
PROGRAM = """
import sys
import jax, numpy as np
from model_code.config.model import ModelConfig
from model_code.model.drop import set_dropout_rate
from model_code.model.efficientnet import build_model
from model_code.model.weights import load_weights

weights, images, logits = sys.argv[1:]
model = build_model(ModelConfig(variant="tiny"), 5, seed=2)
load_weights(model, weights)
pixels = np.load(images)
np.save(logits, np.asarray(model(pixels, training=False)))

# A rate is state: a compiled step sees it change.
step = jax.jit(
    lambda trainable, rest, x: model.stateless_call(trainable, rest, x, training=True)
)
def train():
    values = [[v.value for v in part] for part in (
        model.trainable_variables, model.non_trainable_variables)]
    return np.asarray(step(*values, pixels)[0])
before = train()
assert np.array_equal(before, train())
set_dropout_rate(model, 0.5)
assert not np.array_equal(before, train())
assert "tensorflow" not in sys.modules
"""


def has_jax():
    found = subprocess.run(
        [PYTHON, "-c", "import jax"], check=False, capture_output=True
    )
    return found.returncode == 0


@pytest.mark.skipif(not has_jax(), reason=f"jax is not installed for {PYTHON}")
def test_the_same_checkpoint_on_jax(tmp_path):
    model = tiny()
    model(pixels(8, 32, 32, 3), training=True)  # moves the statistics
    images = pixels(2, 40, 40, 3)
    weights, given, logits = (
        tmp_path / name for name in ("a.weights.h5", "images.npy", "logits.npy")
    )
    save_weights(model, weights)
    np.save(given, images)
    subprocess.run(
        [PYTHON, "-c", PROGRAM, str(weights), str(given), str(logits)],
        check=True,
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)},
    )
    expected = np.asarray(model(images, training=False))
    np.testing.assert_allclose(np.load(logits), expected, rtol=1e-4, atol=1e-5)
