"""One tracking run a pipeline run."""

import pytest

from model_code.adapters.tracking import announced_run, join_or_start

ROWS = [
    {"step": 10, "time": 1000.0, "loss": 0.7, "phase": "train"},
    {"step": 20, "time": 1001.5, "loss": 0.5, "val/top1": 0.8, "bad": float("nan")},
]


def run_of(store, run):
    with store.open() as client:
        return client.get_run(run.run_id)


def test_tasks_of_a_pipeline_run_share_one_tracking_run(store):
    first = join_or_start(store, "elpv", "run-1")
    assert join_or_start(store, "elpv", "run-1") == first
    assert join_or_start(store, "elpv", "run-2") != first


def test_an_announced_run_is_joined(store):
    with store.open() as client:
        experiment = client.create_experiment("backend")
        announced = client.create_run(experiment).info.run_id
    run = join_or_start(store, "elpv", "run-1", announced=announced)
    assert run.run_id == announced
    assert run_of(store, run).data.tags["run_key"] == "run-1"


def test_a_resumed_run_is_running_again_and_finishes_again(store):
    run = join_or_start(store, "elpv", "run-1")
    run.finish()
    assert run_of(store, run).info.status == "FINISHED"
    join_or_start(store, "elpv", "run-1")
    assert run_of(store, run).info.status == "RUNNING"


def test_curves_have_the_names_of_the_history_and_repeating_adds_nothing(store):
    run = join_or_start(store, "elpv", "run-1")
    for _ in range(2):
        run.log_history("finetune", ROWS)
    with store.open() as client:
        losses = client.get_metric_history(run.run_id, "finetune/loss")
    points = [(point.step, point.timestamp, point.value) for point in losses]
    assert points == [(10, 1000_000, 0.7), (20, 1001_500, 0.5)]
    assert set(run_of(store, run).data.metrics) == {
        "finetune/loss",
        "finetune/val/top1",
    }


def test_a_long_history_is_stored_whole(store):
    run = join_or_start(store, "elpv", "run-1")
    rows = [{"step": i, "time": float(i), "loss": 1 / i} for i in range(1, 2501)]
    run.log_history("pretrain", rows)
    with store.open() as client:
        losses = client.get_metric_history(run.run_id, "pretrain/loss")
    assert [point.step for point in losses] == list(range(1, 2501))


def test_parameters_are_flat_and_may_be_said_twice(store):
    run = join_or_start(store, "elpv", "run-1")
    settings = {"finetune": {"train": {f"setting{i}": i for i in range(120)}}}
    for _ in range(2):
        run.log_parameters(settings)
    parameters = run_of(store, run).data.params
    assert len(parameters) == 120
    assert parameters["finetune.train.setting7"] == "7"


def test_files_are_copied_beside_the_database(store, tmp_path):
    report = tmp_path / "report.html"
    report.write_text("<p>good</p>")
    run = join_or_start(store, "elpv", "run-1")
    run.log_files(report)
    location = run_of(store, run).info.artifact_uri
    assert location.startswith(str(tmp_path / "store" / "mlartifacts"))
    with store.open() as client:
        assert [a.path for a in client.list_artifacts(run.run_id)] == ["report.html"]


@pytest.mark.parametrize("missing", ["step", "time"])
def test_a_row_without_step_or_time_is_no_history(store, missing):
    run = join_or_start(store, "elpv", "run-1")
    row = {key: value for key, value in ROWS[0].items() if key != missing}
    with pytest.raises(KeyError, match=missing):
        run.log_history("finetune", [row])


def test_the_backend_announces_a_run_in_the_environment(monkeypatch):
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    assert announced_run() is None
    monkeypatch.setenv("MLFLOW_RUN_ID", "abc")
    assert announced_run() == "abc"
