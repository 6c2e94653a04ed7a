"""What holds while a desk works: one at a time, and signals end it in order."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from filelock import FileLock, Timeout

from model_code.errors import UnavailableError
from pipelines.local.workspace import Workspace


@contextmanager
def alone_in(workspace: Workspace) -> Iterator[None]:
    """Hold the workspace; the kernel frees it when its holder is killed.

    Raises:
        UnavailableError: another desk works in it.
    """
    try:
        with FileLock(workspace.lock, timeout=0):
            yield
    except Timeout as error:
        raise UnavailableError(
            f"Workspace {workspace.root} is in use by another command; wait "
            "for it to end, or give another directory with --workspace."
        ) from error


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does, its tasks included."""

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
