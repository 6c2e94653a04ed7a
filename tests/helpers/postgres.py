"""A PostgreSQL server of one test's own, on a socket in its directory."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PROGRAMS = ("initdb", "postgres", "pg_isready")


@contextmanager
def postgres_server(directory: Path) -> Iterator[str]:
    """The URL of an empty database; skips where the host has no PostgreSQL."""
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"this host has no {', '.join(missing)}")
    data = directory / "data"
    _run("initdb", "-D", str(data), "-U", "effnetv2", "--auth=trust", "-N")
    command = _as_user("postgres", "-D", str(data), "-k", str(directory))
    command += ["-c", "listen_addresses=", "-c", "fsync=off"]
    with (directory / "server.log").open("wb") as log:
        server = subprocess.Popen(command, stderr=log)
    try:
        _wait_until_ready(directory)
        yield f"postgresql://effnetv2@/postgres?host={directory}"
    finally:
        # A "fast" shutdown: SIGTERM would wait for clients to go.
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)


def _run(*command: str) -> None:
    subprocess.run(_as_user(*command), check=True, capture_output=True, timeout=60)


def _as_user(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root; a user namespace hides who one is."""
    return ["unshare", "--user", *command] if os.geteuid() == 0 else [*command]


def _wait_until_ready(directory: Path) -> None:
    for _ in range(100):
        command = ["pg_isready", "-h", str(directory), "-U", "effnetv2"]
        ready = subprocess.run(command, check=False, capture_output=True, timeout=10)
        if ready.returncode == 0:
            return
        time.sleep(0.1)
    raise TimeoutError((directory / "server.log").read_text())
