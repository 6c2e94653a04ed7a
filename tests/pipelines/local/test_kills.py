"""`effnetv2 run` as a process that gets signals; the graph is two quick steps."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.local import record as records
from pipelines.local.workspace import Workspace
from tests.helpers.processes import is_alive, wait_for_text, wait_until
from tests.helpers.recipes import TINY

ROOT = Path(__file__).parents[3]


class Desk:
    """Starts the command in one workspace."""

    def __init__(self, tmp_path: Path) -> None:
        self.workspace = Workspace(tmp_path / "ws")
        self.workspace.data.mkdir(parents=True)
        self.home = tmp_path / "home"
        self.home.mkdir()

    def verdict(self, text: str) -> None:
        (self.workspace.data / "verdict").write_text(text)

    def start(self, *options: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.helpers.desk_driver",
                "run",
                f"--recipe={TINY}",
                "--set=pretrain=null",
                f"--workspace={self.workspace.root}",
                *options,
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "HOME": str(self.home),
                "EFFNETV2_CODE_REVISION": "abc",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start_and_wait_in_task(self) -> tuple["subprocess.Popen[str]", int]:
        """The desk, and the pid of its second task, which waits for ever."""
        self.verdict("wait")
        desk = self.start()
        return desk, int(wait_for_text(self.workspace.data / "waiting"))

    def only_record(self) -> records.RunRecord:
        (record,) = records.newest_first(self.workspace.runs)
        return record


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(tmp_path)


def test_after_sigkill_the_orphan_ends_and_the_run_goes_on(desk):
    first, task = desk.start_and_wait_in_task()
    first.kill()
    first.communicate()
    assert is_alive(task)
    desk.verdict("good")

    second = desk.start()
    said, complaint = second.communicate()

    # The stand-in has no evaluation to summarise, so look at the record.
    assert "Resuming run" in said, complaint
    assert "Ended" in said
    assert not is_alive(task)
    record = desk.only_record()
    assert record.state == "succeeded"
    assert record.attempts == 2
    assert (desk.workspace.data / f"{record.run_id}.times").read_text() == "x"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_tasks_too(desk, number):
    process, task = desk.start_and_wait_in_task()

    process.send_signal(number)
    _, complaint = process.communicate(timeout=60)

    assert process.returncode == 130
    assert complaint.startswith("effnetv2: Run tiny-")
    assert "go on from here" in complaint
    wait_until(lambda: not is_alive(task), "end of the task")


def test_a_second_desk_is_refused_while_the_first_works(desk):
    first, _ = desk.start_and_wait_in_task()

    second = desk.start()
    _, complaint = second.communicate()

    assert second.returncode == 6
    assert "in use by another" in complaint
    assert first.poll() is None
    first.send_signal(signal.SIGTERM)
    first.communicate()


def test_a_failing_task_gives_paragraph_and_exit_code(desk):
    desk.verdict("product error")

    process = desk.start()
    _, complaint = process.communicate()

    assert process.returncode == 3
    (line,) = complaint.splitlines()
    assert line.startswith("effnetv2: Received a bad image; expected a good one")


def test_a_defect_shows_where_and_exits_with_one(desk):
    desk.verdict("defect")

    process = desk.start()
    _, complaint = process.communicate()

    assert process.returncode == 1
    lines = complaint.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "ZeroDivisionError: a defect" in lines
    assert lines[-1].startswith("effnetv2: Task judge failed")


def test_nothing_is_written_outside_the_workspace(desk):
    desk.verdict("good")

    desk.start().communicate()

    assert list(desk.home.rglob("*")) == []
    assert sorted(path.name for path in desk.workspace.root.iterdir()) == [
        "cache",
        "data",
        "runs",
    ]


def test_plain_lines_without_a_terminal(desk):
    desk.verdict("good")

    said, _ = desk.start().communicate()

    record = desk.only_record()
    lines = said.splitlines()
    assert lines[0] == f"Run {record.run_id}."
    clock = len("12:34:56 ")
    assert [line[clock:].split(" in ")[0] for line in lines[1:]] == [
        "make: started",
        f"make: making {record.run_id}",
        "make: finished",
        "judge: started",
        "judge: finished",
    ]
