"""Metrics against scikit-learn, and laws of their intervals."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from sklearn import metrics as oracle

from model_code.config.recipe import EvaluationConfig
from model_code.evaluation import metrics
from model_code.evaluation.predictions import Predictions, rank

FEW = EvaluationConfig(bootstrap_resamples=50)


def table(labels: np.ndarray, probabilities: np.ndarray, **slices: list[str]):
    classes = probabilities.shape[1]
    return rank(
        [f"image-{i}" for i in range(len(labels))],
        np.eye(classes)[labels],
        probabilities,
        slices,
    )


def random_table(seed: int, examples: int, classes: int) -> tuple[Predictions, ...]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(classes, size=examples)
    logits = generator.normal(size=(examples, classes)) + 1.5 * np.eye(classes)[labels]
    # Rounding makes ties, which AUROC has to count half.
    scores = np.exp(np.round(logits, 1))
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    return table(labels, probabilities), labels, probabilities


sizes = {
    "seed": st.integers(0, 10_000),
    "examples": st.integers(2, 120),
    "classes": st.integers(2, 8),
}


@settings(max_examples=40, deadline=None)
@given(**sizes)
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
def test_values_are_those_of_scikit_learn(seed, examples, classes):
    predictions, labels, probabilities = random_table(seed, examples, classes)
    predicted = predictions.predicted
    found = metrics.measure(predictions, classes, FEW)
    expected = {
        "top1": oracle.accuracy_score(labels, predicted),
        "balanced_accuracy": oracle.balanced_accuracy_score(labels, predicted),
        "macro_f1": oracle.f1_score(labels, predicted, average="macro"),
    }
    if classes == 2 and len(set(labels)) == 2:
        expected["auroc"] = oracle.roc_auc_score(labels, probabilities[:, 1])
    if classes > 5:
        expected["top5"] = np.mean(
            [
                label in row
                for label, row in zip(
                    labels, predictions.ranked_classes[:, :5], strict=True
                )
            ]
        )
    assert set(found) == set(expected) | {"calibration_error"}
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value), name


@settings(max_examples=40, deadline=None)
@given(**sizes)
def test_intervals_hold_the_value_and_stay_in_range(seed, examples, classes):
    predictions, _, _ = random_table(seed, examples, classes)
    for name, estimate in metrics.measure(predictions, classes, FEW).items():
        assert 0 <= estimate.low <= estimate.high <= 1 + 1e-9, name
        if name == "calibration_error":
            assert estimate.low <= estimate.value <= estimate.high


@settings(max_examples=40, deadline=None)
@given(**sizes)
def test_confusion_matrix_is_that_of_scikit_learn(seed, examples, classes):
    predictions, labels, _ = random_table(seed, examples, classes)
    expected = oracle.confusion_matrix(
        labels, predictions.predicted, labels=range(classes)
    )
    found = metrics.confusion_matrix(predictions, classes)
    np.testing.assert_array_equal(found, expected)
    names = tuple(f"class-{i}" for i in range(classes))
    reports = metrics.class_reports(predictions, names)
    assert [row.examples for row in reports] == expected.sum(axis=1).tolist()
    assert [row.predicted for row in reports] == expected.sum(axis=0).tolist()
    assert [row.correct for row in reports] == expected.diagonal().tolist()


def test_calibration_error_of_a_hand_worked_case():
    """Two bins: 0.6 said, 1 of 2 right; 0.9 said, 2 of 2 right."""
    probabilities = np.array([[0.6, 0.4], [0.6, 0.4], [0.1, 0.9], [0.1, 0.9]])
    predictions = table(np.array([0, 1, 1, 1]), probabilities)
    found = metrics.measure(predictions, 2, FEW)["calibration_error"]
    assert found.value == pytest.approx((2 * 0.1 + 2 * 0.1) / 4)
    bins = metrics.calibration_bins(predictions, 15)
    assert [(b.examples, b.accuracy) for b in bins] == [(2, 0.5), (2, 1.0)]
    assert [b.mean_confidence for b in bins] == pytest.approx([0.6, 0.9])
    assert all(b.low < b.mean_confidence <= b.high for b in bins)


def test_interval_covers_the_true_accuracy_about_as_often_as_it_claims():
    config = EvaluationConfig(bootstrap_resamples=300, confidence=0.9)
    covered = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        right = generator.random(150) < 0.8
        probabilities = np.where(right[:, None], [0.3, 0.7], [0.7, 0.3])
        top1 = metrics.measure(table(np.ones(150, int), probabilities), 2, config)[
            "top1"
        ]
        covered += top1.low <= 0.8 <= top1.high
    assert 82 <= covered <= 97  # 90 expected, standard deviation 3


def test_same_seed_same_interval_and_another_seed_another():
    predictions, _, _ = random_table(seed=3, examples=200, classes=2)
    one = metrics.measure(predictions, 2, EvaluationConfig(bootstrap_seed=1))
    same = metrics.measure(predictions, 2, EvaluationConfig(bootstrap_seed=1))
    other = metrics.measure(predictions, 2, EvaluationConfig(bootstrap_seed=2))
    assert one == same
    assert one["auroc"] != other["auroc"]
    assert one["auroc"].value == other["auroc"].value


def test_all_right_is_not_reported_as_certain():
    predictions = table(np.zeros(20, int), np.tile([0.9, 0.1], (20, 1)))
    top1 = metrics.measure(predictions, 2, FEW)["top1"]
    assert (top1.value, top1.high, top1.method) == (1.0, 1.0, "wilson")
    assert top1.low == pytest.approx(0.8389, abs=1e-4)  # Wilson, 20 of 20, 95 %


def test_a_single_example_has_only_its_accuracy():
    predictions = table(np.array([1]), np.array([[0.2, 0.8]]))
    assert set(metrics.measure(predictions, 2, FEW)) == {"top1"}


def test_several_labels_count_a_hit_on_any_of_them():
    labels = np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    probabilities = np.array([[0.1, 0.8, 0.1], [0.5, 0.2, 0.3]])
    predictions = rank(["a", "b"], labels, probabilities, {})
    found = metrics.measure(predictions, 3, FEW)
    assert set(found) == {"top1", "calibration_error"}
    assert found["top1"].value == 0.5
    assert metrics.confusion_matrix(predictions, 3) is None


def test_roc_curve_encloses_the_reported_area():
    predictions, _, _ = random_table(seed=5, examples=300, classes=2)
    curve = metrics.roc_curve(predictions, ("good", "bad"))
    area = oracle.auc(curve.false_positive_rates, curve.true_positive_rates)
    assert area == pytest.approx(metrics.measure(predictions, 2, FEW)["auroc"].value)
    assert curve.positive == "bad"
    assert np.isfinite(curve.thresholds).all()


def test_roc_curve_needs_both_of_two_classes():
    three, _, _ = random_table(seed=5, examples=30, classes=3)
    one_sided = table(np.zeros(4, int), np.tile([0.9, 0.1], (4, 1)))
    assert metrics.roc_curve(three, ("a", "b", "c")) is None
    assert metrics.roc_curve(one_sided, ("a", "b")) is None


def test_a_long_roc_curve_is_thinned_and_keeps_its_ends_and_its_area():
    generator = np.random.default_rng(0)
    labels = generator.integers(2, size=20_000)
    scores = 1 / (1 + np.exp(-(generator.normal(size=20_000) + 2 * labels - 1)))
    predictions = table(labels, np.stack([1 - scores, scores], axis=1))
    curve = metrics.roc_curve(predictions, ("good", "bad"))
    assert len(curve.thresholds) == metrics.ROC_POINTS
    rates = list(
        zip(curve.false_positive_rates, curve.true_positive_rates, strict=True)
    )
    assert (rates[0], rates[-1]) == ((0, 0), (1, 1))
    area = oracle.auc(curve.false_positive_rates, curve.true_positive_rates)
    assert area == pytest.approx(oracle.roc_auc_score(labels, scores), abs=1e-3)
