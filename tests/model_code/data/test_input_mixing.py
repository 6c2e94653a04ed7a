"""Mixup and CutMix (facts, checks 45 to 47)."""

import numpy as np
import pytest
import tensorflow as tf

from model_code.data.augment import mixing
from model_code.data.augment.seeds import Stream, beta, position_seed
from tests.helpers.eager import both_ways

BATCH, SIZE, CLASSES = 8, 12, 5
IMAGES = np.random.default_rng(0).integers(0, 256, (BATCH, SIZE, SIZE, 3), np.uint8)
LABELS = np.eye(CLASSES, dtype=np.float32)[np.arange(BATCH) % CLASSES]


def _seed(step):
    return position_seed(1, Stream.MIX, tf.constant(step))


def _mix(step=0, images=IMAGES, labels=LABELS, **alphas):
    mixed = mixing.mix(tf.constant(images), tf.constant(labels), _seed(step), **alphas)
    return mixed[0].numpy(), mixed[1].numpy()


def test_alpha_zero_is_identity():
    images, labels = _mix(mixup_alpha=0.0, cutmix_alpha=0.0)
    assert images.dtype == np.float32
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize("alpha", [0.0667, 0.2, 0.5, 1.0])
def test_mixup_weights_keep_at_least_half(alpha):
    weights = mixing.mixup_weights(_seed(0), 10_000, alpha).numpy()
    assert weights.min() >= 0.5
    assert weights.max() <= 1.0


def test_mixup_weights_are_numbers_where_float32_gammas_underflow():
    weights = beta(_seed(0), 300_000, 0.0667).numpy()
    assert np.isfinite(weights).all()


def test_mixup_blends_with_the_reversed_batch():
    images, labels = _mix(mixup_alpha=0.4, cutmix_alpha=0.0)
    weight = mixing.mixup_weights(_seed(0), BATCH, 0.4).numpy()
    column = weight[:, None]
    np.testing.assert_allclose(
        labels, column * LABELS + (1 - column) * LABELS[::-1], atol=1e-6
    )
    pixel = column[..., None, None]
    expected = pixel * IMAGES + (1 - pixel) * IMAGES[::-1].astype(np.float32)
    np.testing.assert_allclose(images, expected, atol=1e-4)
    np.testing.assert_allclose(labels.sum(1), 1.0, atol=1e-6)


@pytest.mark.parametrize("step", range(5))
def test_cutmix_labels_are_the_pasted_area(step):
    # Black pictures with white partners: the mean says how much was pasted.
    images = np.repeat(np.array([0, 255], np.uint8), BATCH // 2)
    images = np.broadcast_to(images[:, None, None, None], IMAGES.shape).copy()
    labels = np.eye(2, dtype=np.float32)[np.repeat([0, 1], BATCH // 2)]
    mixed, mixed_labels = _mix(step, images, labels, mixup_alpha=0.0, cutmix_alpha=1.0)
    assert set(np.unique(mixed)) <= {0.0, 255.0}
    np.testing.assert_allclose(
        mixed_labels[:, 1], mixed.mean((1, 2, 3)) / 255, atol=1e-6
    )
    np.testing.assert_allclose(mixed_labels.sum(1), 1.0, atol=1e-6)


def test_cutmix_pastes_one_box_of_the_partner():
    mixed, _ = _mix(3, mixup_alpha=0.0, cutmix_alpha=1.0)
    boxes = mixing.cutmix_boxes(_seed(3), BATCH, SIZE, 1.0).numpy()
    expected = IMAGES.copy()
    for number, (top, bottom, left, right) in enumerate(boxes.T):
        partner = IMAGES[BATCH - 1 - number]
        expected[number, top:bottom, left:right] = partner[top:bottom, left:right]
    np.testing.assert_array_equal(mixed, expected)


def test_the_mean_area_of_an_unclipped_box_is_one_half():
    share = 1.0 - beta(_seed(0), 100_000, 0.4).numpy()
    assert share.mean() == pytest.approx(0.5, rel=0.01)
    size = 10_000
    boxes = mixing.cutmix_boxes(_seed(0), 20_000, size, 0.4).numpy()
    inside = ((boxes > 0) & (boxes < size)).all(0)
    side = (boxes[1] - boxes[0]) / size
    expected = np.sqrt(1.0 - beta(_seed(0), 20_000, 0.4).numpy())
    np.testing.assert_allclose(side[inside], expected[inside], atol=3e-4)


def test_both_mix_the_first_half_and_cut_the_second():
    images, labels = _mix(mixup_alpha=0.3, cutmix_alpha=0.7)
    half = BATCH // 2
    first = mixing.mixup(IMAGES[:half], LABELS[:half], _seed(0), 0.3)
    second = mixing.cutmix(
        tf.constant(IMAGES[half:]), tf.constant(LABELS[half:]), _seed(0), 0.7
    )
    np.testing.assert_allclose(images[:half], first[0], atol=1e-4)
    np.testing.assert_array_equal(images[half:], second[0])
    np.testing.assert_allclose(labels, np.concatenate([first[1], second[1]]), atol=1e-6)


@pytest.mark.parametrize("alphas", [(0.2, 0.0), (0.0, 0.2), (0.2, 0.2)])
def test_eagerly_and_in_a_graph(alphas):
    def mixed(images, labels):
        seed = _seed(2)
        pair = mixing.mix(
            images, labels, seed, mixup_alpha=alphas[0], cutmix_alpha=alphas[1]
        )
        return pair[0]

    assert both_ways(mixed, IMAGES, LABELS).shape == IMAGES.shape
