"""The desk around a graph of two quick steps: begin, resume, refuse, explain."""

import json
from pathlib import Path

import pytest
from filelock import FileLock

from model_code.errors import ConfigError, DataError, UnavailableError
from pipelines.local import desk
from pipelines.local import record as records
from pipelines.local.failure import TaskFailedError
from pipelines.local.view import View
from pipelines.local.workspace import Workspace
from tests.helpers.graphs import stand_in
from tests.helpers.recipes import TINY

REVISION = "EFFNETV2_CODE_REVISION"


class Session:
    """One workspace, in which runs are started one after the other."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root / "workspace")
        self.starts: list[desk.Start] = []
        self.workspace.data.mkdir(parents=True)
        self.verdict("good")

    def verdict(self, text: str) -> None:
        (self.workspace.data / "verdict").write_text(text)

    def run(self, *overrides: str, fresh: bool = False) -> records.RunRecord:
        request = desk.RunRequest(
            recipe=TINY,
            workspace=self.workspace.root,
            overrides=("pretrain=null", *overrides),
            fresh=fresh,
        )
        return desk.run(request, self.starts.append, lambda _: View())

    def times_made(self, run_id: str) -> int:
        return len((self.workspace.data / f"{run_id}.times").read_text())


@pytest.fixture
def session(tmp_path, monkeypatch) -> Session:
    monkeypatch.setattr("pipelines.training.training_from_scratch", lambda: stand_in)
    monkeypatch.setenv(REVISION, "abc")
    return Session(tmp_path)


def test_a_run_leaves_its_record_recipe_and_log(session):
    record = session.run()

    directory = session.workspace.run(record.run_id)
    assert records.read(directory.record) == record
    assert record.state == "succeeded"
    assert [task.state for task in record.tasks] == ["finished", "finished"]
    assert record.task("make").summary == f"made {record.run_id}"
    assert record.task("make").work_seconds == 0.25
    assert 0 < sum(task.seconds for task in record.tasks) <= record.seconds
    assert record.arguments["code_revision"] == "abc"
    assert json.loads(directory.recipe.read_text())["name"] == "tiny"
    assert "Executing task" in directory.log.read_text()


def test_the_recipe_shape_chooses_the_graph(session, monkeypatch):
    def refuse() -> None:
        raise AssertionError("training-from-scratch was drawn")

    monkeypatch.setattr("pipelines.training.training", lambda: stand_in)
    monkeypatch.setattr("pipelines.training.training_from_scratch", refuse)
    request = desk.RunRequest(recipe=TINY, workspace=session.workspace.root)

    record = desk.run(request, session.starts.append, lambda _: View())

    assert record.state == "succeeded"


def test_a_failed_run_is_resumed_where_it_failed(session):
    session.verdict("defect")
    with pytest.raises(TaskFailedError):
        session.run()
    session.verdict("good")

    record = session.run()

    first, second = session.starts
    assert second.resumed
    assert record.run_id == first.record.run_id
    assert record.attempts == 2
    assert [task.state for task in record.tasks] == ["skipped", "finished"]
    assert record.task("make").seconds > 0
    assert session.times_made(record.run_id) == 1


def test_a_finished_run_is_not_resumed(session):
    first = session.run()
    second = session.run()

    assert first.run_id != second.run_id
    assert [start.resumed for start in session.starts] == [False, False]


def test_an_unfinished_run_of_another_recipe_is_not_resumed(session):
    session.verdict("defect")
    with pytest.raises(TaskFailedError):
        session.run()
    session.verdict("good")

    session.run("finetune.train.seed=7")

    assert not session.starts[-1].resumed
    assert session.starts[-1].passed_over is None


def test_other_code_does_not_continue_a_run(session, monkeypatch):
    session.verdict("defect")
    with pytest.raises(TaskFailedError):
        session.run()
    session.verdict("good")
    monkeypatch.setenv(REVISION, "def")

    session.run()

    assert not session.starts[-1].resumed
    assert session.starts[-1].passed_over == session.starts[0].record.run_id


def test_fresh_does_not_resume(session):
    session.verdict("defect")
    with pytest.raises(TaskFailedError):
        session.run()
    session.verdict("good")

    session.run(fresh=True)

    assert not session.starts[-1].resumed


def test_a_product_error_keeps_its_paragraph_and_exit_code(session):
    session.verdict("product error")

    with pytest.raises(DataError) as caught:
        session.run()

    run_id = session.starts[0].record.run_id
    log = session.workspace.run(run_id).log
    assert str(caught.value) == (
        "Received a bad image; expected a good one: replace it. "
        f"(Task: judge. Log: {log})"
    )
    assert records.read(session.workspace.run(run_id).record).state == "failed"


@pytest.mark.parametrize(
    ("verdict", "last_words"),
    [("defect", "ZeroDivisionError: a defect"), ("exit", ""), ("killed", "")],
)
def test_any_other_failure_shows_the_end_of_the_log(session, verdict, last_words):
    session.verdict(verdict)

    with pytest.raises(TaskFailedError, match="Task judge failed") as caught:
        session.run()

    assert caught.value.exit_code == 1
    assert last_words in "\n".join(caught.value.tail)


def test_a_workspace_takes_one_run_at_a_time(session):
    session.workspace.prepare()
    busy = pytest.raises(UnavailableError, match="in use by another")
    with FileLock(session.workspace.lock), busy:
        session.run()


def test_a_workspace_that_cannot_be_written_is_named(session, tmp_path):
    (tmp_path / "file").write_text("")
    request = desk.RunRequest(recipe=TINY, workspace=tmp_path / "file" / "ws")

    with pytest.raises(UnavailableError, match="cannot be written"):
        desk.run(request, session.starts.append, lambda _: View())


def test_a_bad_recipe_writes_nothing(session, tmp_path):
    request = desk.RunRequest(recipe="elpv-quik", workspace=tmp_path / "other")

    with pytest.raises(ConfigError, match="did you mean 'elpv-quick'"):
        desk.run(request, session.starts.append, lambda _: View())

    assert not (tmp_path / "other").exists()
