"""What a finished run achieved: from its record to an answer."""

import shlex
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from model_code import artifacts
from model_code.config.base import STRICT
from model_code.evaluation import documents
from model_code.evaluation.report import Estimate, EvaluationReport
from pipelines.local.record import RunRecord, TaskState
from pipelines.local.workspace import Workspace

_WORK = ("ingest", "pretrain", "finetune", "evaluate")
"""The rest of the wall time, imports included, is orchestration."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TaskSummary:
    """One task: wall time of its process, and of the work inside."""

    title: str
    state: TaskState
    seconds: float
    work_seconds: float


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DatasetSummary:
    """One dataset; `reused` means that it was complete before this run."""

    title: str
    name: str
    fingerprint: str
    examples: int
    dead_letters: int
    reused: bool


@dataclass(frozen=True, kw_only=True, config=STRICT)
class HeldOutSummary:
    """How the model did on the test split; `certain` on its certain labels."""

    examples: int
    confidence: float
    majority_share: float
    metrics: dict[str, Estimate]
    certain_examples: int | None
    certain: dict[str, Estimate] | None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class VersionSummary:
    """The registered version, what the gate said, and what was done."""

    model_name: str
    version: int
    aliases: tuple[str, ...]
    promoted: bool
    reason: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RunSummary:
    """A finished run, as `effnetv2 run --json` prints it.

    `overhead` is the share of `seconds` outside ingest, training and
    evaluation. `next_commands` show the tracking store and use the model.
    """

    run_id: str
    recipe: str
    recipe_digest: str
    attempts: int
    seconds: float
    overhead: float
    tasks: tuple[TaskSummary, ...]
    datasets: tuple[DatasetSummary, ...]
    test: HeldOutSummary
    version: VersionSummary
    report: str
    log: str
    next_commands: tuple[str, ...]


def summarise(record: RunRecord, workspace: Workspace) -> RunSummary:
    """The summary of a run that succeeded."""
    evaluation = Path(record.task("evaluate").outputs["evaluation"].uri)
    version = _version(record)
    return RunSummary(
        run_id=record.run_id,
        recipe=record.recipe,
        recipe_digest=record.recipe_digest,
        attempts=record.attempts,
        seconds=record.seconds,
        overhead=_overhead(record),
        tasks=tuple(
            TaskSummary(
                title=task.title,
                state=task.state,
                seconds=task.seconds,
                work_seconds=task.work_seconds,
            )
            for task in record.tasks
        ),
        datasets=_datasets(record),
        test=_test(documents.read(EvaluationReport, evaluation / artifacts.EVALUATION)),
        version=version,
        report=str(evaluation / artifacts.REPORT),
        log=str(workspace.run(record.run_id).log),
        next_commands=_next_commands(record, version, workspace),
    )


def to_plain(summary: RunSummary) -> dict[str, Any]:
    """The summary as plain JSON values."""
    plain: dict[str, Any] = TypeAdapter(RunSummary).dump_python(summary, mode="json")
    return plain


def _overhead(record: RunRecord) -> float:
    work = sum(
        task.work_seconds for task in record.tasks if task.name.startswith(_WORK)
    )
    return 1 - work / record.seconds


def _datasets(record: RunRecord) -> tuple[DatasetSummary, ...]:
    return tuple(
        DatasetSummary(
            title=task.title.removeprefix("ingest "),
            name=facts["name"],
            fingerprint=facts["fingerprint"],
            examples=int(facts["examples"]),
            dead_letters=int(facts["dead_letters"]),
            reused=facts["reused"],
        )
        for task in record.tasks
        if task.name.startswith("ingest")
        for facts in [task.outputs["dataset"].metadata]
    )


def _test(report: EvaluationReport) -> HeldOutSummary:
    certain = report.certain
    return HeldOutSummary(
        examples=report.examples,
        confidence=report.confidence,
        majority_share=report.majority_share,
        metrics=report.metrics,
        certain_examples=None if certain is None else certain.examples,
        certain=None if certain is None else certain.metrics,
    )


def _version(record: RunRecord) -> VersionSummary:
    registered = record.task("register").outputs["version"].metadata
    done = record.task("promote").outputs["promotion"].metadata
    return VersionSummary(
        model_name=registered["model_name"],
        version=int(registered["version"]),
        aliases=tuple(done["aliases"]),
        promoted=done["promoted"],
        reason=done["reason"],
    )


def _next_commands(
    record: RunRecord, version: VersionSummary, workspace: Workspace
) -> tuple[str, ...]:
    uri = record.arguments["tracking_uri"]
    place = (
        f"--workspace {shlex.quote(str(workspace.root))}"
        if uri == workspace.tracking_uri
        else f"--tracking-uri {shlex.quote(uri)}"
    )
    alias = f"@{version.aliases[0]}" if version.aliases else f"/{version.version}"
    return (
        f"mlflow ui --backend-store-uri {shlex.quote(uri)}",
        f"effnetv2 predict IMAGE --model {version.model_name}{alias} {place}",
    )
