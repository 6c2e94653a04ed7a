"""The runtime image, and a whole run with every task in a container of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import docker
import pytest

from model_code.errors import UnavailableError
from pipelines.local.containers import Containers, run_container, tasks_in
from tests.helpers.podman import (
    ROOT,
    build_image,
    missing_tool,
    podman,
    podman_service,
)

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(missing_tool() is not None, reason=f"no {missing_tool()} here"),
]


@pytest.fixture(scope="module")
def image() -> str:
    return build_image()


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with podman_service(tmp_path_factory.mktemp("podman")) as variables:
        yield variables


@pytest.fixture
def engine(service, monkeypatch):
    for name, value in service.items():
        monkeypatch.setenv(name, value)
    client = docker.from_env()
    yield client
    client.close()


def inside(image: str, *command: str) -> str:
    limits = ("--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096")
    locked = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "all")
    done = podman(
        "run", "--rm", *limits, *locked, "--network", "none", image, *command,
        capture_output=True,
    )  # fmt: skip
    return done.stdout


def test_the_image_is_not_root_and_holds_no_compiler_and_no_secret(image):
    script = (
        "id -u; touch /opt/x 2>/dev/null && echo writable; "
        "for tool in gcc g++ cc make uv pip; do command -v $tool; done; "
        "find / -xdev -name 'ca.crt' -not -path '/proc/*' 2>/dev/null; "
        "env | grep -iE 'cert|token|password|secret'; true"
    )
    assert inside(image, "sh", "-c", script).split() == ["10001"]


def test_the_image_is_byte_compiled_and_carries_its_bill_of_materials(image):
    script = (
        "ls /opt/effnetv2/lib/python3.13/site-packages/tensorflow/python/__pycache__"
        " | head -1; ls /opt/effnetv2/lib/python3.13/site-packages/model_code/"
        "__pycache__ | head -1; cat /usr/share/sbom.spdx"
    )
    text = inside(image, "sh", "-c", script)
    assert text.count(".pyc") == 2
    for package in (
        "pypi/tfx@1.21.0",
        "pypi/tensorflow-cpu@2.21.0",
        "deb/debian/libc6",
    ):
        assert package in text


def test_the_commands_of_the_desk_work_inside(image):
    described = inside(image, "effnetv2", "describe", "efficientnetv2-s", "--json")
    assert json.loads(described)


def containers(image: str, tmp_path: Path, **changes) -> Containers:
    fields = {"image": image, "root": tmp_path, "variables": {"WHO": "test"}}
    return Containers(**(fields | changes))


@pytest.mark.parametrize("code", [0, 3, 137])
def test_the_exit_code_of_a_container_is_reported(engine, image, tmp_path, code):
    command = ["sh", "-c", f"exit {code}"]
    assert run_container(engine, containers(image, tmp_path), command) == code


def test_output_variables_and_the_workspace_reach_a_container(
    engine, image, tmp_path, capsys
):
    script = f"echo $WHO; echo done > {tmp_path}/result; id -u"
    assert run_container(engine, containers(image, tmp_path), ["sh", "-c", script]) == 0
    assert capsys.readouterr().out == f"test\n{os.getuid()}\n"
    assert (tmp_path / "result").read_text() == "done\n"
    assert engine.containers.list(all=True) == []


def test_a_container_that_runs_out_of_memory_fails_and_says_so(
    engine, image, tmp_path, capsys
):
    hungry = ["python3", "-c", "blocks = [bytearray(10**6) for _ in range(10**4)]"]
    limited = containers(image, tmp_path, memory="64m")
    assert run_container(engine, limited, hungry) == 137
    assert "needs more memory than 64m" in capsys.readouterr().out


def test_an_image_that_is_not_there_stops_the_run_before_its_first_task(
    engine, tmp_path
):
    wrong = containers("localhost/effnetv2:nonsense", tmp_path)
    with pytest.raises(UnavailableError, match="is not on this machine"):
        tasks_in(wrong).__enter__()


def test_without_an_engine_the_error_says_what_to_start(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(UnavailableError, match="No container engine answers"):
        tasks_in(containers("any", tmp_path)).__enter__()


def effnetv2(service, *arguments: object) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("effnetv2")
    command = [program, *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | service,
        text=True,
        capture_output=True,
        check=False,
    )


def test_the_training_pipeline_runs_in_containers(service, image, tmp_path):
    done = effnetv2(
        service,
        "run",
        *("--recipe", ROOT / "tests" / "helpers" / "tiny.yaml"),
        *("--workspace", tmp_path / "workspace"),
        *("--runner", "docker", "--image", image, "--json"),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    summary = json.loads(done.stdout)
    assert summary["model_name"] == "tiny-fractals"


def test_a_task_that_fails_in_its_container_fails_the_run(service, image, tmp_path):
    done = effnetv2(
        service,
        "run",
        *("--recipe", ROOT / "tests" / "helpers" / "tiny.yaml"),
        *("--workspace", tmp_path / "workspace"),
        *("--set", "finetune.data.splits.minimum_per_class=1000"),
        *("--runner", "docker", "--image", image, "--json"),
    )
    assert done.returncode == 3, done.stderr[-3000:]
