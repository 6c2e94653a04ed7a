"""TensorFlow Model Analysis of a table of predictions; the one importer of TFMA.

Runs only where a recipe demands it (`require_tfma`): the import takes 7 to 16 s
and the Beam job 5, more than the rest of a small evaluation, and the same
metrics with intervals are in `evaluation.json` already. What it adds is a
second, independent opinion by slice, in the form that TFX tools use.
"""

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from model_code.errors import UnavailableError
from model_code.evaluation.predictions import Predictions

if TYPE_CHECKING:
    import pyarrow as pa

_BINARY = ("AUC", "BinaryAccuracy", "BinaryCrossEntropy", "Calibration")
_RANKED = ("SparseCategoricalAccuracy",)
_TOP_5 = ("SparseTopKCategoricalAccuracy",)  # k is 5 where it is not given


def analyze(
    predictions: Predictions, class_count: int, slices: Sequence[str]
) -> list[dict[str, Any]]:
    """TFMA's metrics overall and by slice, as plain values for `analysis.json`.

    Two classes are judged by the probability of the second. More classes are
    judged in rank order: class 0 is whatever the model ranks first, and the
    label is the rank of the true class. Accuracy does not change, and 21,841
    classes fit into memory.

    Returns:
        One `{"slice": {feature: value}, "metrics": {name: value}}` for the whole
        split, whose slice is empty, and for each value of each feature.

    Raises:
        UnavailableError: TFMA is not installed.
    """
    _require_tfma()
    binary = class_count == 2 and predictions.is_single_label
    names = _BINARY if binary else _RANKED + (_TOP_5 if class_count > 5 else ())
    columns = _binary_columns(predictions) if binary else _ranked_columns(predictions)
    batch = _batch(columns, predictions, slices)
    return sorted(
        (
            {"slice": dict(key), "metrics": found}
            for key, found in _run(batch, names, slices)
        ),
        key=lambda row: sorted(row["slice"].items()),
    )


def _require_tfma() -> None:
    try:
        import tensorflow_model_analysis  # noqa: F401
    except ImportError as error:
        raise UnavailableError(
            "The recipe sets evaluation.require_tfma, but TensorFlow Model Analysis "
            f"cannot be imported ({error}); expected the extra `analysis` or `tfx`. "
            "Install one, or leave require_tfma out."
        ) from error


def _run(
    batch: "pa.RecordBatch", names: Sequence[str], slices: Sequence[str]
) -> Iterator[tuple[tuple[tuple[str, str], ...], dict[str, float]]]:
    import apache_beam as beam
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner
    from tensorflow_model_analysis.api import model_eval_lib
    from tensorflow_model_analysis.proto import config_pb2

    specs = [config_pb2.MetricConfig(class_name=name) for name in names]
    config = config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(prediction_key="prediction", label_key="label")
        ],
        metrics_specs=[config_pb2.MetricsSpec(metrics=specs)],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            *(config_pb2.SlicingSpec(feature_keys=[feature]) for feature in slices),
        ],
    )
    with tempfile.TemporaryDirectory() as directory, _without_deprecations():
        # Beam's default runner would first try to download a binary.
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            _ = (
                pipeline
                | beam.Create([batch])
                | model_eval_lib.ExtractEvaluateAndWriteResults(
                    eval_config=config, output_path=directory
                )
            )
        result = model_eval_lib.load_eval_result(directory)
    for key, metrics in result.slicing_metrics:
        values = {name: value["doubleValue"] for name, value in metrics[""][""].items()}
        # JSON has no NaN, which is TFMA's AUC of a slice with one class.
        yield key, {name: v for name, v in values.items() if math.isfinite(v)}


def _binary_columns(predictions: Predictions) -> dict[str, Any]:
    second = predictions.ranked_classes == 1
    return {
        "label": predictions.labels[:, np.newaxis],
        "prediction": predictions.ranked_probabilities[second][:, np.newaxis],
    }


def _ranked_columns(predictions: Predictions) -> dict[str, Any]:
    # One more rank for a label that is not among those kept.
    beyond = np.zeros((len(predictions), 1))
    hits = np.hstack([predictions.hits, np.ones_like(beyond, dtype=bool)])
    return {
        "label": hits.argmax(axis=1)[:, np.newaxis],
        "prediction": np.hstack([predictions.ranked_probabilities, beyond]),
    }


def _batch(
    columns: dict[str, Any], predictions: Predictions, slices: Sequence[str]
) -> "pa.RecordBatch":
    import pyarrow as pa

    arrays = {name: pa.array(list(values)) for name, values in columns.items()}
    for feature in slices:
        values = [[value.encode()] for value in predictions.slices[feature]]
        arrays[feature] = pa.array(values)
    return pa.RecordBatch.from_pydict(arrays)


@contextmanager
def _without_deprecations() -> Iterator[None]:
    """TFMA 0.52 reads its own results through a deprecated function, and says so."""
    import tensorflow as tf

    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)
