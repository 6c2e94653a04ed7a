"""Records to tensors: the features of `records.py`, read inside TensorFlow."""

from typing import Any

import tensorflow as tf

from model_code.data import records
from model_code.data.augment.seeds import Tensor

_TEXT = tf.io.FixedLenFeature([], tf.string)
_NUMBER = tf.io.FixedLenFeature([], tf.float32)
_LABELS = tf.io.RaggedFeature(tf.int64)


def parse_for_training(record: Tensor) -> tuple[Tensor, Tensor]:
    """Encoded image, string []; class ids, int64 [labels]."""
    features = tf.io.parse_single_example(
        record, {records.ENCODED: _TEXT, records.LABEL: _LABELS}
    )
    return features[records.ENCODED], features[records.LABEL]


def parse_for_evaluation(
    record: Tensor, slices: tuple[str, ...], meta: tuple[str, ...]
) -> dict[str, Any]:
    """The features that an evaluation needs, under their names in the record."""
    features: dict[str, Any] = {
        records.ENCODED: _TEXT,
        records.FILENAME: _TEXT,
        records.LABEL: _LABELS,
    }
    features |= {records.SLICE + name: _TEXT for name in slices}
    features |= {records.META + name: _NUMBER for name in meta}
    parsed: dict[str, Any] = tf.io.parse_single_example(record, features)
    return parsed


def label_row(ids: Tensor, classes: int, *, normalise: bool) -> Tensor:
    """float32 [classes]: 1 for each label, divided by their number for softmax.

    One label gives a one-hot row. No label at all, which a multi-label dataset
    may hold, gives zeros (ImageNet-21k: facts 3.4, check 61).
    """
    row = tf.minimum(tf.reduce_sum(tf.one_hot(ids, classes), 0), 1.0)
    if not normalise:
        return row
    return row / tf.maximum(tf.reduce_sum(row), 1.0)
