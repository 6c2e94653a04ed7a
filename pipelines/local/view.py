"""How a run shows itself while it goes on."""

import time
from contextlib import AbstractContextManager
from datetime import datetime

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from pipelines.local.record import RunRecord, TaskRecord
from pipelines.local.tables import seconds, task_table


class View(AbstractContextManager["View"]):
    """Shows nothing: for a program, which wants only the answer at the end."""

    def __exit__(self, *error: object) -> None:
        """Leave the terminal as it was."""

    def task_changed(self, record: RunRecord, task: TaskRecord) -> None:
        """A task started, ended or was skipped."""

    def progress(self, task: TaskRecord, line: str) -> None:
        """The running task says how far it is."""


class PlainView(View):
    """Log lines: for a file, a pipe or a CI log."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def task_changed(self, record: RunRecord, task: TaskRecord) -> None:
        """One line a change."""
        del record
        time_taken = "" if task.state == "running" else f" in {seconds(task.seconds)}"
        said = f": {task.summary}" if task.summary else ""
        self.progress(task, f"{_VERBS[task.state]}{time_taken}{said}")

    def progress(self, task: TaskRecord, line: str) -> None:
        """One line a message."""
        clock = datetime.now().astimezone().strftime("%H:%M:%S")
        text = f"{clock} {task.title}: {line}"
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveView(View):
    """A table that redraws itself: state, time and last words of each task."""

    def __init__(self, console: Console, record: RunRecord) -> None:
        self._record = record
        self._started = time.monotonic() - record.seconds
        self._said = ""
        self._said_since = time.monotonic()
        self._spinner = Spinner("dots", style="yellow")
        # Output is redirected already: kfp prints, and the desk reads that.
        self._live = Live(
            console=console,
            get_renderable=self._render,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> "LiveView":
        """Take the lines below the cursor."""
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Give them back."""
        self._live.stop()

    def task_changed(self, record: RunRecord, task: TaskRecord) -> None:
        """Redraw with the new state."""
        self._record = record
        if task.state == "running":
            self._said, self._said_since = "starting", time.monotonic()

    def progress(self, task: TaskRecord, line: str) -> None:
        """Redraw with the task's last words."""
        del task
        self._said = line

    def _render(self) -> Group:
        now = time.monotonic()
        head = Text(f"{self._record.run_id}  {seconds(now - self._started)}", "bold")
        table = task_table(
            self._record.tasks,
            running=(self._spinner, seconds(now - self._said_since), self._said),
        )
        return Group(head, table)


_VERBS = {
    "running": "started",
    "finished": "finished",
    "skipped": "finished earlier",
    "failed": "failed",
}
