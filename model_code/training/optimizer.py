"""Update rules with TensorFlow-1 semantics: RMSProp, SGD with momentum, AdamW.

Each variable is updated by TensorFlow's own fused training kernel: the one the
released code ran on, and 1.5 times faster on a CPU than the same arithmetic
from single operations (B0: 33 against 51 ms a step on two loaded cores; one
flat vector for all variables would save another 5 ms and cost the simplicity).

An optimizer updates the variables of the replica that calls it. Gradients are
summed over the replicas before, so every replica makes the same update and the
copies stay equal bit for bit.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import tensorflow as tf

from model_code.config.training import OptimizerConfig

NOT_DECAYED = frozenset({"bias", "gamma", "beta"})
"""Variables that weight decay leaves alone (released code, facts 3.1)."""


class Optimizer(ABC):
    """One update rule and its slots: state per variable, saved in checkpoints."""

    initial_slots: ClassVar[Mapping[str, float]]

    def __init__(self, config: OptimizerConfig, variables: Sequence[Any]) -> None:
        """Create the slots; `variables` are Keras variables."""
        self.config = config
        self.variables = variables
        self.slots: dict[str, list[Any]] = {
            name: [
                tf.Variable(tf.fill(v.shape, value), trainable=False) for v in variables
            ]
            for name, value in self.initial_slots.items()
        }

    def apply(self, gradients: Sequence[Any], learning_rate: Any, step: Any) -> None:
        """Make one update; `step` counts the updates made before, a float32."""
        for index, (variable, gradient) in enumerate(
            zip(self.variables, gradients, strict=True)
        ):
            slots = [self.slots[name][index].handle for name in self.initial_slots]
            self._update(variable, slots, gradient, learning_rate, step)

    @abstractmethod
    def _update(
        self, variable: Any, slots: list[Any], gradient: Any, rate: Any, step: Any
    ) -> None:
        """Update one variable and its slots in place."""


class RMSProp(Optimizer):
    """RMSProp with momentum as TensorFlow 1 has it (facts 3.1, check 30).

    The square average starts at 1, epsilon is inside the root and the learning
    rate inside the momentum buffer.
    """

    initial_slots: ClassVar = {"square_average": 1.0, "momentum": 0.0}

    def _update(
        self, variable: Any, slots: list[Any], gradient: Any, rate: Any, step: Any
    ) -> None:
        del step
        tf.raw_ops.ResourceApplyRMSProp(
            var=variable.handle,
            ms=slots[0],
            mom=slots[1],
            lr=rate,
            rho=self.config.decay,
            momentum=self.config.momentum,
            epsilon=self.config.epsilon,
            grad=gradient,
        )


class Momentum(Optimizer):
    """SGD with momentum; the learning rate is outside the momentum buffer."""

    initial_slots: ClassVar = {"momentum": 0.0}

    def _update(
        self, variable: Any, slots: list[Any], gradient: Any, rate: Any, step: Any
    ) -> None:
        del step
        tf.raw_ops.ResourceApplyMomentum(
            var=variable.handle,
            accum=slots[0],
            lr=rate,
            grad=gradient,
            momentum=self.config.momentum,
        )


class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019, Algorithm 2).

    `momentum` is beta 1. As in TensorFlow, epsilon is added to the root of the
    biased second moment ("epsilon hat", Kingma & Ba 2015, Section 2).
    """

    initial_slots: ClassVar = {"first_moment": 0.0, "second_moment": 0.0}

    def _update(
        self, variable: Any, slots: list[Any], gradient: Any, rate: Any, step: Any
    ) -> None:
        config = self.config
        if config.weight_decay and is_decayed(variable):
            variable.assign(variable * (1.0 - rate * config.weight_decay))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
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


_RULES: Mapping[str, type[Optimizer]] = {
    "rmsprop": RMSProp,
    "sgd": Momentum,
    "adamw": AdamW,
}


def make_optimizer(config: OptimizerConfig, variables: Sequence[Any]) -> Optimizer:
    """The configured update rule over trainable Keras variables."""
    return _RULES[config.kind](config, variables)


def is_decayed(variable: Any) -> bool:
    """Whether weight decay applies to this Keras variable."""
    return variable.name not in NOT_DECAYED


def l2_penalty(config: OptimizerConfig, variables: Sequence[Any]) -> Any:
    """Weight decay as a loss term, weight_decay * 0.5 * sum(w^2), a scalar.

    Zero for AdamW, which decays the weights and not the loss.
    """
    decayed = [variable.value for variable in variables if is_decayed(variable)]
    if config.kind == "adamw" or not config.weight_decay or not decayed:
        return tf.zeros([])
    return config.weight_decay * tf.add_n([tf.nn.l2_loss(value) for value in decayed])


def clip(config: OptimizerConfig, gradients: Sequence[Any]) -> Sequence[Any]:
    """Gradients scaled down together to a global norm of `clip_norm` at most."""
    if config.clip_norm is None:
        return gradients
    clipped, _ = tf.clip_by_global_norm(gradients, config.clip_norm)
    return clipped
