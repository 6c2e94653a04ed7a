"""Every example of a split once, with its features, in static shapes."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from model_code.config.training import AugmentationConfig
from model_code.data.input_pipeline import evaluation_batches
from model_code.errors import DataError
from tests.helpers.datasets import examples, write_dataset

CONFIG = AugmentationConfig()


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    rows = [
        replace(
            example,
            slices={"cell_type": "mono" if number % 2 else "poly"},
            meta={"defect_probability": number / 10},
        )
        for number, example in enumerate(examples(11))
    ]
    return write_dataset(tmp_path_factory.mktemp("data"), {"test": rows})


def _rows(manifest, batch_size=4, **arguments):
    batches = list(
        evaluation_batches(
            manifest, "test", 16, batch_size, augmentation=CONFIG, **arguments
        ).as_numpy_iterator()
    )
    for batch in batches:
        assert batch.images.shape == (batch_size, 16, 16, 3)
        assert batch.labels.shape == (batch_size, 3)
    return batches


def test_every_example_once_and_weight_zero_fills_up(manifest):
    batches = _rows(manifest)
    ids = np.concatenate([batch.ids for batch in batches])
    weights = np.concatenate([batch.weights for batch in batches])
    assert len(weights) == 12
    assert Counter(ids[weights > 0]) == {f"{n}.jpeg".encode(): 1 for n in range(11)}
    assert set(ids[weights == 0]) == {b""}
    padding = np.concatenate([batch.images for batch in batches])[weights == 0]
    assert not padding.any()


def test_the_order_is_fixed(manifest):
    first, second = _rows(manifest), _rows(manifest)
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.ids, two.ids)
        np.testing.assert_array_equal(one.images, two.images)


def test_features_travel_with_their_example(manifest):
    for batch in _rows(manifest):
        for row in np.flatnonzero(batch.weights):
            number = int(batch.ids[row].decode().removesuffix(".jpeg"))
            assert batch.labels[row].argmax() == number % 3
            expected = b"mono" if number % 2 else b"poly"
            assert batch.slices["cell_type"][row] == expected
            assert batch.meta["defect_probability"][row] == np.float32(number / 10)


@pytest.mark.parametrize("hosts", [2, 5])  # there are three shards
def test_hosts_take_equal_steps_and_no_example_twice(manifest, hosts):
    parts = [_rows(manifest, 2, input_shard=(host, hosts)) for host in range(hosts)]
    assert len({len(part) for part in parts}) == 1
    ids = [
        batch.ids[row]
        for part in parts
        for batch in part
        for row in np.flatnonzero(batch.weights)
    ]
    assert Counter(ids) == {f"{n}.jpeg".encode(): 1 for n in range(11)}


def test_an_exact_multiple_needs_no_filling(manifest):
    batches = _rows(manifest, 11)
    assert len(batches) == 1
    assert batches[0].weights.all()


def test_an_unknown_split_is_named(manifest):
    with pytest.raises(DataError, match="no split 'validation'"):
        evaluation_batches(manifest, "validation", 16, 4, augmentation=CONFIG)
