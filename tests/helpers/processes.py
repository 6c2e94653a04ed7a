"""Waiting for what other processes do, without guessing how long it takes."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil

_LIMIT_SECONDS = 120.0


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Return as soon as it happened; fail loudly when it does not."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen in {_LIMIT_SECONDS:.0f} s")
        time.sleep(0.02)


def wait_for_text(path: Path) -> str:
    """The content of a file that another process is about to write."""
    wait_until(lambda: path.exists() and path.read_text() != "", f"writing {path}")
    return path.read_text()


def is_alive(pid: int) -> bool:
    """Whether the process still runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
