from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_code.data.fingerprint import example_digest, fingerprint
from model_code.data.records import Example

EXAMPLE = Example(
    filename="a.png",
    encoded=b"pixels",
    format="PNG",
    height=1,
    width=1,
    labels=(0,),
    texts=("cat",),
    slices={"kind": "mono"},
    meta={"p": 0.5},
)
digests = st.lists(st.binary(min_size=32, max_size=32), max_size=6)


@given(digests, digests, st.randoms(use_true_random=False))
def test_the_order_of_examples_does_not_matter(train, test, rng):
    shuffled = list(train)
    rng.shuffle(shuffled)
    names = ("a", "b")
    first = fingerprint(names, False, {"train": train, "test": test})
    assert first == fingerprint(names, False, {"test": test, "train": shuffled})


@given(digests, st.binary(min_size=32, max_size=32))
def test_every_example_counts_also_a_repeated_one(train, extra):
    names = ("a", "b")
    before = fingerprint(names, False, {"train": train})
    assert before != fingerprint(names, False, {"train": [*train, extra]})
    assert fingerprint(names, False, {"train": [*train, extra]}) != fingerprint(
        names, False, {"train": train, "test": [extra]}
    )


@pytest.mark.parametrize(
    "change",
    [
        {"encoded": b"other"},
        {"labels": (1,)},
        {"labels": (0, 1)},
        {"slices": {"kind": "poly"}},
        {"meta": {"p": 0.75}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_all_that_training_reads_counts(change):
    assert example_digest(replace(EXAMPLE, **change)) != example_digest(EXAMPLE)


def test_where_an_image_lies_does_not_count():
    moved = replace(EXAMPLE, filename="elsewhere/a.png")
    assert example_digest(moved) == example_digest(EXAMPLE)


def test_class_names_and_their_order_count():
    same = {"train": [b"x" * 32]}
    values = {
        fingerprint(("a", "b"), False, same),
        fingerprint(("b", "a"), False, same),
        fingerprint(("a", "b"), True, same),
    }
    assert len(values) == 3
