"""Everything that changes while a network trains, by name."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model_code.config.model import ModelConfig
from model_code.config.training import TrainConfig
from model_code.errors import TrainingError
from model_code.model.efficientnet import build_model
from model_code.training.loss_scale import LossScale
from model_code.training.optimizer import Optimizer
from model_code.training.packing import PackedWeights, concatenated, scatter


class TrainingState:
    """The network, its packed weights, their moving average, the optimizer.

    The average covers trainable weights and batch-norm moments (released code,
    facts 3.1) and is None where the recipe has no EMA. The step is not among
    the variables: the loop counts it and hands it to the compiled step.
    """

    def __init__(
        self, train: TrainConfig, config: ModelConfig, class_count: int
    ) -> None:
        """A new state from the recipe's seed; call in a strategy's scope."""
        self.model = _build(train, config, class_count)
        self.weights = PackedWeights(self.model.trainable_variables)
        self.moments = self.model.non_trainable_weights
        self.optimizer = Optimizer(train.optimizer, self.weights)
        float16 = train.distribution.precision == "mixed_float16"
        self.loss_scale = LossScale() if float16 else None
        self.average: list[Any] | None = None
        if train.ema_decay is not None:
            self.average = [
                tf.Variable(each, trainable=False) for each in self._averaged_now()
            ]

    def update_average(self, share: Any) -> None:
        """Move the average by `share` = 1 - decay of the way to the weights.

        The share is computed in double precision: float32 knows 1 - 0.9999 to
        three digits only.
        """
        if self.average is not None:
            for average, value in zip(self.average, self._averaged_now(), strict=True):
                average.assign_sub((average - value) * share)

    @contextmanager
    def averaged(self) -> Iterator[keras.Model]:
        """The network with the weights to evaluate and export, for a while."""
        if self.average is None:
            yield self.model
            return
        moments = concatenated(self.moments)
        for variables, vector in zip(
            [*self.weights.groups, self.moments], self.average, strict=True
        ):
            scatter(vector, variables)
        try:
            yield self.model
        finally:
            self.weights.unpack()
            scatter(moments, self.moments)

    def load(self) -> None:
        """Start from weights that were loaded into the network."""
        self.weights.repack()
        if self.average is not None:
            for average, value in zip(self.average, self._averaged_now(), strict=True):
                average.assign(value)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """A copy of every variable, on the host."""
        return {name: np.array(v.numpy()) for name, v in self._variables().items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over a snapshot, all of it or nothing.

        Raises:
            TrainingError: the snapshot is of another network or optimizer.
        """
        variables = self._variables()
        if {name: tuple(each.shape) for name, each in variables.items()} != {
            name: array.shape for name, array in arrays.items()
        }:
            raise TrainingError(
                f"The checkpoint holds {len(arrays)} variables, this run has "
                f"{len(variables)}, or their shapes differ: it belongs to another "
                "network or optimizer. Use another workdir, or delete this one."
            )
        for name, variable in variables.items():
            variable.assign(arrays[name])
        self.weights.unpack()

    def _averaged_now(self) -> list[Any]:
        return [*self.weights.vectors, concatenated(self.moments)]

    def _variables(self) -> dict[str, Any]:
        """All variables but the network's trainable ones, which are packed."""
        named = {
            f"model/{each.path}": each for each in self.model.non_trainable_variables
        }
        named |= _numbered("weights", self.weights.vectors)
        named |= _numbered("average", self.average or ())
        for slot, vectors in self.optimizer.slots.items():
            named |= _numbered(f"optimizer/{slot}", vectors)
        if self.loss_scale is not None:
            scale = self.loss_scale
            named |= _numbered("loss_scale", [scale.scale, scale.good_steps])
        return named


def _build(train: TrainConfig, config: ModelConfig, class_count: int) -> keras.Model:
    if train.drop_path_rate is not None:
        config = replace(config, drop_path_rate=train.drop_path_rate)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(train.distribution.precision)
    try:
        return build_model(
            config,
            class_count,
            seed=train.seed,
            synchronize_batch_norm=train.distribution.synchronize_batch_norm,
        )
    finally:
        keras.config.set_dtype_policy(before)


def _numbered(prefix: str, variables: Sequence[Any]) -> dict[str, Any]:
    return {f"{prefix}/{index:04d}": each for index, each in enumerate(variables)}
