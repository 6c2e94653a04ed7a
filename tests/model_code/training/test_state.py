"""The state: packed weights, their average, snapshots."""

import numpy as np
import pytest
import tensorflow as tf

from model_code.errors import TrainingError
from model_code.training.packing import NOT_DECAYED
from model_code.training.schedules import ema_decay
from tests.model_code.training.conftest import new_state


def test_weight_decay_spares_bias_gamma_and_beta() -> None:
    weights = new_state().weights
    decayed, spared = ({v.name for v in group} for group in weights.groups)
    assert decayed == {"kernel"}
    assert spared == NOT_DECAYED
    assert weights.decayed == [True, False]


def test_packing_covers_every_trainable_variable_once() -> None:
    state = new_state()
    packed = [id(v) for group in state.weights.groups for v in group]
    assert sorted(packed) == sorted(id(v) for v in state.model.trainable_variables)
    elements = sum(int(vector.shape[0]) for vector in state.weights.vectors)
    assert elements == sum(
        int(np.prod(v.shape)) for v in state.model.trainable_variables
    )


def test_unpacking_refreshes_the_network() -> None:
    state = new_state()
    for vector in state.weights.vectors:
        vector.assign(tf.range(vector.shape[0], dtype=tf.float32))
    state.weights.unpack()
    flat = [v.numpy().ravel() for v in state.weights.groups[0]]
    np.testing.assert_array_equal(
        np.concatenate(flat), np.arange(int(state.weights.vectors[0].shape[0]))
    )


def test_the_average_follows_weights_and_moments() -> None:
    """50 updates against NumPy, with the ramp and with BN moments."""
    state = new_state()
    draw = np.random.default_rng(0)
    sources = [*state.weights.vectors, *state.moments]
    expected = [np.asarray(v.numpy(), np.float64) for v in sources]
    for step in range(50):
        decay = ema_decay(0.9999, step)
        for index, source in enumerate(sources):
            value = draw.normal(size=source.shape)
            source.assign(value)
            expected[index] = decay * expected[index] + (1 - decay) * value
        state.update_average(tf.constant(1 - decay, tf.float32))
    state.weights.unpack()
    last = [v.numpy().copy() for v in state.model.weights]
    with state.averaged() as model:
        groups = state.weights.groups
        found = [np.concatenate([v.numpy().ravel() for v in g]) for g in groups]
        found += [v.numpy() for v in state.moments]
        for ours, reference in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, reference, atol=1e-6)
        assert model is state.model
    for before, after in zip(last, state.model.weights, strict=True):
        np.testing.assert_array_equal(before, after.numpy())


def test_without_a_decay_the_weights_themselves_are_evaluated() -> None:
    state = new_state(ema_decay=None)
    assert not [name for name in state.snapshot() if name.startswith("average")]
    before = [v.numpy().copy() for v in state.model.weights]
    with state.averaged() as model:
        for expected, found in zip(before, model.weights, strict=True):
            np.testing.assert_array_equal(expected, found.numpy())


def test_a_snapshot_restores_everything_and_does_not_change_later() -> None:
    state = new_state()
    for vector in state.weights.vectors:
        vector.assign(vector * 2.0)
    state.weights.unpack()
    snapshot = state.snapshot()
    kept = {name: array.copy() for name, array in snapshot.items()}
    for vector in state.weights.vectors:
        vector.assign_add(tf.ones_like(vector))
    for name, array in kept.items():
        np.testing.assert_array_equal(snapshot[name], array)
    other = new_state(seed=99)
    other.restore(snapshot)
    for name, array in other.snapshot().items():
        np.testing.assert_array_equal(array, kept[name], err_msg=name)
    images = np.full((1, 32, 32, 3), 99.0, np.float32)
    state.restore(snapshot)
    np.testing.assert_array_equal(state.model(images), other.model(images))


def test_a_snapshot_has_weights_slots_average_moments_and_random_states() -> None:
    names = set(new_state().snapshot())
    assert {"weights/0000", "weights/0001", "average/0002"} <= names
    assert {"optimizer/square_average/0000", "optimizer/momentum/0001"} <= names
    assert any(name.endswith("moving_mean") for name in names)
    assert sum(name.endswith("seed_generator_state") for name in names) >= 2


@pytest.mark.parametrize("change", ["shape", "missing"])
def test_a_snapshot_of_another_network_is_refused(change: str) -> None:
    state = new_state()
    snapshot = state.snapshot()
    before = state.snapshot()
    if change == "shape":
        snapshot["weights/0000"] = snapshot["weights/0000"][:-1]
    else:
        del snapshot["average/0000"]
    with pytest.raises(TrainingError, match="another network or optimizer"):
        state.restore(snapshot)
    for name, array in state.snapshot().items():
        np.testing.assert_array_equal(array, before[name])


def test_the_dtype_policy_is_put_back() -> None:
    import keras

    from model_code.config.training import DistributionConfig

    state = new_state(distribution=DistributionConfig(precision="mixed_bfloat16"))
    assert keras.config.dtype_policy().name == "float32"
    convolution = state.model.get_layer("stem_conv")
    assert convolution.compute_dtype == "bfloat16"
    assert state.weights.vectors[0].dtype == tf.float32
