"""Update rules, weight decay and EMA against an independent NumPy program."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from model_code.config.training import OptimizerConfig
from model_code.training.ema import copy_weights, update_average
from model_code.training.optimizer import (
    clip,
    is_decayed,
    l2_penalty,
    make_optimizer,
)
from model_code.training.schedules import ema_decay

Array = NDArray[np.float64]
STEPS = 50
RATES = [0.01 * (1 + step % 7) for step in range(STEPS)]


def initial_weights() -> dict[str, Array]:
    draw = np.random.default_rng(5)
    return {"kernel": draw.normal(size=(4, 3)), "gamma": draw.normal(size=3)}


def gradients(step: int) -> dict[str, Array]:
    draw = np.random.default_rng([6, step])
    return {"kernel": draw.normal(size=(4, 3)), "gamma": draw.normal(size=3)}


def rmsprop(config: OptimizerConfig) -> Callable[..., Array]:
    """Square average from 1; epsilon in the root; rate in the momentum buffer."""
    state: dict[str, tuple[Any, Any]] = {}

    def update(name: str, weight: Array, grad: Array, rate: float, _: int) -> Array:
        square, buffer = state.get(name, (np.ones_like(weight), 0.0))
        square = config.decay * square + (1 - config.decay) * grad**2
        buffer = config.momentum * buffer + rate * grad / np.sqrt(
            square + config.epsilon
        )
        state[name] = (square, buffer)
        return weight - buffer

    return update


def momentum(config: OptimizerConfig) -> Callable[..., Array]:
    state: dict[str, Any] = {}

    def update(name: str, weight: Array, grad: Array, rate: float, _: int) -> Array:
        state[name] = config.momentum * state.get(name, 0.0) + grad
        return np.asarray(weight - rate * state[name])

    return update


def adamw(config: OptimizerConfig) -> Callable[..., Array]:
    state: dict[str, tuple[Any, Any]] = {}

    def update(name: str, weight: Array, grad: Array, rate: float, t: int) -> Array:
        first, second = state.get(name, (0.0, 0.0))
        first = config.momentum * first + (1 - config.momentum) * grad
        second = config.beta_2 * second + (1 - config.beta_2) * grad**2
        state[name] = (first, second)
        if name == "kernel":
            weight = weight - rate * config.weight_decay * weight
        scale = np.sqrt(1 - config.beta_2 ** (t + 1)) / (1 - config.momentum ** (t + 1))
        return np.asarray(
            weight - rate * scale * first / (np.sqrt(second) + config.epsilon)
        )

    return update


REFERENCES = {"rmsprop": rmsprop, "sgd": momentum, "adamw": adamw}


def run_reference(config: OptimizerConfig) -> tuple[dict[str, Array], dict[str, Array]]:
    weights, update = initial_weights(), REFERENCES[config.kind](config)
    average = dict(weights)
    for step in range(STEPS):
        for name, grad in gradients(step).items():
            coupled = config.kind != "adamw" and name == "kernel"
            total = grad + config.weight_decay * weights[name] * coupled
            weights[name] = update(name, weights[name], total, RATES[step], step)
        decay = min(0.9999, (1 + step) / (10 + step))
        average = {
            name: decay * average[name] + (1 - decay) * weights[name]
            for name in weights
        }
    return weights, average


def run_ours(config: OptimizerConfig) -> tuple[dict[str, Array], dict[str, Array]]:
    variables = [
        keras.Variable(value, dtype="float32", name=name)
        for name, value in initial_weights().items()
    ]
    model = SimpleNamespace(weights=variables)
    average = SimpleNamespace(weights=[keras.Variable(v) for v in variables])
    optimizer = make_optimizer(config, variables)

    @tf.function
    def step(grads: list[Any], rate: Any, count: Any, ema_weight: Any) -> None:
        with tf.GradientTape() as tape:
            products = [
                tf.reduce_sum(v * g) for v, g in zip(variables, grads, strict=True)
            ]
            loss = tf.add_n(products) + l2_penalty(config, variables)
        found = tape.gradient(loss, [v.value for v in variables])
        optimizer.apply(found, rate, count)
        update_average(average, model, ema_weight)

    for count in range(STEPS):
        grads = [tf.constant(g, tf.float32) for g in gradients(count).values()]
        weight = tf.constant(1 - ema_decay(0.9999, count), tf.float32)
        step(grads, tf.constant(RATES[count]), tf.constant(float(count)), weight)
    return (
        {v.name: np.asarray(v.numpy(), np.float64) for v in variables},
        {
            v.name: np.asarray(a.numpy(), np.float64)
            for v, a in zip(variables, average.weights, strict=True)
        },
    )


@pytest.mark.parametrize("kind", ["rmsprop", "sgd", "adamw"])
def test_fifty_steps_agree_with_numpy(kind: Any) -> None:
    epsilon = 1e-7 if kind == "adamw" else 1e-3
    config = OptimizerConfig(kind=kind, epsilon=epsilon, weight_decay=0.01)
    weights, average = run_reference(config)
    our_weights, our_average = run_ours(config)
    for name, value in weights.items():
        # Relative to the size of the weights, which float32 knows to 6e-8.
        scale = np.abs(value).max()
        assert our_weights[name] / scale == pytest.approx(value / scale, abs=1e-6)
        assert our_average[name] / scale == pytest.approx(
            average[name] / scale, abs=1e-6
        )
    assert not np.allclose(weights["kernel"], average["kernel"], atol=1e-3)


@pytest.mark.parametrize(("gradient", "update"), [(1.0, 0.9995004), (0.0, 0.0)])
def test_first_rmsprop_step(gradient: float, update: float) -> None:
    variable = keras.Variable(np.zeros(1), dtype="float32", name="kernel")
    optimizer = make_optimizer(OptimizerConfig(), [variable])
    optimizer.apply([tf.constant([gradient])], tf.constant(1.0), tf.constant(0.0))
    assert -variable.numpy()[0] == pytest.approx(update, abs=1e-6)


def test_l2_penalty_of_a_kernel_of_ones() -> None:
    kernel = keras.Variable(np.ones(100), dtype="float32", name="kernel")
    rest = [
        keras.Variable(np.ones(100), dtype="float32", name=name)
        for name in ("bias", "gamma", "beta")
    ]
    config = OptimizerConfig(weight_decay=1e-5)
    assert float(l2_penalty(config, [kernel, *rest])) == pytest.approx(5e-4, rel=1e-7)
    assert float(l2_penalty(config, rest)) == 0.0


def test_adamw_has_no_loss_term() -> None:
    kernel = keras.Variable(np.ones(100), dtype="float32", name="kernel")
    config = OptimizerConfig(kind="adamw", weight_decay=0.1)
    assert float(l2_penalty(config, [kernel])) == 0.0


def test_what_weight_decay_excludes() -> None:
    from model_code.config.model import ModelConfig
    from model_code.model.efficientnet import build_model

    model = build_model(ModelConfig(variant="tiny"), 3, seed=1)
    decayed = {v.name for v in model.trainable_variables if is_decayed(v)}
    spared = {v.name for v in model.trainable_variables if not is_decayed(v)}
    assert decayed == {"kernel"}
    assert spared == {"bias", "gamma", "beta"}


def test_clipping_bounds_the_norm_of_all_gradients_together() -> None:
    grads = [tf.constant([3.0, 0.0]), tf.constant([4.0])]
    clipped = clip(OptimizerConfig(clip_norm=1.0), grads)
    assert [g.numpy().tolist() for g in clipped] == [
        pytest.approx([0.6, 0.0]),
        pytest.approx([0.8]),
    ]
    assert clip(OptimizerConfig(clip_norm=5.1), grads)[1].numpy() == pytest.approx(
        [4.0]
    )
    assert clip(OptimizerConfig(), grads) is grads


def test_an_average_starts_as_a_copy() -> None:
    source = SimpleNamespace(weights=[keras.Variable([1.0, 2.0])])
    target = SimpleNamespace(weights=[keras.Variable([0.0, 0.0])])
    copy_weights(target, source)
    assert target.weights[0].numpy().tolist() == [1.0, 2.0]
