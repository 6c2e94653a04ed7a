"""Being told to stop, and being alone: what a run owes to its surroundings."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout

from model_code.adapters import storage
from model_code.errors import TrainingError
from model_code.progress import logger

_LOCK = "training.lock"


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """While open, SIGTERM asks instead of killing; yields whether it has asked.

    Python delivers signals to the main thread only; elsewhere SIGTERM kills as
    ever, and the run resumes from its last checkpoint.
    """
    asked = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        logger.info("not in the main thread: SIGTERM will not save a checkpoint first")
        yield asked.is_set
        return
    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def sole_writer(workdir: str) -> Iterator[None]:
    """While open, no other process on this machine trains in `workdir`.

    The lock is the kernel's, so it ends with its holder however that dies. A
    bucket has no locks: there the pipeline's run key keeps runs apart.

    Raises:
        TrainingError: another process holds it.
    """
    if storage.is_remote(workdir):
        yield
        return
    Path(workdir).mkdir(parents=True, exist_ok=True)
    lock = FileLock(Path(workdir) / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise TrainingError(
            f"Another process is training in {workdir}; expected to be alone there. "
            "Wait for it, stop it, or give this run another key or checkpoint root."
        ) from error
    try:
        yield
    finally:
        lock.release()
