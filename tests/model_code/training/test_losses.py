"""Losses against NumPy, and the published values of label smoothing."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from model_code.config.training import LossConfig
from model_code.training.losses import example_losses, is_right, smooth

LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 0.0, 30.0]], np.float32)
LABELS = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]], np.float32)


def softmax_losses(labels: NDArray[np.float32]) -> NDArray[np.float64]:
    logits = LOGITS.astype(np.float64)
    log_probabilities = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return np.asarray(-(labels * log_probabilities).sum(-1))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_softmax_loss(smoothing: float) -> None:
    config = LossConfig(label_smoothing=smoothing)
    expected = softmax_losses(LABELS * (1 - smoothing) + smoothing / 3)
    losses = example_losses(config, tf.constant(LABELS), tf.constant(LOGITS))
    assert losses.numpy() == pytest.approx(expected, rel=1e-6)


def test_sigmoid_loss_averages_over_classes() -> None:
    config = LossConfig(kind="sigmoid", label_smoothing=0.2)
    labels = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]], np.float32)
    targets = labels * 0.8 + 0.1
    logits = LOGITS.astype(np.float64)
    expected = (np.log1p(np.exp(logits)) - targets * logits).mean(-1)
    losses = example_losses(config, tf.constant(labels), tf.constant(LOGITS))
    assert losses.numpy() == pytest.approx(expected, rel=1e-5)


def test_losses_are_float32_from_bfloat16_logits() -> None:
    logits = tf.constant(LOGITS, tf.bfloat16)
    losses = example_losses(LossConfig(), tf.constant(LABELS), logits)
    assert losses.dtype == tf.float32


def test_label_smoothing_over_a_thousand_classes() -> None:
    smoothed = smooth(LossConfig(label_smoothing=0.1), tf.one_hot([3], 1000)).numpy()
    assert smoothed[0, 3] == pytest.approx(0.9001, abs=1e-7)
    assert smoothed[0, 4] == pytest.approx(0.0001, abs=1e-9)
    assert smoothed.sum() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("k", "expected"), [(1, [0, 1]), (2, [1, 1])])
def test_an_answer_is_right_when_any_true_class_is_among_the_first(
    k: int, expected: list[int]
) -> None:
    labels = tf.constant([[0.0, 0.0, 1.0], [0.0, 0.5, 0.5]])
    assert is_right(labels, tf.constant(LOGITS), k).numpy().tolist() == expected
