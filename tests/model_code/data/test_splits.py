import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_code.config.dataset import SplitConfig
from model_code.data.splits import (
    TEST,
    TRAIN,
    VALIDATION,
    demanded_splits,
    draws,
    rule_from_shares,
    threshold_for,
)

shares = st.floats(0, 1)
digests = st.binary(min_size=32, max_size=32)


def _digests(count: int) -> list[bytes]:
    return [hashlib.sha256(str(index).encode()).digest() for index in range(count)]


@given(digests, shares, shares)
def test_an_image_is_always_in_the_same_one_split(digest, test, validation):
    config = SplitConfig(test=test, validation=validation)
    splits = {rule_from_shares(config).split_of(digest) for _ in range(2)}
    assert len(splits) == 1
    assert splits <= {TRAIN, VALIDATION, TEST}


@given(digests, shares, shares, shares)
def test_a_larger_test_share_only_moves_images_into_test(digest, low, high, val):
    low, high = sorted((low, high))
    before = rule_from_shares(SplitConfig(test=low, validation=val)).split_of(digest)
    after = rule_from_shares(SplitConfig(test=high, validation=val)).split_of(digest)
    assert after in {before, TEST}


@given(digests, shares, shares, shares)
def test_a_larger_validation_share_only_takes_from_train(digest, test, low, high):
    low, high = sorted((low, high))
    before = rule_from_shares(SplitConfig(test=test, validation=low)).split_of(digest)
    after = rule_from_shares(SplitConfig(test=test, validation=high)).split_of(digest)
    assert (before, after) in {
        (TRAIN, TRAIN),
        (TRAIN, VALIDATION),
        (VALIDATION, VALIDATION),
        (TEST, TEST),
    }


def test_shares_are_met_up_to_chance():
    rule = rule_from_shares(SplitConfig(test=0.25, validation=0.1))
    splits = [rule.split_of(digest) for digest in _digests(20_000)]
    # Four standard deviations of a binomial draw.
    assert splits.count(TEST) == pytest.approx(5000, abs=4 * 61)
    assert splits.count(VALIDATION) == pytest.approx(1500, abs=4 * 38)


def test_another_salt_draws_another_split():
    first = rule_from_shares(SplitConfig(test=0.5, salt="a"))
    second = rule_from_shares(SplitConfig(test=0.5, salt="b"))
    moved = sum(first.split_of(d) != second.split_of(d) for d in _digests(1000))
    assert moved > 300


@given(digests, shares)
def test_a_source_may_hold_images_out_itself(digest, test):
    rule = rule_from_shares(SplitConfig(test=test))
    assert rule.split_of(digest, held_out=True) == TEST


@given(st.lists(digests, min_size=1, max_size=50, unique=True), st.data())
def test_a_threshold_holds_out_exactly_a_number(images, data):
    count = data.draw(st.integers(0, len(images)))
    rule = rule_from_shares(SplitConfig(test=0.0))
    lowest = sorted(draws(digest, rule.salt)[1] for digest in images)[:count]
    fixed = replace(rule, validation_below=threshold_for(lowest))
    held = [digest for digest in images if fixed.split_of(digest) == VALIDATION]
    assert len(held) == count


def test_only_splits_with_a_share_are_demanded():
    assert demanded_splits(SplitConfig(test=0.0, validation=0.0)) == (TRAIN,)
    assert demanded_splits(SplitConfig(test=1.0, validation=0.5)) == (TEST,)
    assert demanded_splits(SplitConfig()) == (TRAIN, VALIDATION, TEST)
    assert demanded_splits(SplitConfig(test=0.0), has_test=True) == (
        TRAIN,
        VALIDATION,
        TEST,
    )
    counted = SplitConfig(test=0.0, validation=0.0, validation_examples=5)
    assert demanded_splits(counted) == (TRAIN, VALIDATION)
