"""From a table of predictions to the evaluation report; pure."""

from collections.abc import Sequence

import numpy as np

from model_code.config.recipe import EvaluationConfig
from model_code.errors import ConfigError
from model_code.evaluation import metrics
from model_code.evaluation.predictions import Predictions
from model_code.evaluation.report import EvaluationReport, Mistake, SliceReport

CERTAIN = "certain"
"""The value of `EvaluationConfig.certain_feature` that marks a sure label."""


def summarize(
    predictions: Predictions,
    config: EvaluationConfig,
    *,
    dataset: str,
    fingerprint: str,
    split: str,
    class_names: tuple[str, ...],
    image_size: int,
    mistakes: Sequence[int],
    unlabelled: int,
) -> EvaluationReport:
    """Everything that the report says, from the predictions alone.

    Args:
        predictions: of the split's labelled examples.
        config: slices, intervals and bins.
        dataset: name of the dataset.
        fingerprint: of the dataset.
        split: name of the split.
        class_names: the label space.
        image_size: of the model, in pixels.
        mistakes: indices of those to list, in order.
        unlabelled: examples of the split that were left out.

    Raises:
        ConfigError: a slice that the examples do not have.
    """
    _check_slices(predictions, config)
    count = len(class_names)
    return EvaluationReport(
        dataset=dataset,
        dataset_fingerprint=fingerprint,
        split=split,
        class_names=class_names,
        image_size=image_size,
        examples=len(predictions),
        unlabelled=unlabelled,
        majority_share=float(np.bincount(predictions.labels).max() / len(predictions)),
        confidence=config.confidence,
        metrics=metrics.measure(predictions, count, config),
        certain=_certain(predictions, count, config),
        slices=tuple(
            _slice(predictions, count, config, feature, value)
            for feature in config.slices
            for value in sorted(set(predictions.slices[feature]))
        ),
        classes=metrics.class_reports(predictions, class_names),
        confusion=metrics.confusion_matrix(predictions, count),
        calibration=metrics.calibration_bins(predictions, config.calibration_bins),
        roc=metrics.roc_curve(predictions, class_names),
        mistakes=tuple(_mistake(predictions, class_names, i) for i in mistakes),
    )


def _certain(
    predictions: Predictions, class_count: int, config: EvaluationConfig
) -> SliceReport | None:
    feature = config.certain_feature
    if feature is None or CERTAIN not in predictions.slices[feature]:
        return None
    return _slice(predictions, class_count, config, feature, CERTAIN)


def _slice(
    predictions: Predictions,
    class_count: int,
    config: EvaluationConfig,
    feature: str,
    value: str,
) -> SliceReport:
    part = predictions.in_slice(feature, value)
    return SliceReport(
        feature=feature,
        value=value,
        examples=len(part),
        metrics=metrics.measure(part, class_count, config),
    )


def _mistake(
    predictions: Predictions, class_names: tuple[str, ...], index: int
) -> Mistake:
    return Mistake(
        id=predictions.ids[index],
        label=class_names[predictions.labels[index]],
        predicted=class_names[predictions.predicted[index]],
        probability=float(predictions.confidence[index]),
    )


def _check_slices(predictions: Predictions, config: EvaluationConfig) -> None:
    wanted = {
        *config.slices,
        *([config.certain_feature] if config.certain_feature else []),
    }
    missing = sorted(wanted - set(predictions.slices))
    if missing:
        known = ", ".join(sorted(predictions.slices)) or "none"
        raise ConfigError(
            f"The recipe evaluates by {', '.join(missing)}, but the dataset has the "
            f"slice features: {known}. Name one of those in evaluation.slices or "
            "evaluation.certain_feature, or leave it out."
        )
