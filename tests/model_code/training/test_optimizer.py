"""Update rules and weight decay against an independent NumPy program."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from model_code.config.training import OptimizerConfig
from model_code.training.optimizer import Optimizer, clip
from model_code.training.packing import PackedWeights

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


def run_reference(config: OptimizerConfig) -> dict[str, Array]:
    weights, update = initial_weights(), REFERENCES[config.kind](config)
    for step in range(STEPS):
        for name, grad in gradients(step).items():
            coupled = config.kind != "adamw" and name == "kernel"
            total = grad + config.weight_decay * weights[name] * coupled
            weights[name] = update(name, weights[name], total, RATES[step], step)
    return weights


def packed(**values: Any) -> PackedWeights:
    return PackedWeights(
        [
            keras.Variable(value, dtype="float32", name=name)
            for name, value in values.items()
        ]
    )


def run_ours(config: OptimizerConfig) -> dict[str, Array]:
    weights = packed(**initial_weights())
    optimizer = Optimizer(config, weights)

    @tf.function
    def step(grads: list[list[Any]], rate: Any, count: Any) -> None:
        optimizer.apply(weights.pack(grads), rate, count)

    for count in range(STEPS):
        found = gradients(count)
        grads = [
            [tf.constant(found[variable.name], tf.float32) for variable in group]
            for group in weights.groups
        ]
        step(grads, tf.constant(RATES[count]), tf.constant(float(count)))
    return {
        variable.name: np.asarray(variable.numpy(), np.float64)
        for group in weights.groups
        for variable in group
    }


@pytest.mark.parametrize("kind", ["rmsprop", "sgd", "adamw"])
def test_fifty_steps_agree_with_numpy(kind: Any) -> None:
    epsilon = 1e-7 if kind == "adamw" else 1e-3
    config = OptimizerConfig(kind=kind, epsilon=epsilon, weight_decay=0.01)
    ours = run_ours(config)
    for name, value in run_reference(config).items():
        # Relative to the size of the weights, which float32 knows to 6e-8.
        scale = np.abs(value).max()
        assert ours[name] / scale == pytest.approx(value / scale, abs=1e-6)


@pytest.mark.parametrize(("gradient", "update"), [(1.0, 0.9995004), (0.0, 0.0)])
def test_first_rmsprop_step(gradient: float, update: float) -> None:
    weights = packed(gamma=np.zeros(1))
    optimizer = Optimizer(OptimizerConfig(), weights)
    optimizer.apply([tf.constant([gradient])], tf.constant(1.0), tf.constant(0.0))
    assert -weights.vectors[0].numpy()[0] == pytest.approx(update, abs=1e-6)


def test_weight_decay_is_the_gradient_of_its_loss_term() -> None:
    """1e-5 * 0.5 * sum(w^2) of a kernel of ones; SGD at rate 1 shows its gradient."""
    weights = packed(kernel=np.ones(100), bias=np.ones(1), gamma=np.ones(1), beta=[1.0])
    config = OptimizerConfig(kind="sgd", weight_decay=1e-5)
    zeros = [tf.zeros(vector.shape) for vector in weights.vectors]
    Optimizer(config, weights).apply(zeros, tf.constant(1.0), tf.constant(0.0))
    kernel, rest = (1.0 - vector.numpy() for vector in weights.vectors)
    assert kernel == pytest.approx(np.full(100, 1e-5), rel=0.01)
    assert rest.tolist() == [0.0, 0.0, 0.0]


def test_adamw_shrinks_weights_and_leaves_gradients_alone() -> None:
    weights = packed(kernel=np.ones(4), gamma=np.ones(4))
    optimizer = Optimizer(OptimizerConfig(kind="adamw", weight_decay=0.1), weights)
    zeros = [tf.zeros(4), tf.zeros(4)]
    optimizer.apply(zeros, tf.constant(0.5), tf.constant(0.0))
    assert weights.vectors[0].numpy() == pytest.approx(np.full(4, 0.95))
    assert weights.vectors[1].numpy().tolist() == [1.0] * 4
    assert not optimizer.slots["first_moment"][0].numpy().any()


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
