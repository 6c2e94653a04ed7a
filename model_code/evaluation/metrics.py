"""Metrics of a table of predictions, each with its confidence interval.

Every statistic is vectorised over resamples: [R, N] example indices in, R
values out; the value itself is the statistic on one "resample", all examples.
The tests hold each to scikit-learn's.
"""

import numpy as np
from scipy import stats

from model_code.config.recipe import EvaluationConfig
from model_code.evaluation import resampling
from model_code.evaluation.predictions import Booleans, Floats, Integers, Predictions
from model_code.evaluation.report import CalibrationBin, ClassReport, Estimate, RocCurve
from model_code.evaluation.resampling import Statistic

# A matrix of more classes is neither read nor worth its megabytes.
CONFUSION_CLASSES = 100

ROC_POINTS = 200


def measure(
    predictions: Predictions, class_count: int, config: EvaluationConfig
) -> dict[str, Estimate]:
    """The metrics that are defined for these predictions, by name.

    top5 needs more than five classes; balanced accuracy and macro F1 one label
    an example; AUROC two classes that both occur.
    """
    examples = len(predictions)
    found: dict[str, Estimate | None] = {
        "top1": resampling.proportion(predictions.correct, config),
        "calibration_error": resampling.bootstrap_distance(
            _calibration_error(predictions, config.calibration_bins), examples, config
        ),
    }
    if class_count > 5:
        among_five = np.logical_or.reduce(predictions.hits[:, :5], axis=1)
        found["top5"] = resampling.proportion(among_five, config)
    if predictions.is_single_label:
        for name, statistic in (
            ("balanced_accuracy", _balanced_accuracy(predictions, class_count)),
            ("macro_f1", _macro_f1(predictions, class_count)),
        ):
            found[name] = resampling.bootstrap(statistic, examples, config)
        if class_count == 2:
            statistic = _auroc(predictions)
            found["auroc"] = resampling.bootstrap(statistic, examples, config)
    return {name: estimate for name, estimate in found.items() if estimate is not None}


def confusion_matrix(
    predictions: Predictions, class_count: int
) -> tuple[tuple[int, ...], ...] | None:
    """Counts by [label][predicted]; None for many classes or several labels."""
    if class_count > CONFUSION_CLASSES or not predictions.is_single_label:
        return None
    cells = predictions.labels * class_count + predictions.predicted
    counts = np.bincount(cells, minlength=class_count**2)
    rows = counts.reshape(class_count, class_count).tolist()
    return tuple(tuple(row) for row in rows)


def class_reports(
    predictions: Predictions, class_names: tuple[str, ...]
) -> tuple[ClassReport, ...]:
    """Counts for each class, in the order of the label space.

    With several labels an example, an example counts under its first.
    """
    count = len(class_names)
    agree = predictions.labels == predictions.predicted
    examples = np.bincount(predictions.labels, minlength=count)
    predicted = np.bincount(predictions.predicted, minlength=count)
    correct = np.bincount(predictions.labels[agree], minlength=count)
    return tuple(
        ClassReport(name=name, examples=int(n), predicted=int(p), correct=int(c))
        for name, n, p, c in zip(class_names, examples, predicted, correct, strict=True)
    )


def calibration_bins(predictions: Predictions, bins: int) -> tuple[CalibrationBin, ...]:
    """The bins that hold examples, by rising confidence."""
    placed = _bin_of(predictions.confidence, bins)
    found = []
    for index in np.unique(placed):
        here = placed == index
        found.append(
            CalibrationBin(
                low=float(index / bins),
                high=float((index + 1) / bins),
                examples=int(here.sum()),
                mean_confidence=float(predictions.confidence[here].mean()),
                accuracy=float(predictions.correct[here].mean()),
            )
        )
    return tuple(found)


