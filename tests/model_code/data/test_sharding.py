import hashlib
import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from model_code.data.sharding import bucket_of, plan_shards, shard_name

sizes = st.lists(st.integers(1, 5000), min_size=1, max_size=200)
targets = st.integers(1, 20_000)


def _records(lengths: list[int]) -> list[tuple[str, bytes, int]]:
    digests = [hashlib.sha256(str(i).encode()).digest() for i in range(len(lengths))]
    return [
        ("train" if digest[31] % 3 else "test", digest, length)
        for digest, length in zip(digests, lengths, strict=True)
    ]


def _histogram(records: list[tuple[str, bytes, int]]) -> Counter[tuple[str, int]]:
    histogram: Counter[tuple[str, int]] = Counter()
    for split, digest, length in records:
        histogram[split, bucket_of(digest)] += length
    return histogram


@given(sizes, targets)
def test_every_record_is_in_one_shard_and_no_shard_is_empty(lengths, target):
    records = _records(lengths)
    plan = plan_shards(_histogram(records), target)
    used = {(split, plan.shard_of(split, digest)) for split, digest, _ in records}
    expected = {
        (split, index)
        for split in {split for split, _, _ in records}
        for index in range(plan.count(split))
    }
    assert used == expected


@given(sizes, targets, st.randoms(use_true_random=False))
def test_the_order_in_which_records_arrive_does_not_matter(lengths, target, rng):
    records = _records(lengths)
    shuffled = list(records)
    rng.shuffle(shuffled)
    assert plan_shards(_histogram(records), target) == plan_shards(
        _histogram(shuffled), target
    )


@given(sizes, targets)
def test_shards_are_contiguous_ranges_of_the_digest_order(lengths, target):
    records = sorted(_records(lengths), key=lambda record: record[1])
    plan = plan_shards(_histogram(records), target)
    for wanted in ("train", "test"):
        indexes = [plan.shard_of(s, digest) for s, digest, _ in records if s == wanted]
        assert indexes == sorted(indexes)


def test_shards_are_even():
    rng = random.Random(5)
    records = _records([rng.randint(50, 150) for _ in range(6000)])
    plan = plan_shards(_histogram(records), 20_000)
    filled: Counter[tuple[str, int]] = Counter()
    for split, digest, length in records:
        filled[split, plan.shard_of(split, digest)] += length
    assert plan.count("train") == 20
    assert max(filled.values()) - min(filled.values()) < 1000  # 5 % of the target


def test_names_are_those_of_tensorflow_datasets():
    assert shard_name("elpv", "train", 3, 128) == "elpv-train.tfrecord-00003-of-00128"
