"""In which order training reads records: a pure function of seed and position.

Training sees one endless sequence of examples, epoch after epoch. Where a run
is in it is a number, so a resumed run needs no saved state, and reads no more
than it must: whole groups of shards before the position are left unopened.

A group is as many shards as fit half the shuffle buffer. An epoch permutes the
shards, cuts them into groups, and permutes the records inside each group. What
a sliding buffer does with the order of arrival, this does with the position.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ShardFile:
    """A shard as reading sees it."""

    uri: str
    examples: int


@dataclass(frozen=True, kw_only=True)
class GroupRead:
    """Read the group's files whole, permute, leave out `skip`, keep `take`.

    `position` is where the group starts in the sequence: it is the key of the
    permutation, and differs for every group of every epoch.
    """

    files: tuple[str, ...]
    examples: int
    position: int
    skip: int
    take: int


def group_reads(
    shards: Sequence[ShardFile],
    *,
    seed: int,
    first: int,
    count: int,
    group_examples: int,
) -> Iterator[GroupRead]:
    """The reads that give examples `first` to `first + count` of the sequence."""
    epoch_examples = sum(shard.examples for shard in shards)
    epoch, _ = divmod(first, epoch_examples)
    position = epoch * epoch_examples
    end = first + count
    while position < end:
        order = _permuted(shards, seed, epoch)
        for group in _grouped(order, group_examples):
            examples = sum(shard.examples for shard in group)
            skip = max(first - position, 0)
            take = min(end - position, examples) - skip
            if take > 0:
                files = tuple(shard.uri for shard in group)
                yield GroupRead(
                    files=files,
                    examples=examples,
                    position=position,
                    skip=skip,
                    take=take,
                )
            position += examples
        epoch += 1


def host_shards(shards: Sequence[ShardFile], host: int, hosts: int) -> list[ShardFile]:
    """The shards that one of several hosts reads; empty shards are nobody's."""
    return [shard for shard in shards if shard.examples][host::hosts]


def _permuted(shards: Sequence[ShardFile], seed: int, epoch: int) -> list[ShardFile]:
    # Only `random()` is promised to give one sequence on every Python version.
    generator = random.Random(f"{seed}/{epoch}")
    keys = [generator.random() for _ in shards]
    return [shard for _, shard in sorted(zip(keys, shards, strict=True), key=_key)]


def _key(pair: tuple[float, ShardFile]) -> float:
    return pair[0]


def _grouped(
    shards: Sequence[ShardFile], group_examples: int
) -> Iterator[list[ShardFile]]:
    group: list[ShardFile] = []
    examples = 0
    for shard in shards:
        if group and examples + shard.examples > group_examples:
            yield group
            group, examples = [], 0
        group.append(shard)
        examples += shard.examples
    yield group
