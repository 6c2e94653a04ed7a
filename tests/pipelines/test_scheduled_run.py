"""A schedule's trigger runs the pipeline that it names, and no other."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from pipelines import scheduled_run
from pipelines.schedules import Schedule

DUE = datetime(2026, 3, 2, 3, tzinfo=UTC)


def schedule(pipeline: str) -> Schedule:
    return Schedule(
        name="weekly",
        description="A test.",
        pipeline=pipeline,
        recipe="elpv-quick",
        overrides=("finetune.train.epochs=1",),
        environments=("local",),
        cron="0 0 3 * * MON",
        time_zone="UTC",
        catch_up=False,
        parameters={"spans": "/data/cells"},
    )


@pytest.fixture
def asked(monkeypatch):
    requests: dict[str, list] = {"training": [], "retraining": []}

    def train(request, announce, make_view):
        requests["training"].append(request)
        return SimpleNamespace(run_id="r", state="succeeded")

    def retrain(request, say):
        requests["retraining"].append(request)
        return SimpleNamespace(outcome="skipped", reason="no span after w1")

    monkeypatch.setattr(scheduled_run.desk, "run", train)
    monkeypatch.setattr(scheduled_run.retraining_desk, "retrain", retrain)
    return requests


@pytest.mark.parametrize("pipeline", ["training", "retraining"])
def test_the_named_pipeline_runs_with_the_schedules_recipe(asked, tmp_path, pipeline):
    scheduled_run.run(schedule(pipeline), DUE, tmp_path)
    (other,) = asked.keys() - {pipeline}
    assert asked[other] == []
    (request,) = asked[pipeline]
    assert (request.recipe, request.workspace) == ("elpv-quick", tmp_path)
    assert request.overrides == ("finetune.train.epochs=1",)


def test_a_retraining_run_is_named_by_its_trigger_so_that_a_repeat_resumes(
    asked, tmp_path
):
    for _ in range(2):
        scheduled_run.run(schedule("retraining"), DUE, tmp_path)
    first, second = asked["retraining"]
    assert first.run_id == second.run_id == "weekly-20260302-030000"
    assert first.parameters == {"spans": "/data/cells"}
