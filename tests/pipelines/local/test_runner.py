"""What kfp 2.17's local runner does, as far as a local run relies on it."""

import builtins
import contextlib
import logging
import sys
from pathlib import Path

import pytest

from model_code.progress import MARK
from pipelines.local.runner import execute, task_titles
from pipelines.local.stream import (
    Event,
    TaskEnded,
    TaskOutput,
    TaskSkipped,
    TaskStarted,
    parse,
)
from pipelines.local.workspace import RunDirectory
from pipelines.training import training
from tests.helpers.graphs import two_steps


def run(place: Path, directory: RunDirectory) -> list[Event]:
    events: list[Event] = []

    def receive(line: str) -> None:
        event = parse(line)
        if event is not None and not isinstance(event, TaskOutput):
            events.append(event)
        if isinstance(event, TaskOutput) and event.line.startswith(MARK):
            events.append(event)

    with contextlib.suppress(RuntimeError):  # which the events tell as well
        execute(two_steps, {"place": str(place)}, directory, receive)
    return events


def test_a_run_is_told_as_events(place, directory, capfd):
    events = run(place, directory)

    assert events == [
        TaskStarted("make"),
        TaskOutput(f"{MARK}making thing"),
        TaskEnded("make", succeeded=True),
        TaskStarted("judge"),
        TaskEnded("judge", succeeded=True),
    ]
    # kfp's banner, warnings and the tasks' own lines stay off the terminal.
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("verdict", ["product error", "defect", "exit", "killed"])
def test_a_failing_task_fails_at_once(verdict, place, directory):
    (place / "verdict").write_text(verdict)

    events = run(place, directory)

    # The graph asks for three retries a minute apart; a local run makes none.
    assert events[-2:] == [TaskStarted("judge"), TaskEnded("judge", succeeded=False)]


def test_the_same_run_again_skips_what_finished(place, directory):
    (place / "verdict").write_text("defect")
    run(place, directory)
    (place / "verdict").write_text("good")

    events = run(place, directory)

    assert events == [
        TaskSkipped("make"),
        TaskStarted("judge"),
        TaskEnded("judge", succeeded=True),
    ]
    assert (place / "thing.times").read_text() == "x"


def test_an_output_that_was_deleted_is_made_again(place, directory):
    run(place, directory)
    (made,) = directory.pipeline_root.glob("*/make/made")
    made.unlink()

    events = run(place, directory)

    assert events[0] == TaskStarted("make")
    assert (place / "thing.times").read_text() == "xx"


def test_another_run_skips_nothing(place, directory, tmp_path):
    run(place, directory)
    other = RunDirectory(tmp_path / "other")

    events = run(place, other)

    assert TaskStarted("make") in events


def test_the_graph_keeps_its_policies_for_the_cluster(place, directory):
    run(place, directory)

    tasks = two_steps.pipeline_spec.root.dag.tasks
    assert tasks["judge"].retry_policy.max_retry_count == 3
    assert not tasks["make"].caching_options.enable_cache


def test_nothing_of_the_process_stays_changed(place, directory):
    before = (builtins.print, sys.stdout, logging.getLogger().handlers[:])

    run(place, directory)

    assert (builtins.print, sys.stdout, logging.getLogger().handlers) == before


def test_kfp_deletes_no_directory_of_ours(place, directory, tmp_path):
    # `local.init(workspace_root=...)` would: it is removed after each run.
    keep = tmp_path / "keep"
    keep.mkdir()

    run(place, directory)

    assert keep.exists()
    assert directory.path.exists()
    assert directory.cache.exists()


def test_tasks_come_in_the_order_of_the_line():
    assert list(task_titles(training()).values()) == [
        "ingest pretrain set",
        "ingest target set",
        "validate pretrain set",
        "validate target set",
        "pretrain",
        "finetune",
        "evaluate",
        "gate",
        "register",
        "promote",
    ]
