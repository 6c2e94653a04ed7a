"""The verbs that talk to a backend, through the command line, in one process."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from model_code.errors import ConfigError
from pipelines.cli import app
from pipelines.failures import NotFoundError, RunFailedError
from tests.helpers.kfp_server import KfpServer, kfp_server

IMAGE = "registry.example/effnetv2@sha256:" + "a" * 64


@pytest.fixture
def server():
    with kfp_server() as running:
        yield running


@pytest.fixture
def environment(server: KfpServer, tmp_path: Path) -> Path:
    place = {
        "name": "dev",
        "connection": {
            "host": server.url,
            "patience": {"first_retry": 0.001, "slowest_retry": 0.01},
        },
        "pipeline_root": "gs://bucket/pipelines",
        "data_root": "gs://bucket/data",
        "checkpoint_root": "gs://bucket/checkpoints",
        "tracking_uri": "http://mlflow.example",
        "service_account": "effnetv2-trainer",
    }
    path = tmp_path / "dev.yaml"
    path.write_text(yaml.safe_dump(place))
    return path


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def submit(environment: Path, *more: object):
    options = ("--recipe", "elpv-quick", "-e", environment, "--image", IMAGE)
    return run("submit", "training", *options, *more)


def test_submit_waits_and_tells(server, environment):
    first = submit(environment, "--json")
    assert first.exit_code == 0, first.output
    answer = json.loads(first.stdout)
    assert answer["uploaded"]
    assert answer["started"]
    stored = server.state.runs[answer["run_id"]]
    parameters = stored["runtime_config"]["parameters"]
    # The backend knows the run key, and Beam's options have a default.
    assert set(parameters) == {
        "recipe", "image", "code_revision", "environment_lock_digest",
        "data_root", "checkpoint_root", "tracking_uri",
    }  # fmt: skip
    assert json.loads(parameters["recipe"])["name"] == "elpv-quick"
    assert parameters["image"] == IMAGE
    assert parameters["data_root"] == "gs://bucket/data"
    assert stored["service_account"] == "effnetv2-trainer"

    again = submit(environment, "--wait", "--timeout", "60", "--poll", "0.05")
    assert again.exit_code == 0, again.output
    assert "already there" in again.stdout
    assert len(server.state.runs) == 1
    assert submit(environment, "--again").exit_code == 0
    assert len(server.state.runs) == 2


def test_a_backfill_names_its_span(server, environment):
    options = ("--recipe", "elpv-quick", "-e", environment, "--image", IMAGE)
    backfill = ("--parameter", "span=2026-w07", "--parameter", "cap_usd=50")
    answer = run("submit", "retraining", *options, *backfill, "--json")
    assert answer.exit_code == 0, answer.output
    stored = server.state.runs[json.loads(answer.stdout)["run_id"]]
    parameters = stored["runtime_config"]["parameters"]
    assert (parameters["span"], parameters["cap_usd"]) == ("2026-w07", 50)
    refused = run("submit", "retraining", *options, "--parameter", "span")
    assert isinstance(refused.exception, ConfigError)


def test_a_failed_run_fails_the_command(server, environment):
    server.state.default_script = ("FAILED",)
    result = submit(environment, "--wait")
    assert isinstance(result.exception, RunFailedError)
    assert result.exception.exit_code == 8


def test_runs_are_listed_shown_cancelled_retried_and_read(server, environment):
    run_id = json.loads(submit(environment, "--json").stdout)["run_id"]
    server.state.scripts[run_id] = []
    stored = server.state.runs[run_id]
    stored["run_details"] = {
        "task_details": [
            {
                "display_name": "finetune",
                "state": "FAILED",
                "child_tasks": [{"pod_name": "pod-7"}],
                "error": {"code": 137, "message": "OOMKilled"},
            }
        ]
    }
    server.state.logs["pod-7"] = "Killed\n"

    listed = run("runs", "list", "-e", environment, "--json")
    assert [each["run_id"] for each in json.loads(listed.stdout)] == [run_id]
    shown = run("runs", "show", run_id, "-e", environment, "--json")
    assert json.loads(shown.stdout)["tasks"][0]["error"] == "OOMKilled"
    assert "Killed" in run("runs", "logs", run_id, "-e", environment).stdout
    assert "canceling" in run("runs", "cancel", run_id, "-e", environment).stdout or (
        stored["state"] == "CANCELED"
    )
    assert stored["state"] == "CANCELED"
    assert run("runs", "retry", run_id, "-e", environment).exit_code == 0
    assert stored["state"] == "SUCCEEDED"
    missing = run("runs", "logs", run_id, "-e", environment, "--task", "nonsense")
    assert isinstance(missing.exception, NotFoundError)


def write_schedule(tmp_path: Path, **changes: object) -> Path:
    directory = tmp_path / "schedules"
    directory.mkdir(exist_ok=True)
    schedule = {
        "name": "weekly",
        "description": "Every week.",
        "pipeline": "training",
        "recipe": "elpv-quick",
        "environments": ["dev"],
        "cron": "0 0 3 * * MON",
        "time_zone": "UTC",
        "catch_up": False,
    }
    (directory / "weekly.yaml").write_text(yaml.safe_dump(schedule | changes))
    return directory


def test_schedules_are_planned_applied_paused_and_deleted(
    server, environment, tmp_path
):
    directory = write_schedule(tmp_path)
    where = ("-e", environment, "--image", IMAGE, "--directory", directory)

    planned = run("schedules", "plan", *where)
    assert planned.exit_code == 0, planned.output
    assert "+ weekly" in planned.stdout
    assert server.state.recurring == server.state.versions == {}

    assert run("schedules", "apply", *where, "--yes").exit_code == 0
    (row,) = server.state.recurring.values()
    assert row["mode"] == "ENABLE"
    assert "0 of 1 schedules change" in run("schedules", "plan", *where).stdout

    assert run("schedules", "pause", "weekly", "-e", environment).exit_code == 0
    assert row["status"] == "DISABLED"
    assert "enabled: False → True" in run("schedules", "plan", *where).stdout
    assert run("schedules", "resume", "weekly", "-e", environment).exit_code == 0

    write_schedule(tmp_path, cron="0 0 4 * * MON")
    assert "0 0 3 * * MON → 0 0 4 * * MON" in run("schedules", "plan", *where).stdout
    identity = next(iter(server.state.recurring))
    running = server.state.fire(identity)
    put_off = run("schedules", "apply", *where, "--yes")
    assert put_off.exit_code == 1
    assert running in put_off.stdout.replace("\n", "")
    server.state.move_run(running, "SUCCEEDED")
    assert run("schedules", "apply", *where, "--yes").exit_code == 0
    assert run("schedules", "delete", "weekly", "-e", environment).exit_code == 0
    assert server.state.recurring == {}
    assert server.state.killed == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cron": "0 3 * * 1"}, "has 5 fields"),
        ({"parameters": {"learning_rat": 1}}, "gives learning_rat"),
        ({"time_zone": "Europe/Berlin", "cron": "0 0 9 * * *"}, "reads every cron"),
        ({"recipe": "nonsense"}, "nonsense"),
    ],
)
def test_a_schedule_that_would_not_work_changes_nothing(
    server, environment, tmp_path, changes, message
):
    directory = write_schedule(tmp_path, **changes)
    where = ("-e", environment, "--image", IMAGE, "--directory", directory)
    result = run("schedules", "apply", *where, "--yes")
    assert isinstance(result.exception, ConfigError)
    assert message in str(result.exception)
    assert server.state.recurring == server.state.versions == {}


def test_an_environment_without_backend_says_so(tmp_path):
    path = tmp_path / "local.yaml"
    path.write_text("name: local\n")
    result = submit(path)
    assert isinstance(result.exception, ConfigError)
    assert "no `connection`" in str(result.exception)


def test_a_search_names_its_workers_and_its_store(server, environment):
    options = ("--recipe", "search-elpv-quick", "-e", environment, "--image", IMAGE)
    missing = run("submit", "search", *options)
    assert isinstance(missing.exception, ConfigError)
    assert "study_store" in str(missing.exception)

    store = "postgresql://effnetv2@db.example/studies"
    chosen = ("--set", "workers.count=3", "--parameter", f"study_store={store}")
    answer = run("submit", "search", *options, *chosen, "--json")

    assert answer.exit_code == 0, answer.output
    stored = server.state.runs[json.loads(answer.stdout)["run_id"]]
    parameters = stored["runtime_config"]["parameters"]
    assert parameters["workers"] == ["1", "2", "3"]
    assert parameters["study_store"] == store
    assert json.loads(parameters["recipe"])["sampling"]["kind"] == "evolution"
    assert "checkpoint_root" not in parameters
