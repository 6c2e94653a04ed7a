"""TFMA against our own metrics."""

import sys

import numpy as np
import pytest

from model_code.config.recipe import EvaluationConfig
from model_code.errors import UnavailableError
from model_code.evaluation.analysis import analyze
from model_code.evaluation.metrics import measure
from model_code.evaluation.predictions import rank

CONFIG = EvaluationConfig(bootstrap_resamples=10)


def table(classes: int):
    generator = np.random.default_rng(classes)
    labels = generator.integers(classes, size=300)
    scores = generator.random((300, classes)) + 0.4 * np.eye(classes)[labels]
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    kinds = ["mono" if draw < 0.4 else "poly" for draw in generator.random(300)]
    names = [str(i) for i in range(300)]
    return rank(names, np.eye(classes)[labels], probabilities, {"cell_type": kinds})


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        (2, {"binary_accuracy": "top1", "auc": "auroc"}),
        (
            30,
            {
                "sparse_categorical_accuracy": "top1",
                "sparse_top_k_categorical_accuracy": "top5",
            },
        ),
    ],
)
def test_tfma_finds_the_same_values_in_every_slice(classes, names):
    predictions = table(classes)
    rows = analyze(predictions, classes, ("cell_type",))
    parts = [row["slice"] for row in rows]
    assert parts == [{}, {"cell_type": "mono"}, {"cell_type": "poly"}]
    for row in rows:
        kind = row["slice"].get("cell_type")
        part = predictions.in_slice("cell_type", kind) if kind else predictions
        ours = measure(part, classes, CONFIG)
        for theirs, name in names.items():
            # TFMA integrates the ROC curve over 10,000 thresholds.
            tolerance = 1e-4 if name == "auroc" else 1e-6
            expected = pytest.approx(ours[name].value, abs=tolerance)
            assert row["metrics"][theirs] == expected


def test_demanded_where_it_is_not_installed_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_model_analysis", None)
    with pytest.raises(UnavailableError, match="extra `analysis` or `tfx`"):
        analyze(table(2), 2, ())
