"""Plain log lines about a running ingest job, whatever runner executes it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from model_code.data.ingestion import spill
from model_code.progress import logger

_SECONDS = 3.0


@contextmanager
def report_progress(work: str, name: str, total: int | None) -> Iterator[None]:
    """Log examples and bytes per second every few seconds until the block ends.

    Reads the names of finished parts in the work directory, since runners
    report their counters late or not at all.
    """
    stop = threading.Event()
    started = time.monotonic()

    def watch() -> None:
        while not stop.wait(_SECONDS):
            done = spill.read_progress(work)
            logger.info("%s", _line(name, total, done, time.monotonic() - started))

    watcher = threading.Thread(target=watch, name="ingest-progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def _line(name: str, total: int | None, done: spill.Progress, seconds: float) -> str:
    whole = f" of {total:,}" if total is not None else ""
    refused = f", {done.dead_letters:,} refused" if done.dead_letters else ""
    return (
        f"ingest {name}: {done.examples:,}{whole} examples{refused}, "
        f"{done.examples / seconds:,.0f} examples/s, "
        f"{done.bytes / seconds / 1e6:,.1f} MB/s"
    )
