"""Errors from the middle of training say what to do."""

from pathlib import Path

import pytest
import tensorflow as tf

from model_code.errors import DataError, ProductError, TrainingError
from model_code.training.failures import explained
from model_code.training.plan import Plan
from tests.model_code.training.runs import tiny_config, tiny_dataset

CASES = [
    (tf.errors.NotFoundError, DataError, r"A shard of dataset tiny at .* \(details\)"),
    (tf.errors.DataLossError, DataError, r"A shard of dataset tiny at .* \(details\)"),
    (
        tf.errors.ResourceExhaustedError,
        TrainingError,
        r"Memory ran out in stage 2, with 8 images of 24 px .* \(details\)",
    ),
]


@pytest.mark.parametrize(("raised", "expected", "words"), CASES)
def test_known_causes_are_explained(
    tmp_path: Path,
    raised: type[tf.errors.OpError],
    expected: type[ProductError],
    words: str,
) -> None:
    manifest = tiny_dataset(tmp_path)
    stage = Plan.of(tiny_config(), manifest).stages[-1]
    with pytest.raises(expected, match=words), explained(manifest, stage):
        raise raised(None, None, "details\nand a stack of graph nodes")


def test_other_errors_keep_their_traceback(tmp_path: Path) -> None:
    manifest = tiny_dataset(tmp_path)
    stage = Plan.of(tiny_config(), manifest).stages[0]
    with pytest.raises(tf.errors.InternalError), explained(manifest, stage):
        raise tf.errors.InternalError(None, None, "a defect")
