"""Podman for tests: an API socket, and the runtime image built from this checkout."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMAGE = "localhost/effnetv2:runtime"
BASE = "docker.io/library/debian:trixie-slim"
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# A VM without CAP_SYS_RESOURCE cannot raise limits to Podman's defaults.
_CONFIGURATION = """\
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
"""


def missing_tool() -> str | None:
    """The first program that is not on this machine."""
    wanted = ("podman", "runc")
    return next((tool for tool in wanted if shutil.which(tool) is None), None)


def podman(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = ["podman", "--runtime", "runc", *arguments]
    return subprocess.run(command, text=True, check=True, cwd=ROOT, **options)


@contextlib.contextmanager
def podman_service(directory: Path) -> Iterator[dict[str, str]]:
    """A Docker-compatible API; what to put into the environment to reach it."""
    configuration = directory / "containers.conf"
    configuration.write_text(_CONFIGURATION)
    address = f"unix://{directory / 'podman.sock'}"
    variables = {"CONTAINERS_CONF": str(configuration), "DOCKER_HOST": address}
    service = subprocess.Popen(
        ["podman", "--runtime", "runc", "system", "service", "--time=0", address],
        env=os.environ | variables,
    )
    try:
        deadline = time.monotonic() + 30
        while not (directory / "podman.sock").exists():
            if time.monotonic() > deadline or service.poll() is not None:
                raise AssertionError("the podman service did not start")
            time.sleep(0.05)
        yield variables
    finally:
        service.terminate()
        service.wait(30)


def build_image(target: str = "runtime") -> str:
    """Build a target; layers of an earlier build are reused. Base by debootstrap."""
    image = f"localhost/effnetv2:{target}"
    with _alone():
        subprocess.run([str(ROOT / "infra" / "image" / "base.sh")], check=True)
        secret = ["--secret", f"id=ca,src={_AUTHORITIES}"]
        trust = secret if _AUTHORITIES.exists() else []
        podman("build", "--pull=never", *trust, "--target", target, "-t", image, ".")
    return image


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One build at a time on this machine: each would start the same layers."""
    with Path("/tmp/effnetv2-image-build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
