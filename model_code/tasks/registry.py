"""Tasks gate, register and promote."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_code import artifacts, model_card, progress
from model_code.config.recipe import Recipe, to_dict
from model_code.data import manifest
from model_code.evaluation import documents, gate
from model_code.evaluation.gate import GateDecision, Incumbent
from model_code.evaluation.report import EvaluationReport
from model_code.lineage import Lineage, as_tags, trace
from model_code.tasks.given import RunIdentity, read_recipe

_NO_IMAGE = "sha256:" + "0" * 64
"""The digest of a graph whose image nobody set: its tasks run outside of one."""


def decide(recipe: str, evaluation: str, output: str) -> dict[str, Any]:
    """Compare challenger and champion; the gate decision goes to `output`."""
    judged = Path(evaluation)
    incumbent = judged / artifacts.INCUMBENT
    decision = gate.decide(
        documents.read(EvaluationReport, judged / artifacts.EVALUATION),
        documents.read(Incumbent, incumbent) if incumbent.exists() else None,
        read_recipe(recipe).gate,
    )
    documents.write(decision, Path(output) / artifacts.DECISION)
    return {
        "promote": decision.promote,
        "reason": decision.reason,
        "summary": "promote" if decision.promote else "keep the champion",
    }


@dataclass(frozen=True)
class Origin:
    """What ran: code, packages, and the image of the tasks."""

    code_revision: str
    environment_lock_digest: str
    image: str


@dataclass(frozen=True)
class Part:
    """Dataset and Model artifact of one training task."""

    dataset: str
    model: str


@dataclass(frozen=True)
class Places:
    """Paths of the register task; `parts` by training task, `finetune` among them."""

    parts: Mapping[str, Part]
    evaluation: str
    decision: str
    output: str


def register_version(
    recipe: str,
    tracking_uri: str,
    run: RunIdentity,
    origin: Origin,
    places: Places,
) -> dict[str, Any]:
    """Register the finetuned model with all that made it, once a run."""
    from model_code.adapters.mlflow_store import MlflowStore
    from model_code.adapters.registration import register
    from model_code.adapters.tracking import announced_run, join_or_start

    progress.show()
    settings = read_recipe(recipe)
    store = MlflowStore(tracking_uri)
    tracking = join_or_start(store, settings.model_name, run.key, announced_run())
    tracking.log_parameters(to_dict(settings))
    for task, part in places.parts.items():
        tracking.log_history(task, _history(Path(part.model)))
    evaluation = Path(places.evaluation)
    tracking.log_files(evaluation / artifacts.REPORT)
    model = Path(places.parts["finetune"].model)
    lineage = _lineage(settings, run, origin, places, tracking.run_id)
    version = register(
        store,
        settings.model_name,
        files=_files(model, evaluation),
        class_names=model_card.read(model).class_names,
        tags={**as_tags(lineage), **_decision_tags(Path(places.decision))},
        metrics=_test_metrics(evaluation),
        tracking_run_id=tracking.run_id,
    )
    tracking.finish()
    facts = {"model_name": version.model_name, "version": version.version}
    artifacts.write_json(Path(places.output) / artifacts.VERSION, facts)
    return {**facts, "tracking_run_id": tracking.run_id, "summary": str(version)}


def promote_version(
    tracking_uri: str, decision: str, version: str, output: str
) -> dict[str, Any]:
    """Act on the gate decision; what was done goes to `output`."""
    from model_code.adapters.mlflow_store import MlflowStore
    from model_code.adapters.registry import ModelRegistry

    progress.show()
    registry = ModelRegistry(MlflowStore(tracking_uri))
    registered = artifacts.read_json(Path(version) / artifacts.VERSION)
    done = registry.act_on(
        registry.find(f"{registered['model_name']}/{registered['version']}"),
        documents.read(GateDecision, Path(decision) / artifacts.DECISION),
    )
    aliases = " ".join(f"@{alias}" for alias in done.version.aliases)
    facts = {
        "promoted": done.promoted,
        "reason": done.reason,
        "aliases": list(done.version.aliases),
    }
    artifacts.write_json(Path(output) / artifacts.PROMOTION, facts)
    return {**facts, "summary": f"{done.version} is {aliases}"}


def _history(model: Path) -> list[dict[str, Any]]:
    lines = (model / artifacts.HISTORY).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _files(model: Path, evaluation: Path) -> list[Path]:
    """What a later run needs of a version: to serve, to go on training, to judge."""
    of_model = (
        artifacts.SAVED_MODEL,
        artifacts.MODEL_CARD,
        artifacts.WEIGHTS,
        artifacts.HISTORY,
    )
    of_evaluation = (artifacts.EVALUATION, artifacts.REPORT)
    return [
        *(model / name for name in of_model),
        *(evaluation / name for name in of_evaluation),
    ]


def _lineage(
    recipe: Recipe,
    run: RunIdentity,
    origin: Origin,
    places: Places,
    tracking_run_id: str,
) -> Lineage:
    return trace(
        recipe,
        run_key=run.key,
        pipeline_run_id=run.pipeline_run_id,
        tracking_run_id=tracking_run_id,
        dataset_fingerprints={
            task: manifest.read(part.dataset).fingerprint
            for task, part in places.parts.items()
        },
        code_revision=origin.code_revision,
        environment_lock_digest=origin.environment_lock_digest,
        image_digest=None if origin.image.endswith(_NO_IMAGE) else origin.image,
    )


def _decision_tags(decision: Path) -> dict[str, str]:
    decided = documents.read(GateDecision, decision / artifacts.DECISION)
    return {
        "gate.promote": str(decided.promote),
        "gate.reason": decided.reason,
        "gate.primary_metric": decided.primary_metric,
    }


def _test_metrics(evaluation: Path) -> dict[str, float]:
    report = documents.read(EvaluationReport, evaluation / artifacts.EVALUATION)
    return {
        f"{report.split}/{name}": estimate.value
        for name, estimate in report.metrics.items()
    }
