"""Batches depend on the seed and the step, and on nothing else."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from model_code.config.training import (
    AugmentationConfig,
    LossConfig,
    ProgressiveConfig,
    Ramp,
    SizeRamp,
    TrainConfig,
)
from model_code.data import record_stream
from model_code.data.input_pipeline import evaluation_batches, training_batches
from model_code.errors import ConfigError, DataError
from model_code.training.progressive import plan_stages
from tests.helpers.datasets import examples, write_dataset

EXAMPLES = 22
BATCH = 4
PLAIN = AugmentationConfig(crop="resize", flip_horizontal=False, policy="none")
CROPPED = AugmentationConfig(policy="none")
HARD = AugmentationConfig(
    flip_vertical=True, rotate_90=True, policy="randaugment", cutout=True
)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    rows = examples(EXAMPLES)
    splits = {"train": rows, "validation": examples(5, prefix="v"), "test": rows[:7]}
    return write_dataset(tmp_path_factory.mktemp("data"), splits)


@pytest.fixture(params=["memory", "groups"])
def reading(request, monkeypatch):
    """Both ways to read: everything in memory, or groups of shards."""
    if request.param == "groups":
        monkeypatch.setattr(record_stream, "IN_MEMORY_BYTES", 0)
    return request.param


def _config(augmentation=PLAIN, **changes):
    progressive = ProgressiveConfig(
        stages=2,
        image_size=SizeRamp(start=16, end=24),
        randaugment_magnitude=Ramp(start=5.0, end=9.0),
        mixup_alpha=changes.pop("mixup_alpha", Ramp()),
        stage_batch_sizes=changes.pop("stage_batch_sizes", None),
    )
    settings = {
        "seed": 3,
        "epochs": 4.0,
        "global_batch_size": BATCH,
        "progressive": progressive,
        "augmentation": augmentation,
        "evaluation_image_size": 24,
        "shuffle_buffer": 16,
    }
    return TrainConfig(**settings | changes)


def _batches(manifest, config, stage=0, first_step=None, **arguments):
    chosen = plan_stages(config, EXAMPLES)[stage]
    first = chosen.first_step if first_step is None else first_step
    dataset = training_batches(manifest, chosen, config, first_step=first, **arguments)
    return list(dataset.as_numpy_iterator())


def _same(one, two):
    assert len(one) == len(two)
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left[0], right[0])
        np.testing.assert_array_equal(left[1], right[1])


def _pictures(batches):
    """A hashable thing for each picture."""
    return [image.tobytes() for images, _ in batches for image in images]


def test_shapes_are_static_and_pixels_are_0_to_255(manifest, reading):
    config = _config()
    for stage in plan_stages(config, EXAMPLES):
        dataset = training_batches(manifest, stage, config, first_step=stage.first_step)
        images, labels = dataset.element_spec
        assert images.shape == (BATCH, stage.image_size, stage.image_size, 3)
        assert images.dtype == tf.float32
        assert labels.shape == (BATCH, 3)
        first = next(iter(dataset))
        assert first[0].numpy().max() > 100
        assert first[0].numpy().min() >= 0
        np.testing.assert_array_equal(first[1].numpy().sum(1), 1.0)


def test_a_stage_ends_with_its_last_step(manifest, reading):
    config = _config()
    steps = [len(_batches(manifest, config, stage)) for stage in (0, 1)]
    assert sum(steps) == 4 * EXAMPLES // BATCH


@pytest.mark.parametrize("step", [1, 5, 10])  # step 5 crosses into an epoch
def test_a_resumed_stage_continues_with_the_same_batches(manifest, reading, step):
    whole = _batches(manifest, _config())
    _same(_batches(manifest, _config(), first_step=step), whole[step:])


def test_a_resumed_stage_continues_with_the_same_augmentation(manifest):
    config = _config(HARD, mixup_alpha=Ramp(start=0.2, end=0.2))
    whole = _batches(manifest, config)
    _same(_batches(manifest, config, first_step=7), whole[7:])


def test_tensorflows_global_seed_changes_nothing(manifest, reading):
    tf.random.set_seed(1)
    first = _batches(manifest, _config(CROPPED))
    tf.random.set_seed(2)
    _same(_batches(manifest, _config(CROPPED)), first)


def test_another_seed_changes_the_order(manifest, reading):
    one, two = (_batches(manifest, _config(seed=seed)) for seed in (1, 2))
    assert _pictures(one) != _pictures(two)
    assert Counter(_pictures(one)) == Counter(_pictures(two))


def test_another_seed_changes_the_crops(manifest):
    one, two = (_batches(manifest, _config(CROPPED, seed=seed)) for seed in (1, 2))
    assert not set(_pictures(one)) & set(_pictures(two))


def test_every_epoch_sees_every_example_once_in_another_order(manifest, reading):
    # 11 steps of 4 are exactly two epochs of 22.
    pictures = _pictures(_batches(manifest, _config()))
    first, second = pictures[:EXAMPLES], pictures[EXAMPLES:]
    assert set(Counter(first).values()) == {1}
    assert Counter(first) == Counter(second)
    assert first != second


def test_labels_belong_to_their_pictures(manifest, reading):
    by_picture = {}
    for batch in evaluation_batches(manifest, "train", 16, 2, augmentation=PLAIN):
        for image, label in zip(batch.images, batch.labels, strict=True):
            rounded = np.floor(image.numpy() + 0.5)
            by_picture[rounded.astype(np.float32).tobytes()] = label.numpy()
    for images, labels in _batches(manifest, _config()):
        for image, label in zip(images, labels, strict=True):
            np.testing.assert_array_equal(by_picture[image.tobytes()], label)


def test_stages_continue_the_sequence_of_examples(manifest, reading):
    # Stage 0: 11 steps of 4 = 2 epochs; stage 1 goes on with the third.
    sizes = (4, 2)
    config = _config(stage_batch_sizes=sizes)
    stages = plan_stages(config, EXAMPLES)
    assert [stage.global_batch_size for stage in stages] == list(sizes)
    second = _pictures(_batches(manifest, config, 1))
    assert set(Counter(second[:EXAMPLES]).values()) == {1}
    assert set(Counter(second).values()) == {2}


def test_hosts_in_memory_share_each_global_batch_of_one_host(manifest):
    config = _config(CROPPED)
    single = _batches(manifest, config)
    hosts = [_batches(manifest, config, input_shard=(host, 2)) for host in (0, 1)]
    for number, (images, labels) in enumerate(single):
        parts = [host[number] for host in hosts]
        np.testing.assert_array_equal(np.concatenate([p[0] for p in parts]), images)
        np.testing.assert_array_equal(np.concatenate([p[1] for p in parts]), labels)


def test_hosts_with_many_shards_read_their_own(manifest, monkeypatch):
    monkeypatch.setattr(record_stream, "IN_MEMORY_BYTES", 0)
    config = _config(epochs=1.0)
    seen = [
        set(_pictures(_batches(manifest, config, input_shard=(host, 2))))
        for host in (0, 1)
    ]
    assert seen[0]
    assert seen[1]
    assert not seen[0] & seen[1]


def test_a_resumed_host_continues_with_the_same_batches(manifest, reading):
    config = _config(CROPPED, mixup_alpha=Ramp(start=0.2, end=0.2))
    whole = _batches(manifest, config, input_shard=(1, 2))
    resumed = _batches(manifest, config, first_step=7, input_shard=(1, 2))
    _same(resumed, whole[7:])


def test_hosts_that_cannot_share_a_batch_are_refused(manifest):
    with pytest.raises(ConfigError, match="global batch of 4 does not divide among 3"):
        _batches(manifest, _config(), input_shard=(0, 3))


def test_more_hosts_than_shards_are_refused(manifest, monkeypatch):
    monkeypatch.setattr(record_stream, "IN_MEMORY_BYTES", 0)
    with pytest.raises(DataError, match="Host 3 of 4 has no shard"):
        _batches(manifest, _config(), input_shard=(3, 4))


def test_an_empty_split_is_refused(manifest):
    empty = replace(manifest.splits["test"], examples=0, shards=())
    without = replace(manifest, splits={"test": empty})
    with pytest.raises(DataError, match="no examples in test"):
        evaluation_batches(without, "test", 16, 2, augmentation=PLAIN)


def test_training_on_two_splits_reads_both(manifest, reading):
    config = _config(train_on="train+validation", epochs=1.0, global_batch_size=9)
    stage = replace(plan_stages(config, 27)[0], last_step=3)
    dataset = training_batches(manifest, stage, config, first_step=0)
    pictures = _pictures(dataset.as_numpy_iterator())
    assert len(set(pictures)) == 27 - 5  # validation has five pictures of train


@pytest.mark.parametrize(("kind", "expected"), [("softmax", 0.5), ("sigmoid", 1.0)])
def test_several_labels_are_normalised_for_softmax(tmp_path, kind, expected):
    rows = [
        replace(example, labels=(0, 2), texts=("0", "2")) for example in examples(4)
    ]
    manifest = write_dataset(tmp_path, {"train": rows})
    config = _config(loss=LossConfig(kind=kind))
    stage = replace(plan_stages(config, 4)[0], first_step=0, last_step=1)
    ((_, labels),) = training_batches(manifest, stage, config, first_step=0)
    np.testing.assert_array_equal(labels, [[expected, 0.0, expected]] * BATCH)


def test_magnitude_zero_and_no_policy_are_the_same(manifest):
    stage = plan_stages(_config(), EXAMPLES)[0]
    weak = replace(stage, randaugment_magnitude=0.0)
    with_policy = _config(AugmentationConfig(policy="randaugment"))
    one = training_batches(manifest, weak, with_policy, first_step=0)
    two = training_batches(manifest, weak, _config(CROPPED), first_step=0)
    _same(list(one.as_numpy_iterator()), list(two.as_numpy_iterator()))
