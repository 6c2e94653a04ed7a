"""A failed task as an error of the desk: the task's own paragraph and exit code."""

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from model_code import errors
from model_code.errors import ProductError

_RAISED = re.compile(r"model_code\.errors\.(?P<kind>\w+): (?P<text>.*)")


class TaskFailedError(ProductError):
    """A task failed for a reason that is no user's error; `tail` shows where."""

    def __init__(self, message: str, tail: Sequence[str]) -> None:
        super().__init__(message)
        self.tail = tuple(tail)


class InterruptedRunError(ProductError):
    """The run was stopped by a signal."""

    exit_code = 130


def explain(title: str, tail: Sequence[str], log: Path) -> ProductError:
    """The error of a failed task from the last lines that it wrote.

    A `ProductError` is known by the last line of its traceback.
    """
    where = f"(Task: {title}. Log: {log})"
    for start in reversed(range(len(tail))):
        raised = _RAISED.match(tail[start])
        if raised is not None:
            rest = takewhile(str.strip, tail[start + 1 :])
            paragraph = " ".join([raised["text"], *rest])
            kind: type[ProductError] = getattr(errors, raised["kind"])
            return kind(f"{paragraph} {where}")
    return TaskFailedError(
        f"Task {title} failed; the lines above are the last that it wrote, and the "
        f"whole log is {log}. Run the same command again to go on from here.",
        tail,
    )
