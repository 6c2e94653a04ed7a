"""Shards to batches: what the training loop and the evaluation iterate over.

A training batch depends on the recipe's seed and the number of the step, and
on nothing else: order, crops, augmentation and mixing are all drawn from the
position in the sequence of examples. An interrupted run therefore continues
with the batch it would have seen.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import tensorflow as tf

from model_code.config.training import AugmentationConfig, TrainConfig
from model_code.data import records
from model_code.data.augment.mixing import mix
from model_code.data.augment.picture import augment
from model_code.data.augment.seeds import Stream, Tensor, position_seed
from model_code.data.cropping import evaluation_crop
from model_code.data.manifest import DatasetManifest
from model_code.data.parsing import label_row, parse_for_evaluation, parse_for_training
from model_code.data.pixels import decode_for_evaluation, decode_for_training
from model_code.data.record_order import host_shards
from model_code.data.record_stream import (
    Position,
    read_files,
    shard_files,
    training_records,
)
from model_code.errors import ConfigError
from model_code.training.progressive import ProgressiveStage, plan_stages

InputShard = tuple[int, int]
"""Index of a host and number of hosts."""

ONE_HOST: InputShard = (0, 1)


def training_batches(
    manifest: DatasetManifest,
    stage: ProgressiveStage,
    config: TrainConfig,
    *,
    first_step: int,
    input_shard: InputShard = ONE_HOST,
) -> tf.data.Dataset:
    """Batches of one progressive stage, from `first_step` to its end.

    Args:
        manifest: Dataset with the splits of `config.train_on`.
        stage: One of `plan_stages(config, ...)`.
        config: Seed, augmentation, loss and splits.
        first_step: Counted over the whole training, inside the stage.
        input_shard: Of several hosts each gets an equal part of every global
            batch; mixup and CutMix blend within that part.

    Returns:
        `stage.last_step - first_step` pairs of float32 images
        [B, size, size, 3] in 0..255 and float32 labels [B, classes], with B the
        global batch size over the number of hosts. Shapes are static.

    Raises:
        ConfigError: the global batch size does not divide among the hosts.
        DataError: the manifest has no examples in those splits.
    """
    host, hosts = input_shard
    _check_divides(stage.global_batch_size, hosts)
    splits = config.train_on.split("+")
    position = Position(
        first=first_example(manifest, splits, stage, config, first_step),
        count=(stage.last_step - first_step) * stage.global_batch_size,
        global_batch_size=stage.global_batch_size,
        host=host,
        hosts=hosts,
    )
    stream = training_records(
        manifest,
        splits,
        position,
        seed=config.seed,
        shuffle_buffer=config.shuffle_buffer,
    )
    classes = len(manifest.class_names)
    softmax = config.loss.kind == "softmax"

    @tf.autograph.experimental.do_not_convert
    def example(number: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
        encoded, ids = parse_for_training(stream.fetch(key))
        picture = _training_picture(stage, config, number, encoded)
        return picture, label_row(ids, classes, normalise=softmax)

    examples = stream.keys.map(
        example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    batches = examples.batch(position.batch_size, drop_remainder=True)
    numbers = tf.data.Dataset.range(
        first_step * hosts + host, stage.last_step * hosts, hosts
    )
    mixed = tf.data.Dataset.zip(numbers, batches).map(partial(_mix, stage, config))
    return mixed.prefetch(tf.data.AUTOTUNE).with_options(_options())


def first_example(
    manifest: DatasetManifest,
    splits: Sequence[str],
    stage: ProgressiveStage,
    config: TrainConfig,
    step: int,
) -> int:
    """How many examples training has seen before a step of a stage.

    Stages may differ in batch size, so earlier ones are counted one by one.
    """
    examples = sum(manifest.splits[split].examples for split in splits)
    earlier = plan_stages(config, examples)[: stage.index]
    seen = sum(each.steps * each.global_batch_size for each in earlier)
    return seen + (step - stage.first_step) * stage.global_batch_size


class EvaluationBatch(NamedTuple):
    """Examples of a split as an evaluation sees them; a structure for tf.data.

    Attributes:
        images: float32 [B, size, size, 3] in 0..255.
        labels: float32 [B, classes]: 1 for every true class, else 0.
        ids: string [B], `image/filename` of the record, unique in the dataset.
        weights: float32 [B]: 1, or 0 for the rows that fill up the last batch.
        slices: string [B] by name of the text feature.
        meta: float32 [B] by name of the numeric feature.
    """

    images: Tensor
    labels: Tensor
    ids: Tensor
    weights: Tensor
    slices: Mapping[str, Tensor]
    meta: Mapping[str, Tensor]


def evaluation_batches(
    manifest: DatasetManifest,
    split: str,
    image_size: int,
    batch_size: int,
    *,
    augmentation: AugmentationConfig,
    input_shard: InputShard = ONE_HOST,
) -> tf.data.Dataset:
    """Every example of a split exactly once, in a fixed order.

    The last batch is filled up with rows of weight 0, so that shapes are static
    and several hosts, whose shards differ in size, take the same number of
    steps.

    Args:
        manifest: Dataset with the split.
        split: Name of one split.
        image_size: Pixels.
        batch_size: Rows of a batch, on this host.
        augmentation: Of the recipe that trained the network; decides the crop.
        input_shard: Of several hosts each reads its own shards.

    Returns:
        An input dataset of `EvaluationBatch`.

    Raises:
        DataError: the manifest has no examples in that split.
    """
    host, hosts = input_shard
    shards = shard_files(manifest, [split])
    own = [host_shards(shards, each, hosts) for each in range(hosts)]
    examples = [sum(shard.examples for shard in each) for each in own]
    files = tf.constant([shard.uri for shard in own[host]], tf.string)
    decoded = read_files(files).map(
        partial(_evaluation_example, manifest, image_size, augmentation),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    rows = -(-max(examples) // batch_size) * batch_size
    filling = tf.data.Dataset.from_tensors(_zeros(decoded.element_spec))
    filled = decoded.concatenate(filling.repeat(rows - examples[host]))
    batches = filled.batch(batch_size, drop_remainder=True)
    return batches.prefetch(tf.data.AUTOTUNE).with_options(_options())


@tf.autograph.experimental.do_not_convert
def _evaluation_example(
    manifest: DatasetManifest,
    image_size: int,
    augmentation: AugmentationConfig,
    record: Tensor,
) -> EvaluationBatch:
    slices, meta = manifest.slice_features, manifest.meta_features
    parsed = parse_for_evaluation(record, slices, meta)
    picture = decode_for_evaluation(
        parsed[records.ENCODED],
        image_size,
        evaluation_crop(image_size, augmentation),
        augmentation.interpolation,
    )
    classes = len(manifest.class_names)
    return EvaluationBatch(
        images=picture,
        labels=label_row(parsed[records.LABEL], classes, normalise=False),
        ids=parsed[records.FILENAME],
        weights=tf.constant(1.0),
        slices={name: parsed[records.SLICE + name] for name in slices},
        meta={name: parsed[records.META + name] for name in meta},
    )


def _zeros(spec: EvaluationBatch) -> EvaluationBatch:
    """An example of weight 0."""

    def zero(each: tf.TensorSpec) -> Tensor:
        if each.dtype == tf.string:
            return tf.constant("")
        return tf.zeros(each.shape, each.dtype)

    filling: EvaluationBatch = tf.nest.map_structure(zero, spec)
    return filling


def _training_picture(
    stage: ProgressiveStage, config: TrainConfig, position: Tensor, encoded: Tensor
) -> Tensor:
    crop_seed, seed, erase_seed = (
        position_seed(config.seed, stream, position)
        for stream in (Stream.CROP, Stream.EXAMPLE, Stream.ERASE)
    )
    augmentation = config.augmentation
    picture = decode_for_training(encoded, stage.image_size, crop_seed, augmentation)
    magnitude = stage.randaugment_magnitude
    return augment(picture, augmentation, magnitude, seed, erase_seed)


@tf.autograph.experimental.do_not_convert
def _mix(
    stage: ProgressiveStage,
    config: TrainConfig,
    number: Tensor,
    batch: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor]:
    return mix(
        *batch,
        position_seed(config.seed, Stream.MIX, number),
        mixup_alpha=stage.mixup_alpha,
        cutmix_alpha=stage.cutmix_alpha,
    )


def _check_divides(global_batch_size: int, hosts: int) -> None:
    if global_batch_size % hosts:
        raise ConfigError(
            f"A global batch of {global_batch_size} does not divide among {hosts} "
            "hosts; expected a multiple. Change global_batch_size or "
            "stage_batch_sizes."
        )


def _options() -> tf.data.Options:
    options = tf.data.Options()
    options.deterministic = True
    # Hosts were told apart above; TensorFlow must not do it again.
    policy = tf.data.experimental.AutoShardPolicy.OFF
    options.experimental_distribute.auto_shard_policy = policy
    return options
