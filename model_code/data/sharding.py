"""How records are cut into shards of even size: a pure function of content.

Within a split, records are ordered by the digest of their image. Shards are
contiguous ranges of that order, cut where the bytes add up to the target, so
names and content of the shards follow from the images alone, whatever the
number of workers. The order is pseudo-random: each shard is a fair sample.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

BUCKET_BITS = 18
"""Cuts lie on multiples of 2^-18 of the digest range: 50 images a bucket at
13 million, 8 % of a 64 MB shard, while the histogram still fits in memory."""

Histogram = Mapping[tuple[str, int], int]
"""Bytes by (split, bucket)."""


@dataclass(frozen=True)
class ShardPlan:
    """For each split the first bucket of each shard, ascending from zero."""

    starts: Mapping[str, tuple[int, ...]]

    def shard_of(self, split: str, digest: bytes) -> int:
        """Index of the shard that holds the image with this digest."""
        return bisect_right(self.starts[split], bucket_of(digest)) - 1

    def count(self, split: str) -> int:
        """Number of shards of a split."""
        return len(self.starts.get(split, ()))


def bucket_of(digest: bytes) -> int:
    """Which of the 2^18 equal ranges of digests this one falls into."""
    return int.from_bytes(digest[:4], "big") >> (32 - BUCKET_BITS)


def plan_shards(histogram: Histogram, target_bytes: int) -> ShardPlan:
    """Cut each split into shards of about `target_bytes`, none of them empty."""
    by_split: dict[str, dict[int, int]] = defaultdict(dict)
    for (split, bucket), size in histogram.items():
        by_split[split][bucket] = size
    return ShardPlan(
        {split: _cut(sizes, target_bytes) for split, sizes in by_split.items()}
    )


def shard_name(dataset: str, split: str, index: int, count: int) -> str:
    """The usual name, as TensorFlow Datasets expects it."""
    return f"{dataset}-{split}.tfrecord-{index:05d}-of-{count:05d}"


def _cut(sizes: Mapping[int, int], target_bytes: int) -> tuple[int, ...]:
    total = sum(sizes.values())
    count = max(1, round(total / target_bytes))
    starts = [0]
    before = 0
    buckets = sorted(sizes)
    for bucket, following in pairwise(buckets):
        before += sizes[bucket]
        # The cut nearest to an even share; a bucket is never divided.
        if (2 * before + sizes[following]) * count >= 2 * len(starts) * total:
            starts.append(following)
    return tuple(starts)
