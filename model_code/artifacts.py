"""The directory contract of every artifact that one task hands to another.

No other module spells a file name that crosses a task boundary. Writers and
readers take the directory and these names.

Dataset artifact (small; the shards stay under the data root):
    manifest.json       `data.manifest.DatasetManifest`, with the shards' location
Validation artifact:
    validation.json     verdict, counts, anomalies, whether TFDV ran
    statistics.html     the view a person opens
    statistics.pb, schema.pbtxt, anomalies.pbtxt   where TFDV ran
Model artifact (from pretrain and finetune):
    model.json          `ModelCard`: network, classes, sizes, preprocessing
    model.weights.h5    evaluation weights (EMA where the recipe has it)
    history.jsonl       one JSON object an evaluation or log interval
    saved_model/        servable: encoded image bytes to class probabilities;
                        from finetune
Evaluation artifact:
    evaluation.json     `evaluation.report.EvaluationReport`
    predictions.jsonl   one line an example: id, label, probabilities, slices
    report.html         self-contained
    champion.json       `evaluation.gate.Incumbent`, where there is a champion
    analysis.json       TFMA's metrics by slice, where the recipe demands TFMA
Gate artifact:
    decision.json       `evaluation.gate.GateDecision`
Search artifact:
    study.json          `search.summary.StudySummary`: every trial, the winner
    winner.yaml         the winner's block table; a recipe's `model.variant`
    family/SIZE.yaml    the same, scaled to b0 to b3, s, m and l
    report.html         self-contained
"""

import json
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"

VALIDATION = "validation.json"
VALIDATION_HTML = "statistics.html"
STATISTICS = "statistics.pb"
SCHEMA = "schema.pbtxt"
ANOMALIES = "anomalies.pbtxt"

MODEL_CARD = "model.json"
WEIGHTS = "model.weights.h5"
HISTORY = "history.jsonl"
SAVED_MODEL = "saved_model"

EVALUATION = "evaluation.json"
PREDICTIONS = "predictions.jsonl"
REPORT = "report.html"
INCUMBENT = "champion.json"
ANALYSIS = "analysis.json"

DECISION = "decision.json"

VERSION = "version.json"

PROMOTION = "promotion.json"

STUDY = "study.json"
WINNER = "winner.yaml"
FAMILY = "family"


def write_json(path: Path, value: Any) -> None:
    """Write `value` whole or not at all: a temporary file, then a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")
    temporary.replace(path)


def read_json(path: Path) -> Any:
    """The value that `write_json` wrote."""
    return json.loads(path.read_text())
