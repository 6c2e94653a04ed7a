"""Processes that outlived a killed desk.

SIGKILL of `effnetv2 run` leaves the running task and its children alive. They
would go on writing to what the resumed run writes to, so they end first. They
are known by the workspace in their environment, which every descendant
inherits and no other process has: no pid is trusted.
"""

import os
from contextlib import suppress

import psutil

from pipelines.local.workspace import WORKSPACE, Workspace

_PATIENCE_SECONDS = 20.0
"""Training saves a checkpoint before it gives way."""


def end_leftovers(workspace: Workspace) -> int:
    """End every task that runs in the workspace and wait for it; returns how many.

    The caller holds the workspace's lock: no living desk has started them.
    """
    ended = 0
    # Again, because a process that is ending may have started another.
    while processes := _find(workspace):
        _end(processes)
        ended += len(processes)
    return ended


def _find(workspace: Workspace) -> list[psutil.Process]:
    mark = (WORKSPACE, str(workspace.root))
    return [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and mark in _environment(process)
    ]


def _environment(process: psutil.Process) -> set[tuple[str, str]]:
    try:
        return set(process.environ().items())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        # Ended meanwhile, or another user's, who cannot be a task of ours.
        return set()


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(processes, timeout=_PATIENCE_SECONDS)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=_PATIENCE_SECONDS)