def roc_curve(
    predictions: Predictions, class_names: tuple[str, ...]
) -> RocCurve | None:
    """The ROC curve of the last of two classes; None where it is undefined.

    At most 200 of its points, ends included, so that the metadata of a task stays
    small; the reported AUROC is of all of them. scikit-learn starts at a threshold
    of infinity, which JSON has not; no probability exceeds 1, so 1 + 1e-9 says the
    same.
    """
    present = set(predictions.labels.tolist())
    if len(class_names) != 2 or len(present) != 2 or not predictions.is_single_label:
        return None
    from sklearn import metrics

    false, true, thresholds = metrics.roc_curve(
        predictions.labels == 1, _probability_of_last(predictions)
    )
    points = min(len(thresholds), ROC_POINTS)
    kept = np.linspace(0, len(thresholds) - 1, points).round().astype(np.int64)
    return RocCurve(
        positive=class_names[1],
        false_positive_rates=tuple(false[kept].tolist()),
        true_positive_rates=tuple(true[kept].tolist()),
        thresholds=tuple(np.minimum(thresholds[kept], 1 + 1e-9).tolist()),
    )


def _balanced_accuracy(predictions: Predictions, class_count: int) -> Statistic:
    def statistic(indices: Integers) -> Floats:
        labels = predictions.labels[indices]
        support = _count(labels, class_count)
        correct = _count(labels, class_count, predictions.correct[indices])
        return _mean_defined(correct, support)

    return statistic


def _macro_f1(predictions: Predictions, class_count: int) -> Statistic:
    def statistic(indices: Integers) -> Floats:
        labels = predictions.labels[indices]
        support = _count(labels, class_count)
        predicted = _count(predictions.predicted[indices], class_count)
        correct = _count(labels, class_count, predictions.correct[indices])
        return _mean_defined(2 * correct, support + predicted)

    return statistic


def _auroc(predictions: Predictions) -> Statistic:
    """Mann-Whitney U over pairs; the same whichever class is called positive."""
    scores = _probability_of_last(predictions)
    positives = predictions.labels == 1

    def statistic(indices: Integers) -> Floats:
        positive = positives[indices]
        ranks = stats.rankdata(scores[indices], axis=-1)
        count = positive.sum(axis=-1)
        u = (ranks * positive).sum(axis=-1) - count * (count + 1) / 2
        pairs = count * (positive.shape[-1] - count)
        return np.divide(u, pairs, out=np.full(len(u), np.nan), where=pairs > 0)

    return statistic


def _calibration_error(predictions: Predictions, bins: int) -> Statistic:
    """Share-weighted distance of accuracy from confidence (Guo et al. 2017, eq. 3)."""
    placed = _bin_of(predictions.confidence, bins)
    gap = predictions.correct - predictions.confidence

    def statistic(indices: Integers) -> Floats:
        gaps = _count(placed[indices], bins, gap[indices])
        return np.abs(gaps).sum(axis=-1) / indices.shape[-1]

    return statistic


def _bin_of(confidence: Floats, bins: int) -> Integers:
    """Index of the bin (i / bins, (i + 1) / bins] that holds each confidence."""
    placed = np.ceil(confidence * bins).astype(np.int64) - 1
    return np.clip(placed, 0, bins - 1)


def _probability_of_last(predictions: Predictions) -> Floats:
    """The probability of class 1 of two, [N]."""
    second = predictions.ranked_classes == 1
    return predictions.ranked_probabilities[second]


def _count(
    values: Integers, size: int, weights: Floats | Booleans | None = None
) -> Floats:
    """How often each value below `size` occurs in each row: [R, N] to [R, size]."""
    rows = len(values)
    cells = values + size * np.arange(rows)[:, np.newaxis]
    counted = np.bincount(
        cells.ravel(),
        weights=None if weights is None else weights.ravel(),
        minlength=rows * size,
    )
    return counted.reshape(rows, size).astype(np.float64)


def _mean_defined(numerator: Floats, denominator: Floats) -> Floats:
    """Mean over classes of the quotient, leaving out classes with nothing below."""
    defined = denominator > 0
    quotient = np.divide(
        numerator, denominator, out=np.zeros_like(numerator), where=defined
    )
    return quotient.sum(axis=-1) / defined.sum(axis=-1)
