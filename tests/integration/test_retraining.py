"""Retraining over spans of real images: promoted, refused and skipped, with reasons.

Solar cells (elpv) cut into spans by a hash of their bytes: two alike, one whose
labels drifted (defective cells alone), one that is empty.
"""

import hashlib
import http.server
import json
import shutil
import threading
from importlib import resources
from pathlib import Path

import pytest

from model_code.adapters.mlflow_store import MlflowStore
from model_code.adapters.registry import ModelRegistry
from model_code.errors import ConfigError, DataError
from model_code.tasks.retraining import Memory, remembered
from pipelines.local import desk
from pipelines.local.retraining_desk import RetrainingRequest, retrain
from pipelines.local.view import View
from pipelines.local.workspace import Workspace

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]

MODEL = "tiny-fractals"
TINY = Path(__file__).parents[1] / "helpers" / "tiny.yaml"
PER_CLASS = 60


def cells() -> list[tuple[Path, str]]:
    """Certain cells, in the order of the hash of their bytes."""
    root = Path(str(resources.files("elpv_dataset"))) / "data"
    rows = [line.split() for line in (root / "labels.csv").read_text().splitlines()]
    named = {0.0: "functional", 1.0: "defective"}
    found = [
        (root / path, named[float(probability)])
        for path, probability, _ in rows
        if float(probability) in named
    ]
    return sorted(found, key=lambda c: hashlib.sha256(c[0].read_bytes()).digest())


def deliver(spans: Path, name: str, images: list[tuple[Path, str]]) -> None:
    (spans / name).mkdir(parents=True)
    for path, label in images:
        (spans / name / label).mkdir(exist_ok=True)
        shutil.copy(path, spans / name / label / path.name)


class Operator:
    """Trains and retrains in one workspace."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root / "workspace")
        self.workspace.prepare()
        self.spans = root / "spans"
        self.runs = 0

    def overrides(self, *more: str) -> tuple[str, ...]:
        source = (
            "finetune.data.source={kind: folder, path: "
            f"{self.spans}/2026-w01, class_names: [functional, defective]}}"
        )
        return ("pretrain=null", source, "gate.primary_metric=balanced_accuracy", *more)

    def train(self, *overrides: str) -> None:
        desk.run(
            desk.RunRequest(
                recipe=str(TINY),
                workspace=self.workspace.root,
                overrides=self.overrides(*overrides),
            ),
            announce=lambda start: None,
            make_view=lambda record: View(),
        )

    def retrain(self, *overrides: str, **parameters: object) -> Memory:
        self.runs += 1
        request = RetrainingRequest(
            recipe=str(TINY),
            workspace=self.workspace.root,
            run_id=f"retrain-{self.runs}",
            parameters={"spans": str(self.spans), **parameters},
            overrides=self.overrides(*overrides),
        )
        return retrain(request, say=print)

    def champion(self) -> int:
        registry = ModelRegistry(MlflowStore(self.workspace.tracking_uri))
        found = registry.champion(MODEL)
        assert found is not None
        return found.version

    def memory(self) -> Memory:
        return remembered(str(self.workspace.data), MODEL)


@pytest.fixture
def webhook(monkeypatch):
    told: list[dict[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            told.append(json.loads(self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("EFFNETV2_WEBHOOK", f"http://127.0.0.1:{server.server_port}/x")
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def test_three_spans(tmp_path, webhook):
    operator = Operator(tmp_path)
    every = cells()
    balanced = {
        label: [cell for cell in every if cell[1] == label]
        for label in ("functional", "defective")
    }
    first = [cell for cells in balanced.values() for cell in cells[:PER_CLASS]]
    alike = [
        cell for cells in balanced.values() for cell in cells[PER_CLASS : 2 * PER_CLASS]
    ]
    drifted = balanced["defective"][2 * PER_CLASS : 3 * PER_CLASS]
    deliver(operator.spans, "2026-w01", first)

    # A champion that has hardly learned, so that more data can beat it.
    hardly = ("finetune.train.epochs=0.1", "finetune.train.minimum_steps=2")
    operator.train(*hardly)
    assert operator.champion() == 1

    deliver(operator.spans, "2026-w02", alike)
    operator.retrain("finetune.train.epochs=8")
    assert operator.champion() == 2
    assert (operator.memory().last_span, operator.memory().outcome) == (
        "2026-w02",
        "promoted",
    )
    assert webhook[-1]["outcome"] == "promoted"
    assert webhook[-1]["span"] == "2026-w02"

    operator.retrain()
    assert webhook[-1]["outcome"] == "skipped"
    assert webhook[-1]["reason"] == "no span after 2026-w02"

    deliver(operator.spans, "2026-w03", drifted)
    with pytest.raises(DataError, match=r"2026-w03 drifted: .* 0\.500 from"):
        operator.retrain()
    assert operator.champion() == 2
    assert operator.memory().last_span == "2026-w02"
    assert webhook[-1]["outcome"] == "refused"
    assert "0.500 from that before it, 0.1 allowed" in webhook[-1]["reason"]

    shutil.rmtree(operator.spans / "2026-w03")
    deliver(operator.spans, "2026-w04", [])
    operator.retrain()
    assert operator.champion() == 2
    assert webhook[-1]["outcome"] == "skipped"
    assert webhook[-1]["reason"] == "no images in 2026-w04"
    assert operator.memory().last_span == "2026-w04"


def test_a_run_that_would_cost_too_much_stops_before_it_trains(tmp_path):
    operator = Operator(tmp_path)
    deliver(operator.spans, "2026-w01", cells()[:40])
    with pytest.raises(ConfigError, match=r"the cap is 0\.01 USD"):
        operator.retrain(peak_teraflops=1e-6, usd_per_hour=10.0, cap_usd=0.01)
    assert not any(operator.workspace.data.glob("*/train*"))
