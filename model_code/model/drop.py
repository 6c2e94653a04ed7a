"""Dropout and drop path whose rates can change without rebuilding the network.

Progressive learning raises the rate from stage to stage. A rate that is a
Python number is frozen into a traced function; here it is a variable, so that a
changed rate takes effect in functions that were traced before.

The rate is in `layer.variables` (state that a stateless backend must be given)
but not in `layer.weights`: neither parameter counts nor weights files know it.
So is the state of the layer's seed generator. Whoever resumes a run bit for bit
saves `model.variables`, not `model.weights`.
"""

from typing import Any

import keras
from keras import ops

from model_code.errors import ConfigError

# A prime: seeds of layers and replicas do not meet.
_SEEDS_APART = 1_000_003


class _Unweighted:
    """Holds a variable where Keras does not look for weights."""

    def __init__(self, value: float, name: str) -> None:
        self.variable = keras.Variable(
            value, dtype="float32", trainable=False, autocast=False, name=name
        )


class ReplicaSeedGenerator(keras.random.SeedGenerator):
    """Draws differently on each replica of a TensorFlow strategy.

    Keras mirrors the generator's state, so all replicas would drop the same
    positions of their slices. The first replica draws as one device would.
    """

    def next(self, ordered: bool = True) -> Any:
        """The seed of the next draw, two integers."""
        seed = super().next(ordered)
        if keras.backend.backend() != "tensorflow":
            return seed
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        if context is None:  # building the network inside a strategy's scope
            return seed
        replica = tf.cast(context.replica_id_in_sync_group, seed.dtype)
        return seed + tf.stack([replica * _SEEDS_APART, tf.zeros_like(replica)])


class _RandomDrop(keras.layers.Layer):
    """Zeroes entries of a mask with probability `rate`, rescales the rest.

    Subclasses state the mask's shape. Outside training it is the identity.
    """

    def __init__(self, rate: float, *, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self._rate = _Unweighted(_checked(rate), f"{self.name}_rate")
        self.seed_generator = ReplicaSeedGenerator(seed, name=f"{self.name}_seed")
        self.built = True

    @property
    def rate(self) -> float:
        """Probability of dropping, as it is now."""
        return float(self._rate.variable.numpy())

    @rate.setter
    def rate(self, rate: float) -> None:
        self._rate.variable.assign(_checked(rate))

    @property
    def variables(self) -> list[keras.Variable]:
        """Keras's list (here the seed generator's state) and the rate."""
        return [*super().variables, self._rate.variable]

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop at random in training, else nothing; shape and dtype stay."""
        if not training:
            return inputs
        survival = 1.0 - ops.convert_to_tensor(self._rate.variable)
        drawn = keras.random.uniform(
            self._mask_shape(inputs), dtype="float32", seed=self.seed_generator
        )
        kept = ops.floor(survival + drawn) / survival
        return inputs * ops.cast(kept, inputs.dtype)

    def _mask_shape(self, inputs: Any) -> tuple[Any, ...]:
        raise NotImplementedError

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """The input's."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the layer again, with its present rate."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


@keras.saving.register_keras_serializable("effnetv2")
class Dropout(_RandomDrop):
    """Drops single features, [B, C] to [B, C] (facts 1.4)."""

    def _mask_shape(self, inputs: Any) -> tuple[Any, ...]:
        return tuple(ops.shape(inputs))


@keras.saving.register_keras_serializable("effnetv2")
class DropPath(_RandomDrop):
    """Drops a whole residual branch, per example: stochastic depth.

    The output is divided by the survival probability in training, so that its
    expectation is its input (released code; facts 1.4).

    `share` is the block's part of the network's drop-path rate, block index
    over block count; `rate` is the layer's own, their product.
    """

    def __init__(self, rate: float, *, share: float, seed: int, **kwargs: Any) -> None:
        super().__init__(rate, seed=seed, **kwargs)
        self.share = share

    def _mask_shape(self, inputs: Any) -> tuple[Any, ...]:
        shape = ops.shape(inputs)
        return (shape[0], *(1 for _ in shape[1:]))

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the layer again, with its present rate."""
        return {**super().get_config(), "share": self.share}


def set_dropout_rate(model: keras.Model, rate: float) -> None:
    """Let the classifier's dropout use `rate` from the next step on.

    Raises:
        ConfigError: `rate` is not in [0, 1).
    """
    for layer in model.layers:
        if isinstance(layer, Dropout):
            layer.rate = rate


def set_drop_path_rate(model: keras.Model, rate: float) -> None:
    """Let each block use its share of `rate` from the next step on.

    Raises:
        ConfigError: `rate` is not in [0, 1).
    """
    for layer in model.layers:
        if isinstance(layer, DropPath):
            layer.rate = layer.share * _checked(rate)


def _checked(rate: float) -> float:
    if 0.0 <= rate < 1.0:
        return float(rate)
    raise ConfigError(
        f"A rate of dropping is {rate}; expected at least 0 and below 1, since "
        "dropping everything is not training."
    )
