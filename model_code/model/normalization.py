"""Batch normalisation with TensorFlow's fused kernel.

Keras 3 computes moments and scaling as separate operations on TensorFlow. The
fused kernel gives the same numbers in fewer passes over the activations (see
docs/benchmarks.md, "Model step throughput"). Elsewhere Keras's own code runs.
"""

from typing import Any

import keras
from keras import ops

# Below this the fused kernel silently uses another epsilon (cuDNN's minimum).
_SMALLEST_FUSED_EPSILON = 1.001e-5


@keras.saving.register_keras_serializable("effnetv2")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer, same weights and same results, faster on TensorFlow.

    `momentum` is the decay of the moving statistics: 0.9 in the released code
    keeps 90 % of the old value each step.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise [B, H, W, C]; in training also move the statistics."""
        if not self._can_fuse(inputs, mask):
            return super().call(inputs, training=training, mask=mask)
        if training and self.trainable:
            return self._normalize_by_batch(inputs)
        return _fused(
            inputs,
            self,
            is_training=False,
            mean=ops.convert_to_tensor(self.moving_mean),
            variance=ops.convert_to_tensor(self.moving_variance),
        )[0]

    def _can_fuse(self, inputs: Any, mask: Any) -> bool:
        rank = len(inputs.shape)
        return (
            keras.backend.backend() == "tensorflow"
            and mask is None
            and rank == 4
            and self.axis in {-1, 3}
            and not self.synchronized
            and not self.renorm
            and self.scale
            and self.center
            and self.epsilon > _SMALLEST_FUSED_EPSILON
        )

    def _normalize_by_batch(self, inputs: Any) -> Any:
        outputs, mean, variance = _fused(inputs, self, is_training=True)
        # The kernel returns the unbiased variance; Keras, and the released code
        # on TPUs, keep the biased one: undo Bessel's correction.
        shape = ops.shape(inputs)
        count = ops.cast(shape[0] * shape[1] * shape[2], variance.dtype)
        variance = variance * ((count - 1.0) / count)
        for moving, batch in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))
        return outputs


def _fused(
    inputs: Any, layer: keras.layers.BatchNormalization, **kwargs: Any
) -> tuple[Any, Any, Any]:
    import tensorflow as tf

    return tf.compat.v1.nn.fused_batch_norm(
        inputs,
        ops.convert_to_tensor(layer.gamma),
        ops.convert_to_tensor(layer.beta),
        epsilon=layer.epsilon,
        **kwargs,
    )
