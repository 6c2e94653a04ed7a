"""The command line in this process, as its user meets it."""

import contextlib
import io
import sys
from dataclasses import dataclass
from unittest import mock

from pipelines.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    exit_code: int
    out: str
    err: str


def effnetv2(*arguments: str) -> Answer:
    """Run one command."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["effnetv2", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as left:
            code = (
                left.code if isinstance(left.code, int) else int(left.code is not None)
            )
            return Answer(code, out.getvalue(), err.getvalue())
    return Answer(0, out.getvalue(), err.getvalue())
