"""Everything that changes while a network trains, by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from model_code.config.model import ModelConfig
from model_code.config.training import TrainConfig
from model_code.errors import TrainingError
from model_code.model.efficientnet import build_model
from model_code.training.ema import copy_weights
from model_code.training.optimizer import Optimizer, make_optimizer


@dataclass(frozen=True, kw_only=True)
class TrainingState:
    """The trained network, its moving average and the optimizer's slots.

    `average` is `model` itself where the recipe has no EMA. The step is not
    among the variables: the loop counts it and hands it to the compiled step.
    """

    model: keras.Model
    average: keras.Model
    optimizer: Optimizer

    def variables(self) -> dict[str, Any]:
        """All variables, those of the random generators included."""
        named = _numbered("model", self.model.variables)
        if self.average is not self.model:
            named |= _numbered("average", self.average.weights)
        for slot, variables in self.optimizer.slots.items():
            named |= _numbered(f"optimizer/{slot}", variables)
        return named

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """A copy of every variable, on the host."""
        return {name: np.array(v.numpy()) for name, v in self.variables().items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over a snapshot, all of it or nothing.

        Raises:
            TrainingError: the snapshot is of another network or optimizer.
        """
        variables = self.variables()
        if {name: tuple(v.shape) for name, v in variables.items()} != {
            name: array.shape for name, array in arrays.items()
        }:
            raise TrainingError(
                f"The checkpoint holds {len(arrays)} variables, this run has "
                f"{len(variables)}, or their shapes differ: it belongs to another "
                "network or optimizer. Use another workdir, or delete this one."
            )
        for name, variable in variables.items():
            variable.assign(arrays[name])


def build_state(
    train: TrainConfig, config: ModelConfig, class_count: int
) -> TrainingState:
    """A new state, initialised from the recipe's seed; call in a strategy's scope."""
    model = _build(train, config, class_count)
    average = model
    if train.ema_decay is not None:
        average = _build(train, config, class_count)
        copy_weights(average, model)
    optimizer = make_optimizer(train.optimizer, model.trainable_variables)
    return TrainingState(model=model, average=average, optimizer=optimizer)


def _build(train: TrainConfig, config: ModelConfig, class_count: int) -> keras.Model:
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
    """Names by position: Keras numbers its generators by what was built before."""
    return {f"{prefix}/{index:04d}": each for index, each in enumerate(variables)}
