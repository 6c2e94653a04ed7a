"""The validate task: checks, TFDV where it is, verdict, view."""

import dataclasses
from pathlib import Path

from model_code import artifacts
from model_code.config.dataset import ValidationConfig
from model_code.data.manifest import DatasetManifest
from model_code.data.validation import checks
from model_code.data.validation.report import Finding, TfdvOutcome, ValidationReport
from model_code.data.validation.tfdv import run_tfdv
from model_code.data.validation.view import render


def validate(
    dataset: DatasetManifest,
    config: ValidationConfig,
    output: Path,
    *,
    previous: DatasetManifest | None = None,
) -> ValidationReport:
    """Judge a dataset; write the Validation artifact into `output`.

    The report says whether the dataset passed; it is written either way, and
    `ValidationReport.require_passed` stops the run.

    Args:
        dataset: what to judge.
        config: limits.
        output: directory of the artifact.
        previous: manifest of an earlier span, to measure drift against.

    Raises:
        UnavailableError: the recipe demands TFDV and it is not there.
    """
    output.mkdir(parents=True, exist_ok=True)
    distances = checks.split_distances(dataset, config)
    if previous is not None:
        distances += checks.span_distances(previous, dataset, config)
    tfdv = run_tfdv(dataset, config, output)
    findings = [*checks.find_problems(dataset, distances), *_anomalies(tfdv)]
    findings.sort(key=lambda found: found.severity)
    report = ValidationReport(
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        passed=all(found.severity != "error" for found in findings),
        findings=tuple(findings),
        examples={name: split.examples for name, split in dataset.splits.items()},
        class_shares={
            name: checks.class_shares(split) for name, split in dataset.splits.items()
        },
        distances=tuple(distances),
        tfdv=tfdv,
    )
    artifacts.write_json(output / artifacts.VALIDATION, dataclasses.asdict(report))
    (output / artifacts.VALIDATION_HTML).write_text(render(report, dataset))
    return report


def _anomalies(tfdv: TfdvOutcome) -> list[Finding]:
    return [
        Finding("error", "TFDV", f"{feature}: {text}")
        for feature, text in tfdv.anomalies.items()
    ]
