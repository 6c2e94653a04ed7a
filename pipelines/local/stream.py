"""From what kfp's local runner prints to events.

kfp 2.17 prints a task's output with four spaces in front and its own log lines
without; there is no hook. Its wording is pinned with its version and tested.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CLOCK = re.compile(r"^\d\d:\d\d:\d\d\.\d{3} - \w+ - ")
_STARTED = re.compile(r"Executing task '(?P<task>[\w-]+)'")
_ENDED = re.compile(r"Task '(?P<task>[\w-]+)' finished with status (?P<status>\w+)")
_SKIPPED = re.compile(r"Task (?P<task>[\w-]+) cache hit ")
_INDENT = " " * 4


@dataclass(frozen=True)
class TaskStarted:
    """A task's process is about to start."""

    task: str


@dataclass(frozen=True)
class TaskEnded:
    """A task's process ended."""

    task: str
    succeeded: bool


@dataclass(frozen=True)
class TaskSkipped:
    """An earlier attempt of the run finished the task."""

    task: str


@dataclass(frozen=True)
class TaskOutput:
    """One line that the running task wrote."""

    line: str


Event = TaskStarted | TaskEnded | TaskSkipped | TaskOutput


def parse(line: str) -> Event | None:
    """The event in one line of kfp's output, None where it is decoration."""
    plain = _COLOUR.sub("", line)
    if plain.startswith(_INDENT):
        return TaskOutput(plain.removeprefix(_INDENT))
    text = _CLOCK.sub("", plain)
    if match := _STARTED.match(text):
        return TaskStarted(match["task"])
    if match := _ENDED.match(text):
        return TaskEnded(match["task"], match["status"] == "SUCCESS")
    if match := _SKIPPED.match(text):
        return TaskSkipped(match["task"])
    return None


class LineStream(io.TextIOBase):
    """A text stream that hands on every finished line."""

    def __init__(self, receive: Callable[[str], None]) -> None:
        super().__init__()
        self._receive = receive
        self._rest = ""

    def write(self, text: str) -> int:
        """Take text; what follows the last newline waits."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._receive(line)
        return len(text)
