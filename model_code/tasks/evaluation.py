"""Task evaluate."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_code import artifacts, progress
from model_code.config.recipe import digest
from model_code.data import manifest
from model_code.evaluation.report import EvaluationReport
from model_code.tasks.given import RunIdentity, Stopwatch, read_recipe

__all__ = ["Evaluated", "Places", "RunIdentity", "evaluate_model"]

Curve = tuple[list[float], list[float], list[float]]
"""False positive rates, true positive rates, thresholds."""


@dataclass(frozen=True)
class Evaluated:
    """What the door stores: facts, flat metrics, and what is drawn from counts."""

    facts: dict[str, Any]
    metrics: dict[str, float]
    class_names: list[str]
    confusion: list[list[int]] | None
    roc: Curve | None


@dataclass(frozen=True)
class Places:
    """Paths of the evaluate task; `page` is for a person."""

    dataset: str
    model: str
    output: str
    page: str


def evaluate_model(
    recipe: str,
    tracking_uri: str,
    run: RunIdentity,
    code_revision: str,
    places: Places,
) -> Evaluated:
    """Measure a model and the champion on the test split; write the artifact."""
    # TensorFlow and MLflow: imports are not work.
    from model_code.adapters.champion import find_champion
    from model_code.evaluation.evaluate import evaluate

    progress.show()
    settings = read_recipe(recipe)
    with Stopwatch() as work:
        report = evaluate(
            Path(places.model),
            manifest.read(places.dataset),
            settings.evaluation,
            Path(places.output),
            champion=find_champion(tracking_uri, settings.model_name),
            facts={
                "recipe": f"{settings.name} ({digest(settings)})",
                "pipeline run": run.key,
                "code revision": code_revision,
            },
        )
    shutil.copyfile(Path(places.output) / artifacts.REPORT, places.page)
    return Evaluated(
        facts={
            "examples": report.examples,
            "split": report.split,
            "work_seconds": work.seconds,
            "summary": _summary(report),
        },
        metrics=_flat_metrics(report),
        class_names=list(report.class_names),
        confusion=_matrix(report),
        roc=_curve(report),
    )


def _summary(report: EvaluationReport) -> str:
    top1 = report.metrics["top1"]
    return (
        f"top-1 {top1.value:.1%} ({top1.low:.1%} to {top1.high:.1%}) on "
        f"{report.examples:,} {report.split} images"
    )


def _flat_metrics(report: EvaluationReport) -> dict[str, float]:
    """Value and interval of each metric; those of a slice under its name."""
    parts = {"": report.metrics}
    if report.certain is not None:
        parts["certain/"] = report.certain.metrics
    for part in report.slices:
        parts[f"{part.feature}={part.value}/"] = part.metrics
    flat = {}
    for prefix, metrics in parts.items():
        for name, estimate in metrics.items():
            flat[f"{prefix}{name}"] = estimate.value
            flat[f"{prefix}{name}_low"] = estimate.low
            flat[f"{prefix}{name}_high"] = estimate.high
    return flat


def _matrix(report: EvaluationReport) -> list[list[int]] | None:
    if report.confusion is None:
        return None
    return [list(row) for row in report.confusion]


def _curve(report: EvaluationReport) -> Curve | None:
    if report.roc is None:
        return None
    return (
        list(report.roc.false_positive_rates),
        list(report.roc.true_positive_rates),
        list(report.roc.thresholds),
    )
