"""What `effnetv2 run` says and leaves; the graph is two quick steps."""

from pathlib import Path

import pytest

from pipelines.local import record as records
from pipelines.local.workspace import Workspace
from tests.helpers.cli import Answer, effnetv2
from tests.helpers.graphs import stand_in
from tests.helpers.recipes import TINY


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Workspace:
    monkeypatch.setattr("pipelines.training.training_from_scratch", lambda: stand_in)
    # The two steps evaluate nothing that a summary could tell.
    monkeypatch.setattr("pipelines.cli.run._conclude", lambda *_, as_json: None)
    monkeypatch.setenv("EFFNETV2_CODE_REVISION", "abc")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "ws" / "data").mkdir(parents=True)
    return Workspace(tmp_path / "ws")


def run(workspace: Workspace, verdict: str) -> Answer:
    (workspace.data / "verdict").write_text(verdict)
    return effnetv2(
        "run",
        f"--recipe={TINY}",
        "--set=pretrain=null",
        f"--workspace={workspace.root}",
    )


def test_plain_lines_without_a_terminal(workspace):
    answer = run(workspace, "good")

    (record,) = records.newest_first(workspace.runs)
    lines = answer.out.splitlines()
    clock = len("12:34:56 ")
    assert lines[0] == f"Run {record.run_id}."
    assert [line[clock:].split(" in ")[0] for line in lines[1:]] == [
        "make: started",
        f"make: making {record.run_id}",
        "make: finished",
        "judge: started",
        "judge: finished",
    ]


def test_a_resumed_run_says_so(workspace):
    run(workspace, "defect")

    answer = run(workspace, "good")

    (record,) = records.newest_first(workspace.runs)
    assert answer.out.startswith(f"Resuming run {record.run_id}, attempt 2.")
    assert "make: finished earlier" in answer.out


def test_a_failing_task_gives_paragraph_and_exit_code(workspace):
    answer = run(workspace, "product error")

    assert answer.exit_code == 3
    (line,) = answer.err.splitlines()
    assert line.startswith("effnetv2: Received a bad image; expected a good one")


def test_a_defect_shows_where_and_exits_with_one(workspace):
    answer = run(workspace, "defect")

    lines = answer.err.splitlines()
    assert answer.exit_code == 1
    assert lines[0] == "Traceback (most recent call last):"
    assert "ZeroDivisionError: a defect" in lines
    assert lines[-1].startswith("effnetv2: Task judge failed")


def test_a_killed_task_shows_its_last_lines(workspace):
    answer = run(workspace, "killed")

    assert answer.exit_code == 1
    assert answer.err.splitlines()[-1].startswith("effnetv2: Task judge failed")


def test_nothing_is_written_outside_the_workspace(workspace):
    run(workspace, "good")

    assert list(Path(workspace.root.parent / "home").rglob("*")) == []
    assert sorted(path.name for path in workspace.root.iterdir()) == [
        "cache",
        "data",
        "runs",
    ]
