"""Evaluation reports made on the spot."""

from model_code.evaluation.report import (
    CalibrationBin,
    ClassReport,
    Estimate,
    EvaluationReport,
    Mistake,
    RocCurve,
    SliceReport,
)


def estimate(value: float) -> Estimate:
    return Estimate(
        value=value,
        low=max(value - 0.03, 0.0),
        high=min(value + 0.03, 1.0),
        method="bootstrap",
    )


def evaluation_report(
    top1: float = 0.85, fingerprint: str = "f" * 64, **metrics: float
) -> EvaluationReport:
    """A report of 656 solar cells with these metrics."""
    scores = {"top1": top1, "calibration_error": 0.04, **metrics}
    estimates = {name: estimate(value) for name, value in scores.items()}
    return EvaluationReport(
        dataset="elpv",
        dataset_fingerprint=fingerprint,
        split="test",
        class_names=("defective", "functional"),
        image_size=96,
        examples=656,
        unlabelled=0,
        majority_share=0.687,
        confidence=0.95,
        metrics=estimates,
        certain=SliceReport(
            feature="defect_certain", value="certain", examples=520, metrics=estimates
        ),
        slices=(
            SliceReport(
                feature="cell_type", value="mono", examples=260, metrics=estimates
            ),
            SliceReport(
                feature="cell_type", value="poly", examples=396, metrics=estimates
            ),
        ),
        classes=(
            ClassReport(name="defective", examples=205, predicted=190, correct=150),
            ClassReport(name="functional", examples=451, predicted=466, correct=411),
        ),
        confusion=((150, 55), (40, 411)),
        calibration=(
            CalibrationBin(
                low=0.5, high=0.6, examples=56, mean_confidence=0.56, accuracy=0.5
            ),
            CalibrationBin(
                low=0.9, high=1.0, examples=600, mean_confidence=0.95, accuracy=0.9
            ),
        ),
        roc=RocCurve(
            positive="functional",
            false_positive_rates=(0.0, 0.1, 0.3, 1.0),
            true_positive_rates=(0.0, 0.7, 0.95, 1.0),
            thresholds=(1.0, 0.8, 0.5, 0.0),
        ),
        mistakes=(
            Mistake(
                id="cell0007.png",
                label="defective",
                predicted="functional",
                probability=0.98,
            ),
        ),
    )
