"""Moving average of the weights, kept in a second model.

The average lives in the variables of a twin of the trained model, so it is
evaluated and exported as it is: nothing is swapped in and out, and training
weights are never at risk.
"""

from typing import Any


def update_average(average: Any, model: Any, weight: Any) -> None:
    """Move each weight of the Keras model `average` towards that of `model`.

    `weight` is 1 - decay, a float32 scalar: computed in double precision, since
    float32 knows 1 - 0.9999 to three digits only. Batch-norm moments are
    averaged like trainable weights (released code, facts 3.1).
    """
    for target, source in zip(average.weights, model.weights, strict=True):
        target.value.assign_sub((target.value - source.value) * weight)


def copy_weights(target: Any, source: Any) -> None:
    """Give one Keras model the weights of another with the same variables."""
    for to, value in zip(target.weights, source.weights, strict=True):
        to.assign(value)
