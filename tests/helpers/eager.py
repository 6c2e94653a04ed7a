"""Running an operation eagerly and inside tf.data, which must agree."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


def both_ways(function: Callable[..., Any], *arguments: Any) -> np.ndarray:
    """What the function gives; fails where a tf.data graph gives anything else."""
    eager = function(*(tf.constant(each) for each in arguments))
    data = tf.data.Dataset.from_tensors(tuple(tf.constant(each) for each in arguments))
    (graph,) = list(data.map(function))
    np.testing.assert_array_equal(eager.numpy(), graph.numpy())
    return eager.numpy()
