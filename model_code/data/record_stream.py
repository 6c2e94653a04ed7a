"""Serialized records in training order, from memory or from groups of shards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import tensorflow as tf

from model_code.data.augment.seeds import ALGORITHM, Stream, Tensor, position_seed
from model_code.data.manifest import DatasetManifest
from model_code.data.record_order import ShardFile, group_reads, host_shards
from model_code.errors import DataError

IN_MEMORY_BYTES = 2**30
"""Splits up to here are kept in memory by every host and permuted as a whole."""


@dataclass(frozen=True, kw_only=True)
class Position:
    """Which part of the sequence of examples one host reads.

    Hosts take turns within each global batch: host k of n reads its k-th nth.
    `first` and `count` are in examples over all hosts, multiples of the batch.
    """

    first: int
    count: int
    global_batch_size: int
    host: int = 0
    hosts: int = 1

    @property
    def batch_size(self) -> int:
        """Examples of each global batch that this host reads."""
        return self.global_batch_size // self.hosts


@dataclass(frozen=True, kw_only=True)
class RecordStream:
    """Records in order, the last step of reading left to the caller.

    Fetching from memory inside the parallel map that decodes saves a stage of
    the input pipeline.

    Attributes:
        keys: pairs of (position in the sequence, key), both scalars.
        fetch: a key to its record, a scalar string.
    """

    keys: tf.data.Dataset
    fetch: Callable[[Tensor], Tensor]


def training_records(
    manifest: DatasetManifest,
    splits: Sequence[str],
    position: Position,
    *,
    seed: int,
    shuffle_buffer: int,
) -> RecordStream:
    """The records that one host trains on, in the order of their positions.

    A small dataset is permuted as a whole and one global batch is the same
    whatever the number of hosts. In a large one each host reads its own shards.
    """
    shards = shard_files(manifest, splits)
    positions = _positions(position)
    if stored_bytes(manifest, splits) <= IN_MEMORY_BYTES:
        records = _load(shards)
        order = _own_order(len(records), position, seed)
        keys = tf.data.Dataset.zip(positions, order)
        return RecordStream(keys=keys, fetch=partial(tf.gather, records))
    own = _shards_of_host(shards, position)
    order = _from_groups(own, position, seed, shuffle_buffer // 2)
    keys = tf.data.Dataset.zip(positions, order)
    return RecordStream(keys=keys, fetch=tf.identity)


def shard_files(manifest: DatasetManifest, splits: Sequence[str]) -> list[ShardFile]:
    """All shards of some splits, in order.

    Raises:
        DataError: the splits hold no examples, or are not in the dataset.
    """
    files = [
        ShardFile(uri=uri, examples=shard.examples)
        for split in splits
        for uri, shard in zip(
            manifest.shard_uris(split), manifest.splits[split].shards, strict=True
        )
    ]
    if not any(file.examples for file in files):
        raise DataError(
            f"Dataset {manifest.name} has no examples in {' and '.join(splits)}; "
            "expected at least one. Give the split a larger share in `splits`."
        )
    return files


def stored_bytes(manifest: DatasetManifest, splits: Sequence[str]) -> int:
    """Size of the splits' shards."""
    chosen = [manifest.splits[split] for split in splits]
    return sum(shard.bytes for split in chosen for shard in split.shards)


def read_files(files: Tensor) -> tf.data.Dataset:
    """Records of some files, in an order that no number of threads changes."""
    return tf.data.Dataset.from_tensor_slices(files).interleave(
        tf.data.TFRecordDataset,
        cycle_length=16,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def _positions(position: Position) -> tf.data.Dataset:
    """Positions that this host reads: its part of each global batch."""
    first = position.first + position.host * position.batch_size
    if position.hosts == 1:
        return tf.data.Dataset.range(first, first + position.count)
    starts = tf.data.Dataset.range(
        first, first + position.count, position.global_batch_size
    )
    return starts.flat_map(
        lambda start: tf.data.Dataset.range(start, start + position.batch_size)
    )


def _own_order(examples: int, position: Position, seed: int) -> tf.data.Dataset:
    """Indices of the examples that this host reads from memory."""
    order = _epochs(examples, position.first, seed).take(position.count)
    if position.hosts == 1:
        return order
    start = position.host * position.batch_size
    own = slice(start, start + position.batch_size)
    return order.batch(position.global_batch_size).map(lambda part: part[own]).unbatch()


def _epochs(examples: int, first: int, seed: int) -> tf.data.Dataset:
    """Endless indices from `first` on: one permutation of the examples an epoch."""
    epoch, offset = divmod(first, examples)

    def permutation(number: Tensor) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices(
            _shuffle(tf.range(examples), seed, number)
        )

    return tf.data.Dataset.range(epoch, 2**62).flat_map(permutation).skip(offset)


def _from_groups(
    shards: Sequence[ShardFile], position: Position, seed: int, group_examples: int
) -> tf.data.Dataset:
    reads = list(
        group_reads(
            shards,
            seed=seed,
            first=position.first // position.hosts,
            count=position.count // position.hosts,
            group_examples=group_examples,
        )
    )
    numbers = [(r.examples, r.position, r.skip, r.take) for r in reads]
    table = tf.data.Dataset.from_tensor_slices(
        (tf.ragged.constant([r.files for r in reads]), tf.constant(numbers, tf.int64))
    )

    def read(files: Tensor, number: Tensor) -> Tensor:
        examples, start, skip, take = tf.unstack(number)
        records = read_files(files).batch(examples, drop_remainder=True)
        records = _shuffle(records.get_single_element(), seed, start)
        return records[skip : skip + take]

    # One group is read while the previous one is used.
    groups = table.map(read).prefetch(1)
    return groups.flat_map(tf.data.Dataset.from_tensor_slices)


def _shards_of_host(shards: Sequence[ShardFile], position: Position) -> list[ShardFile]:
    own = host_shards(shards, position.host, position.hosts)
    if not own:
        raise DataError(
            f"Host {position.host} of {position.hosts} has no shard to read: there are "
            f"{len(shards)} for {position.hosts} hosts. Ingest with a smaller "
            "shard_megabytes, or train on fewer hosts."
        )
    return own


def _load(shards: Sequence[ShardFile]) -> Tensor:
    """All records of the files, one string tensor."""
    records = read_files(tf.constant([shard.uri for shard in shards]))
    examples = sum(shard.examples for shard in shards)
    return records.batch(examples, drop_remainder=True).get_single_element()


def _shuffle(values: Tensor, seed: int, position: Tensor) -> Tensor:
    key = position_seed(seed, Stream.ORDER, position)
    return tf.random.experimental.stateless_shuffle(values, key, alg=ALGORITHM)
