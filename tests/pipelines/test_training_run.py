"""The whole pipeline on a tiny recipe, through the command line, once."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from model_code import artifacts
from pipelines.local import record as records
from pipelines.local.record import RunRecord
from pipelines.local.workspace import Workspace
from tests.helpers.recipes import TINY

EFFNETV2 = Path(sys.executable).with_name("effnetv2")
REVISION = "0123abc"


@dataclass(frozen=True)
class Finished:
    """A finished run and the places around it."""

    answer: dict[str, Any]
    record: RunRecord
    workspace: Workspace
    home: Path
    started_in: Path

    def output(self, task: str, name: str) -> Path:
        return Path(self.record.task(task).outputs[name].uri)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Finished:
    root = tmp_path_factory.mktemp("training")
    home, started_in = root / "home", root / "here"
    home.mkdir()
    started_in.mkdir()
    workspace = Workspace(root / "ws")
    ran = subprocess.run(
        [
            EFFNETV2,
            "run",
            f"--recipe={TINY}",
            f"--workspace={workspace.root}",
            "--json",
        ],
        cwd=started_in,
        env={**os.environ, "HOME": str(home), "EFFNETV2_CODE_REVISION": REVISION},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    (record,) = records.newest_first(workspace.runs)
    return Finished(json.loads(ran.stdout), record, workspace, home, started_in)


def test_every_task_finished_in_the_order_of_the_line(finished):
    assert [(task["title"], task["state"]) for task in finished.answer["tasks"]] == [
        ("ingest pretrain set", "finished"),
        ("ingest target set", "finished"),
        ("validate pretrain set", "finished"),
        ("validate target set", "finished"),
        ("pretrain", "finished"),
        ("finetune", "finished"),
        ("evaluate", "finished"),
        ("gate", "finished"),
        ("register", "finished"),
        ("promote", "finished"),
    ]


def test_time_inside_the_work_is_told_apart(finished):
    for task in finished.answer["tasks"][:7]:
        assert 0 < task["work_seconds"] < task["seconds"]
    assert 0 < finished.answer["overhead"] < 1


def test_datasets_are_small_manifests_with_fingerprints(finished):
    datasets = finished.answer["datasets"]

    assert [(d["name"], d["examples"], d["reused"]) for d in datasets] == [
        ("tiny-corpus", 48, False),
        ("tiny-target", 48, False),
    ]
    assert all(len(d["fingerprint"]) == 64 for d in datasets)
    # Shards are read where they lie; a launcher copies the manifest alone.
    artifact = finished.output("ingest", "dataset")
    assert [path.name for path in artifact.iterdir()] == [artifacts.MANIFEST]


def test_accuracy_comes_with_its_interval(finished):
    test = finished.answer["test"]
    top1 = test["metrics"]["top1"]

    assert 0 <= top1["low"] <= top1["value"] <= top1["high"] <= 1
    assert test["examples"] == 15
    assert 0.5 <= test["majority_share"] <= 1


def test_the_first_model_is_champion_and_says_why(finished):
    assert finished.answer["version"] == {
        "model_name": "tiny-fractals",
        "version": 1,
        "aliases": ["champion"],
        "promoted": True,
        "reason": finished.answer["version"]["reason"],
    }
    assert "no champion yet" in finished.answer["version"]["reason"]


def test_the_version_carries_its_lineage(finished):
    from model_code.adapters.mlflow_store import MlflowStore
    from model_code.adapters.registry import ModelRegistry

    registry = ModelRegistry(MlflowStore(finished.workspace.tracking_uri))
    tags = registry.find("tiny-fractals@champion").tags

    pretrain_set, target_set = finished.answer["datasets"]
    run_id = finished.answer["run_id"]
    expected = {
        "run_key": run_id,
        "recipe_digest": finished.answer["recipe_digest"],
        "dataset_fingerprint.pretrain": pretrain_set["fingerprint"],
        "dataset_fingerprint.finetune": target_set["fingerprint"],
        "seed.pretrain": "1",
        "seed.finetune": "1",
        "code_revision": REVISION,
        "gate.promote": "True",
    }
    assert expected.items() <= tags.items()
    assert tags["environment_lock_digest"].startswith("lock:")
    assert tags["tracking_run_id"]
    assert "image_digest" not in tags


def test_kfp_shows_the_metrics_and_the_confusion_matrix(finished):
    evaluated = finished.record.task("evaluate").outputs
    top1 = finished.answer["test"]["metrics"]["top1"]
    matrix = evaluated["classification"].metadata["confusionMatrix"]

    assert evaluated["metrics"].metadata["top1"] == top1["value"]
    assert evaluated["metrics"].metadata["top1_low"] == top1["low"]
    assert sum(sum(row["row"]) for row in matrix["rows"]) == 15
    assert evaluated["classification"].metadata["confidenceMetrics"]


def test_pages_open_without_a_network(finished):
    pages = [
        Path(finished.answer["report"]),
        finished.output("evaluate", "report"),
        finished.output("validate", "statistics"),
    ]

    for page in pages:
        text = page.read_text()
        assert text.lstrip().lower().startswith("<!doctype html>")
        assert 'src="http' not in text
        assert 'href="http' not in text


def test_the_next_commands_are_those_of_this_run(finished):
    ui, predict = finished.answer["next_commands"]

    assert finished.workspace.tracking_uri in ui
    assert "--model tiny-fractals@champion" in predict
    assert str(finished.workspace.root) in predict


def test_everything_lies_below_the_workspace(finished):
    assert list(finished.home.rglob("*")) == []
    assert list(finished.started_in.rglob("*")) == []
    assert sorted(path.name for path in finished.workspace.root.iterdir()) == [
        "cache",
        "checkpoints",
        "data",
        "mlartifacts",
        "mlflow.db",
        "runs",
    ]


def test_the_log_has_every_line_of_every_task(finished):
    log = Path(finished.answer["log"]).read_text()

    assert log.count("Executing task") == 10
    assert log.count("finished with status") == 11  # the pipeline's as well
