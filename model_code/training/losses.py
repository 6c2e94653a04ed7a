"""Loss of each example over the classes, and whether its answer was right."""

from typing import Any

import tensorflow as tf

from model_code.config.training import LossConfig


def example_losses(config: LossConfig, labels: Any, logits: Any) -> Any:
    """Loss of each example, float32 [B], from labels and logits [B, C].

    `softmax` takes rows that sum to 1: one-hot, mixed, or multi-hot divided by
    its sum as for ImageNet-21k (check 61). `sigmoid` asks of every class whether
    it is there, so its rows hold 0 to 1 per class, and averages over classes.
    """
    logits = tf.cast(logits, tf.float32)
    targets = smooth(config, labels)
    if config.kind == "sigmoid":
        losses = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
        return tf.reduce_mean(losses, axis=-1)
    return tf.nn.softmax_cross_entropy_with_logits(targets, logits)


def smooth(config: LossConfig, labels: Any) -> Any:
    """Labels [B, C], the configured share of them moved to "do not know".

    That is the uniform distribution for `softmax` (check 33: 0.1 over 1000
    classes gives .9001 and .0001), and one half per class for `sigmoid`.
    """
    share = config.label_smoothing
    unknown = 0.5 if config.kind == "sigmoid" else 1.0 / labels.shape[-1]
    return labels * (1.0 - share) + share * unknown


def is_right(labels: Any, logits: Any, k: int) -> Any:
    """Whether a true class is among the k largest logits, float32 [B].

    A row may have several true classes (labels above zero): any of them counts.
    """
    _, guesses = tf.math.top_k(tf.cast(logits, tf.float32), k)
    hits = tf.gather(labels, guesses, batch_dims=1) > 0.0
    return tf.cast(tf.reduce_any(hits, axis=-1), tf.float32)
