"""Tasks ingest and validate."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_code import artifacts, progress
from model_code.config.beam import parse_beam_options
from model_code.data import manifest
from model_code.tasks.given import Stopwatch, dataset_config

if TYPE_CHECKING:
    from model_code.data.validation import ValidationReport


def ingest_dataset(
    recipe: str, task: str, data_root: str, beam_options: str, output: str
) -> dict[str, Any]:
    """Build or find the dataset of a section; write its manifest to `output`."""
    from model_code.data.ingest import ingest

    progress.show()
    config = dataset_config(recipe, task)
    with Stopwatch() as work:
        dataset = ingest(config, data_root, parse_beam_options(beam_options))
        manifest.write(dataset, output)
    dead_letters = sum(dataset.dead_letters.values())
    refused = f", {dead_letters:,} refused" if dead_letters else ""
    reused = ", reused" if dataset.reused else ""
    return {
        "name": dataset.name,
        "fingerprint": dataset.fingerprint,
        "location": dataset.location,
        "examples": dataset.examples,
        "classes": len(dataset.class_names),
        "bytes": dataset.bytes,
        "dead_letters": dead_letters,
        "reused": dataset.reused,
        "work_seconds": work.seconds,
        "summary": f"{dataset.name}: {dataset.examples:,} images of "
        f"{len(dataset.class_names)} classes{refused}{reused}",
    }


def validate_dataset(
    recipe: str, task: str, dataset: str, output: str, view: str
) -> dict[str, Any]:
    """Judge a dataset; the artifact to `output`, the page a person opens to `view`.

    Raises:
        DataError: the dataset did not pass.
    """
    from model_code.data.validation import validate

    progress.show()
    config = dataset_config(recipe, task)
    with Stopwatch() as work:
        found = manifest.read(dataset)
        report = validate(found, config.validation, Path(output))
    shutil.copyfile(Path(output) / artifacts.VALIDATION_HTML, view)
    report.require_passed()
    return {
        "name": report.dataset,
        "fingerprint": report.fingerprint,
        "warnings": len(report.findings),
        "tfdv": report.tfdv.version if report.tfdv.ran else report.tfdv.reason,
        "work_seconds": work.seconds,
        "summary": _verdict(report),
    }


def _verdict(report: "ValidationReport") -> str:
    warnings = f"passed, {len(report.findings)} warnings; "
    passed = warnings if report.findings else "passed; "
    if report.tfdv.ran:
        return f"{passed}TFDV {report.tfdv.version}"
    return f"{passed}TFDV not run: {report.tfdv.reason}"
