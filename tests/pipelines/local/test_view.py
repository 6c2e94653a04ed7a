"""What a person sees while a run goes on and when it has ended."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from pipelines.local.record import ArtifactRecord, RunRecord, TaskRecord
from pipelines.local.tables import seconds
from pipelines.local.view import LiveView, PlainView

MADE = ArtifactRecord(uri="", metadata={"summary": "8 images", "work_seconds": 3.0})
RECORD = RunRecord(
    run_id="tiny-1",
    pipeline="training",
    recipe="tiny",
    recipe_digest="0",
    arguments={},
    started="2026-01-01T00:00:00+00:00",
    seconds=60.0,
    tasks=(
        TaskRecord(
            name="ingest",
            title="ingest target set",
            state="skipped",
            seconds=4.25,
            outputs={"dataset": MADE},
        ),
        TaskRecord(name="finetune", title="finetune"),
        TaskRecord(name="evaluate", title="evaluate"),
    ),
)
RUNNING = replace(RECORD.task("finetune"), state="running")


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (60.0, "1 min 00 s"),
        (3599.4, "59 min 59 s"),
        (3600.0, "1 h 00 min"),
        (7380.0, "2 h 03 min"),
    ],
)
def test_durations_as_a_person_reads_them(duration, text):
    assert seconds(duration) == text


def test_plain_lines_say_task_and_time():
    out = io.StringIO()
    view = PlainView(Console(file=out, width=20))

    with view:
        view.task_changed(RECORD, RECORD.task("ingest"))
        view.task_changed(RECORD, RUNNING)
        view.progress(RUNNING, "stage 1 of 2, [bold] is no markup, and a long line")

    lines = [line.split(" ", 1)[1] for line in out.getvalue().splitlines()]
    assert lines == [
        "ingest target set: finished earlier in 4.2 s: 8 images",
        "finetune: started",
        "finetune: stage 1 of 2, [bold] is no markup, and a long line",
    ]


def test_the_live_table_has_a_row_a_task():
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=60)
    view = LiveView(console, RECORD)

    with view:
        view.task_changed(RECORD.with_task(RUNNING), RUNNING)
        view.progress(RUNNING, "step 3 of 9")
        view._live.refresh()

    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    last = shown[shown.rindex("tiny-1") :].splitlines()
    assert last[0].startswith("tiny-1  1 min 0")
    assert re.fullmatch(r"✓  ingest target set +4\.2 s +8 images *", last[1])
    assert re.fullmatch(r"\S  finetune +0\.\d s +step 3 of 9 *", last[2])
    assert re.fullmatch(r"·  evaluate *", last[3])


def test_the_live_table_cuts_what_is_too_long():
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=50)
    view = LiveView(console, RECORD)

    with view:
        view.task_changed(RECORD.with_task(RUNNING), RUNNING)
        view.progress(RUNNING, "x" * 200)
        view._live.refresh()

    assert "…" in out.getvalue()
