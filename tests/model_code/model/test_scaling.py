"""Rounding of filters and repeats (facts 6, check 14)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_code.model.scaling import round_filters, round_repeats

widths = st.floats(0.1, 8.0)
filters = st.integers(1, 2048)


@pytest.mark.parametrize(
    ("width", "before", "after"),
    [
        (1.1, (16, 48, 96, 112, 192, 1280), (16, 56, 104, 120, 208, 1408)),
        (1.2, (16, 32, 48, 96, 112, 192, 1280), (16, 40, 56, 112, 136, 232, 1536)),
    ],
)
def test_filters_round_as_released(width, before, after):
    assert tuple(round_filters(n, width, "nearest") for n in before) == after


def test_the_other_rule_refuses_to_lose_more_than_a_tenth():
    assert round_filters(16, 1.2, "nearest") == 16
    assert round_filters(16, 1.2, "nearest_losing_at_most_a_tenth") == 24


@pytest.mark.parametrize(
    ("repeats", "depth", "blocks"), [(2, 1.1, 3), (8, 1.2, 10), (5, 1.4, 7)]
)
def test_repeats_round_up(repeats, depth, blocks):
    assert round_repeats(repeats, depth) == blocks


@given(filters, widths)
def test_rounded_filters_are_the_nearest_multiple_of_eight(count, width):
    rounded = round_filters(count, width, "nearest")
    assert rounded % 8 == 0
    assert rounded >= 8
    assert rounded == 8 or abs(rounded - count * width) <= 4


@given(filters, widths)
def test_at_most_a_tenth_is_lost(count, width):
    rounded = round_filters(count, width, "nearest_losing_at_most_a_tenth")
    assert rounded >= 0.9 * count * width
    assert rounded - round_filters(count, width, "nearest") in {0, 8}


@given(filters, widths, widths)
def test_a_wider_network_never_has_fewer_filters(count, one, other):
    narrow, wide = sorted((one, other))
    assert round_filters(count, narrow, "nearest") <= round_filters(
        count, wide, "nearest"
    )


@given(st.integers(1, 64), st.floats(1.0, 8.0))
def test_a_deeper_network_has_at_least_its_repeats(repeats, depth):
    blocks = round_repeats(repeats, depth)
    assert repeats <= blocks < repeats * depth + 1
