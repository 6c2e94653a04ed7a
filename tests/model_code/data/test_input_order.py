"""The order of records is a function of seed and position."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from model_code.data.record_order import ShardFile, group_reads, host_shards

shards = st.lists(st.integers(1, 9), min_size=1, max_size=8).map(
    lambda sizes: [
        ShardFile(uri=str(number), examples=size) for number, size in enumerate(sizes)
    ]
)


def _examples(each):
    return sum(shard.examples for shard in each)


@given(shards, st.integers(0, 5), st.integers(1, 20), st.integers(0, 3))
def test_an_epoch_reads_every_file_once(files, seed, group_examples, epoch):
    size = _examples(files)
    reads = list(
        group_reads(
            files,
            seed=seed,
            first=epoch * size,
            count=size,
            group_examples=group_examples,
        )
    )
    assert Counter(uri for read in reads for uri in read.files) == Counter(
        shard.uri for shard in files
    )
    assert sum(read.take for read in reads) == size
    assert all(read.skip == 0 for read in reads)


@given(shards, st.integers(0, 40), st.integers(1, 60), st.integers(1, 20), st.data())
@settings(max_examples=200)
def test_a_part_of_the_sequence_is_a_part_of_the_whole(
    files, first, count, group_examples, data
):
    def positions(start, length):
        """(group, number inside it) of every example that is read."""
        return [
            (read.position, read.files, read.skip + number)
            for read in group_reads(
                files,
                seed=1,
                first=start,
                count=length,
                group_examples=group_examples,
            )
            for number in range(read.take)
        ]

    whole = positions(0, first + count)
    assert len(whole) == first + count
    assert positions(first, count) == whole[first:]


@given(shards, st.integers(1, 20))
def test_groups_are_no_larger_than_they_may_be(files, group_examples):
    reads = group_reads(
        files, seed=0, first=0, count=_examples(files), group_examples=group_examples
    )
    for read in reads:
        assert read.examples <= group_examples or len(read.files) == 1


def test_epochs_and_seeds_differ_in_order():
    files = [ShardFile(uri=str(number), examples=2) for number in range(12)]
    orders = [
        tuple(
            read.files
            for read in group_reads(
                files, seed=seed, first=24 * epoch, count=24, group_examples=2
            )
        )
        for seed in range(3)
        for epoch in range(3)
    ]
    assert len(set(orders)) == 9


def test_positions_of_groups_never_repeat():
    files = [ShardFile(uri=str(number), examples=3) for number in range(5)]
    reads = group_reads(files, seed=0, first=4, count=60, group_examples=6)
    assert all(one.position < two.position for one, two in pairwise(reads))


@given(shards, st.integers(1, 5))
def test_hosts_read_disjoint_shards(files, hosts):
    parts = [host_shards(files, host, hosts) for host in range(hosts)]
    assert sorted(shard.uri for part in parts for shard in part) == sorted(
        shard.uri for shard in files
    )


def test_empty_shards_are_nobodys():
    files = [ShardFile(uri="a", examples=0), ShardFile(uri="b", examples=1)]
    assert host_shards(files, 0, 1) == [files[1]]
