"""The page that a person reads: one file, no network, light and dark."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from model_code.evaluation import charts
from model_code.evaluation.gate import Incumbent
from model_code.evaluation.report import EvaluationReport

NAMES = {
    "top1": "Accuracy",
    "top5": "Top-5 accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "auroc": "AUROC",
    "calibration_error": "Calibration error",
}
"""Metrics in the order and the words of the page."""

_TABLE_CLASSES = 12
_CONFUSED_SHOWN = 10


@dataclass(frozen=True)
class Page:
    """What the page shows.

    Attributes:
        report: of the model.
        history: rows of its `history.jsonl`, oldest first.
        pictures: one PNG for each of the report's mistakes.
        champion: the version in use, judged on the same examples, if any.
        facts: what made the model, by name.
    """

    report: EvaluationReport
    history: Sequence[Mapping[str, Any]]
    pictures: Sequence[bytes]
    champion: Incumbent | None
    facts: Mapping[str, str]


def render(page: Page) -> str:
    """The page as one HTML text."""
    environment = Environment(
        loader=PackageLoader("model_code.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    report = page.report
    return environment.get_template("report.html.j2").render(
        page=page,
        report=report,
        names={key: NAMES[key] for key in NAMES if key in report.metrics},
        curves=_curves(page.history),
        calibration=charts.calibration(report.calibration, "Reliability diagram"),
        roc=charts.roc(report.roc, "ROC curve") if report.roc else None,
        heat=_heat(report),
        confused=_confused(report),
        matrix=report.confusion if len(report.class_names) <= _TABLE_CLASSES else None,
        gallery=_gallery(page),
    )


def percent(value: float) -> str:
    """0.8437 as `84.4 %`, with a space that does not break."""
    return f"{100 * value:.1f}\N{NO-BREAK SPACE}%"


def write(page: Page, path: Path) -> None:
    """Write the page whole or not at all."""
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_text(render(page), encoding="utf-8")
    temporary.replace(path)


def _curves(history: Sequence[Mapping[str, Any]]) -> list[Any]:
    bands = charts.size_bands(history)
    drawn = []
    for title, keys, is_share in (
        ("Loss", {"train/loss": "train", "val/loss": "validation"}, False),
        ("Validation accuracy", {"val/top1": "validation"}, True),
    ):
        lines = [_curve(history, key, label) for key, label in keys.items()]
        kept = [line for line in lines if line.steps]
        if kept:
            drawn.append((title, charts.curves(kept, bands, title, is_share)))
    return drawn


def _curve(history: Sequence[Mapping[str, Any]], key: str, label: str) -> charts.Curve:
    rows = [row for row in history if key in row]
    return charts.Curve(
        label, [row["step"] for row in rows], [row[key] for row in rows]
    )


def _heat(report: EvaluationReport) -> Any:
    if report.confusion is None or len(report.class_names) <= _TABLE_CLASSES:
        return None
    return charts.confusion(report.confusion, "Confusion matrix")


def _confused(report: EvaluationReport) -> list[tuple[str, str, int]]:
    """(label, taken for, images) of the commonest confusions of many classes."""
    if report.confusion is None or len(report.class_names) <= _TABLE_CLASSES:
        return []
    names = report.class_names
    pairs = [
        (names[label], names[predicted], count)
        for label, row in enumerate(report.confusion)
        for predicted, count in enumerate(row)
        if label != predicted and count
    ]
    return sorted(pairs, key=lambda pair: -pair[2])[:_CONFUSED_SHOWN]


def _gallery(page: Page) -> list[Any]:
    pairs = zip(page.report.mistakes, page.pictures, strict=True)
    return [
        (mistake, "data:image/png;base64," + base64.b64encode(picture).decode())
        for mistake, picture in pairs
    ]
