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


def test_ctrl_c_ends_the_tasks_too(desk):
    process, task = desk.start_and_wait_in_task()

    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)

    assert process.returncode == 130
    assert complaint.startswith("effnetv2: Run tiny-")
    assert "go on from here" in complaint
    wait_until(lambda: not is_alive(task), "end of the task")


def test_a_second_desk_is_refused_until_the_first_is_told_to_stop(desk):
    first, task = desk.start_and_wait_in_task()

    second = desk.start()
    _, complaint = second.communicate()

    assert second.returncode == 6
    assert "in use by another" in complaint
    assert first.poll() is None
    first.terminate()
    first.communicate(timeout=60)
    assert first.returncode == 130
    wait_until(lambda: not is_alive(task), "end of the task")
