"""Tasks of a run as a table, and durations as a person reads them."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.local.record import TaskRecord

_MARKS = {
    "waiting": Text("·", "dim"),
    "running": Text("…", "yellow"),
    "finished": Text("✓", "green"),
    "skipped": Text("✓", "cyan"),
    "failed": Text("✗", "bold red"),
}


def task_table(
    tasks: Sequence[TaskRecord],
    running: tuple[RenderableType, str, str] | None = None,
) -> Table:
    """A row a task: mark, title, time, what it did.

    `running` has mark, time and last words of the task that runs; a table that
    redraws itself keeps one line a task.
    """
    one_line = running is not None
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold")  # the only one that gives way
    for task in tasks:
        if task.state == "running" and running is not None:
            mark, time, said = running
            table.add_row(mark, task.title, time, _words(said, "yellow", one_line))
        else:
            waits = task.state == "waiting"
            time = "" if waits else seconds(task.seconds)
            title = Text(task.title, "dim" if waits else "")
            words = _words(task.summary, "", one_line)
            table.add_row(_MARKS[task.state], title, time, words)
    return table


def _words(text: str, style: str, one_line: bool) -> Text:
    return Text(text, style, no_wrap=one_line, overflow="ellipsis")


def seconds(duration: float) -> str:
    """`4.2 s`, `1 min 05 s` or `2 h 03 min`."""
    if duration < 60:
        return f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
