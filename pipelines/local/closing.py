"""The last page of a run: its summary for a person."""

from rich.console import Console
from rich.text import Text

from model_code.evaluation.report import Estimate
from pipelines.local.record import RunRecord
from pipelines.local.summary import RunSummary
from pipelines.local.tables import seconds, task_table

_LABEL_WIDTH = 15
_FINGERPRINT_DIGITS = 12


def print_summary(console: Console, record: RunRecord, summary: RunSummary) -> None:
    """Task by task, then what came out and what to do next."""
    console.print()
    console.print(task_table(record.tasks))
    console.print()
    for label, lines in _sections(summary):
        for index, line in enumerate(lines):
            head = Text((label if index == 0 else "").ljust(_LABEL_WIDTH), "bold")
            # Paths and commands are for copying: never broken by a narrow terminal.
            console.print(head + Text(line), soft_wrap=True)


def _sections(summary: RunSummary) -> list[tuple[str, list[str]]]:
    return [
        ("Run", [_run(summary)]),
        ("Test accuracy", _accuracy(summary)),
        ("Datasets", _datasets(summary)),
        ("Dead letters", _dead_letters(summary)),
        ("Model", _model(summary)),
        ("Report", [summary.report]),
        ("Log", [summary.log]),
        ("Next", list(summary.next_commands)),
    ]


def _run(summary: RunSummary) -> str:
    resumed = f", in {summary.attempts} attempts" if summary.attempts > 1 else ""
    return (
        f"{summary.run_id}: {seconds(summary.seconds)}{resumed}, of which "
        f"{summary.overhead:.0%} outside ingest, training and evaluation"
    )


def _accuracy(summary: RunSummary) -> list[str]:
    test = summary.test
    level = f"{test.confidence:.0%} interval"
    lines = [
        f"{_percent(test.metrics['top1'], level)}, {test.examples:,} images; "
        f"always the commonest class: {test.majority_share:.1%}"
    ]
    if test.certain is not None:
        lines.append(
            f"{_percent(test.certain['top1'], level)} on the "
            f"{test.certain_examples:,} images with a certain label"
        )
    return lines


def _percent(estimate: Estimate, level: str) -> str:
    low, high = f"{estimate.low:.1%}", f"{estimate.high:.1%}"
    return f"{estimate.value:.1%} ({level} {low} to {high})"


def _datasets(summary: RunSummary) -> list[str]:
    return [
        f"{dataset.name} ({dataset.title}) "
        f"{dataset.fingerprint[:_FINGERPRINT_DIGITS]}: {dataset.examples:,} images"
        f"{', reused' if dataset.reused else ''}"
        for dataset in summary.datasets
    ]


def _dead_letters(summary: RunSummary) -> list[str]:
    refused = [
        f"{dataset.dead_letters:,} images of {dataset.name}"
        for dataset in summary.datasets
        if dataset.dead_letters
    ]
    return refused or ["none"]


def _model(summary: RunSummary) -> list[str]:
    version = summary.version
    aliases = " ".join(f"@{alias}" for alias in version.aliases)
    verdict = "Promoted" if version.promoted else "Not promoted"
    return [
        f"{version.model_name}/{version.version} {aliases}",
        f"{verdict}: {version.reason}",
    ]
