"""Update rules with TensorFlow-1 semantics: RMSProp, SGD with momentum, AdamW.

Each vector of weights is updated by TensorFlow's own fused training kernel, the
one that the released code ran on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from model_code.config.training import OptimizerConfig
from model_code.training.packing import PackedWeights


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One update rule.

    Attributes:
        slots: initial value of each vector of state, by name.
        update: changes a vector of weights and its slots in place.
        decoupled: weight decay shrinks the weights instead of being in the loss.
    """

    slots: Mapping[str, float]
    update: Callable[..., None]
    decoupled: bool = False


class Optimizer:
    """A rule, and its slots for every vector of packed weights.

    It updates the weights of the replica that calls it. Gradients are summed
    over the replicas before, so every replica makes the same update and the
    copies stay equal bit for bit.
    """

    def __init__(self, config: OptimizerConfig, weights: PackedWeights) -> None:
        """Create the slots; call in a strategy's scope."""
        self.config = config
        self.weights = weights
        self.slots: dict[str, list[Any]] = {
            name: [
                tf.Variable(tf.fill(vector.shape, value), trainable=False)
                for vector in weights.vectors
            ]
            for name, value in RULES[config.kind].slots.items()
        }

    def apply(self, gradients: Sequence[Any], rate: Any, step: Any) -> None:
        """Make one update of the packed weights and of the network.

        Args:
            gradients: One vector for each vector of weights.
            rate: Learning rate, float32.
            step: Updates made before, float32.
        """
        rule = RULES[self.config.kind]
        for index, (vector, gradient) in enumerate(
            zip(self.weights.vectors, gradients, strict=True)
        ):
            decay = self.config.weight_decay * self.weights.decayed[index]
            total = gradient
            if decay and rule.decoupled:
                vector.assign(vector * (1.0 - rate * decay))
            elif decay:
                # The gradient of decay * 0.5 * sum(w^2) in the loss (check 32).
                total = gradient + decay * vector
            handles = [self.slots[name][index].handle for name in rule.slots]
            rule.update(self.config, vector, handles, total, rate=rate, step=step)
        self.weights.unpack()


def clip(config: OptimizerConfig, gradients: Sequence[Any]) -> Sequence[Any]:
    """Gradients scaled down together to a global norm of `clip_norm` at most."""
    if config.clip_norm is None:
        return gradients
    clipped: Sequence[Any] = tf.clip_by_global_norm(gradients, config.clip_norm)[0]
    return clipped


def _rmsprop(
    config: OptimizerConfig,
    vector: Any,
    slots: Sequence[Any],
    gradient: Any,
    *,
    rate: Any,
    step: Any,
) -> None:
    """As TensorFlow 1 has it (facts 3.1, check 30).

    The square average starts at 1, epsilon is inside the root and the learning
    rate inside the momentum buffer.
    """
    del step
    tf.raw_ops.ResourceApplyRMSProp(
        var=vector.handle,
        ms=slots[0],
        mom=slots[1],
        lr=rate,
        rho=config.decay,
        momentum=config.momentum,
        epsilon=config.epsilon,
        grad=gradient,
    )


def _momentum(
    config: OptimizerConfig,
    vector: Any,
    slots: Sequence[Any],
    gradient: Any,
    *,
    rate: Any,
    step: Any,
) -> None:
    """SGD with momentum; the learning rate is outside the momentum buffer."""
    del step
    tf.raw_ops.ResourceApplyMomentum(
        var=vector.handle,
        accum=slots[0],
        lr=rate,
        grad=gradient,
        momentum=config.momentum,
    )


def _adam(
    config: OptimizerConfig,
    vector: Any,
    slots: Sequence[Any],
    gradient: Any,
    *,
    rate: Any,
    step: Any,
) -> None:
    """Adam; with decoupled decay it is AdamW (Loshchilov & Hutter 2019).

    `momentum` is beta 1. As in TensorFlow, epsilon is added to the root of the
    biased second moment ("epsilon hat", Kingma & Ba 2015, Section 2).
    """
    tf.raw_ops.ResourceApplyAdam(
        var=vector.handle,
        m=slots[0],
        v=slots[1],
        beta1_power=tf.pow(config.momentum, step + 1.0),
        beta2_power=tf.pow(config.beta_2, step + 1.0),
        lr=rate,
        beta1=config.momentum,
        beta2=config.beta_2,
        epsilon=config.epsilon,
        grad=gradient,
    )


RULES: Mapping[str, Rule] = {
    "rmsprop": Rule(slots={"square_average": 1.0, "momentum": 0.0}, update=_rmsprop),
    "sgd": Rule(slots={"momentum": 0.0}, update=_momentum),
    "adamw": Rule(
        slots={"first_moment": 0.0, "second_moment": 0.0}, update=_adam, decoupled=True
    ),
}
