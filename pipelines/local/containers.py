"""Tasks of a local run in containers, on Docker or Podman (`--runner docker`).

The same graph by kfp's DockerRunner, with its way of running a container
replaced: that one removes the container while it asks for its exit code and
takes "not found" for success (kubeflow/pipelines#13332; 10 of 10 containers
that exit with 3 were reported as succeeded).
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_code.errors import UnavailableError

_KILLED = 128 + 9


@dataclass(frozen=True, kw_only=True)
class Containers:
    """Which image runs the tasks, and what of this machine they see.

    `root` is mounted at its own path, writable; nothing else is. `memory` is a
    limit such as "8g".
    """

    image: str
    root: Path
    variables: Mapping[str, str]
    memory: str | None = None


@contextlib.contextmanager
def tasks_in(containers: Containers) -> Iterator[Any]:
    """A runner of kfp for containers that reports what became of them.

    Raises:
        UnavailableError: no container engine answers, or it lacks the image.
    """
    from kfp import local
    from kfp.local import docker_task_handler

    _check_engine(containers.image)
    original = docker_task_handler.run_docker_container

    def replacement(
        client: Any, image: str, command: list[str], volumes: Any, **settings: Any
    ) -> int:
        # The graph names an image that exists on a cluster; here one is chosen.
        del image, volumes, settings
        return run_container(client, containers, command)

    docker_task_handler.run_docker_container = replacement
    try:
        yield local.DockerRunner()
    finally:
        docker_task_handler.run_docker_container = original


def run_container(client: Any, containers: Containers, command: list[str]) -> int:
    """Run a command to its end, print its output, return its exit code.

    As on the cluster: not root (this user instead, who owns the workspace), a
    read-only root with a writable /tmp, no capabilities.
    """
    root = str(containers.root)
    container = client.containers.create(
        containers.image,
        command,
        cap_drop=["ALL"],
        environment=dict(containers.variables),
        mem_limit=containers.memory,
        memswap_limit=containers.memory,
        # The tracking server may be on this machine.
        network_mode="host",
        read_only=True,
        security_opt=["no-new-privileges"],
        tmpfs={"/tmp": "rw,exec"},
        user=f"{os.getuid()}:{os.getgid()}",
        volumes={root: {"bind": root, "mode": "rw"}},
        working_dir="/tmp",
    )
    try:
        container.start()
        for chunk in container.logs(stream=True, follow=True):
            print(chunk.decode(errors="replace"), end="")
        code = int(container.wait()["StatusCode"])
        if code == _KILLED:
            # Podman 4.3 on cgroup v1 does not set State.OOMKilled.
            limit = containers.memory or "this machine has"
            print(
                f"The container was killed, as when it needs more memory than {limit}"
            )
        return code
    finally:
        container.remove(force=True)


def _check_engine(image: str) -> None:
    """An image that is not there is an error before any task, not a silent pull."""
    import docker

    try:
        with contextlib.closing(docker.from_env()) as client:
            client.images.get(image)
    except docker.errors.ImageNotFound as error:
        raise UnavailableError(
            f"Image {image} is not on this machine; expected one that is: build it "
            "(`docker build --target runtime -t NAME .`) or pull it, and give its full "
            "name with --image."
        ) from error
    except docker.errors.DockerException as error:
        raise UnavailableError(
            f"No container engine answers ({error}); expected Docker, or Podman's "
            "service with DOCKER_HOST naming its socket; start it, or leave out "
            "--runner docker."
        ) from error
