"""Trainable variables as two vectors: what weight decay applies to, and the rest.

EfficientNetV2-B0 has 243 trainable variables, most of them tiny. Decay, clipping,
update and averaging would cost a dozen operations for each: half of the time to
trace and optimise a step, and 15 % of the time to run it (docs/benchmarks.md,
"Packed weights"). On vectors each is one operation, and summing gradients over
replicas is one exchange.

The vectors are the truth; the network's variables are refreshed from them after
each update.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

NOT_DECAYED = frozenset({"bias", "gamma", "beta"})
"""Variables that weight decay leaves alone (released code, facts 3.1)."""


class PackedWeights:
    """Trainable Keras variables of a network and their vectors.

    Attributes:
        groups: the network's variables, decayed ones first.
        vectors: float32 [n], one for each group that is not empty.
        decayed: of each vector, whether weight decay applies.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        """Pack Keras variables; call in a strategy's scope."""
        decayed = [each for each in variables if each.name not in NOT_DECAYED]
        spared = [each for each in variables if each.name in NOT_DECAYED]
        self.groups = [group for group in (decayed, spared) if group]
        self.decayed = [group is decayed for group in self.groups]
        self.vectors = [
            tf.Variable(concatenated(group), trainable=False) for group in self.groups
        ]

    def pack(self, gradients: Sequence[Sequence[Any]]) -> list[Any]:
        """Gradients, structured as `groups`, as one vector a group."""
        return [concatenated(group) for group in gradients]

    def unpack(self) -> None:
        """Refresh the network's variables from the vectors."""
        for group, vector in zip(self.groups, self.vectors, strict=True):
            scatter(vector, group)

    def repack(self) -> None:
        """Take over the network's variables, after weights were loaded into it."""
        for group, vector in zip(self.groups, self.vectors, strict=True):
            vector.assign(concatenated(group))


def concatenated(tensors: Sequence[Any]) -> Any:
    """All elements of all tensors, one after the other, [n]."""
    return tf.concat([tf.reshape(each, [-1]) for each in tensors], axis=0)


def scatter(vector: Any, variables: Sequence[Any]) -> None:
    """Assign the elements of a vector, in order, to variables of any shapes."""
    sizes = [each.shape.num_elements() for each in variables]
    parts = tf.split(vector, sizes)
    for variable, part in zip(variables, parts, strict=True):
        variable.value.assign(tf.reshape(part, variable.shape))
