"""The image's files agree with the lock, with each other and with the build."""

import re
import tomllib
from pathlib import Path

import yaml

from pipelines.compile import PIPELINES
from pipelines.resources import _USER

ROOT = Path(__file__).parents[2]
IMAGE = ROOT / "infra" / "image"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
BUILD = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text())


def locked(path: Path) -> dict[str, set[str]]:
    packages = tomllib.loads(path.read_text())["package"]
    found: dict[str, set[str]] = {}
    for package in packages:
        found.setdefault(package["name"], set()).add(package.get("version", ""))
    return found


def pinned(name: str) -> dict[str, str]:
    text = (IMAGE / name).read_text()
    return dict(re.findall(r"(?m)^([a-z0-9-]+)==([^ \\\n]+)", text))


def test_the_cpu_wheel_is_the_version_of_the_lock():
    assert {pinned("tensorflow-cpu.txt")["tensorflow-cpu"]} == (
        locked(ROOT / "uv.lock")["tensorflow"]
    )


def test_everything_that_is_installed_beside_the_lock_has_hashes():
    for name in ("build.txt", "tensorflow-cpu.txt", "cuda.txt"):
        text = (IMAGE / name).read_text()
        requirements = re.split(r"(?m)^(?=[a-z0-9-]+==)", text)[1:]
        assert requirements
        assert all("--hash=sha256:" in requirement for requirement in requirements)


def test_uv_is_the_one_of_the_makefile():
    version = re.search(r"UV_VERSION := (\S+)", (ROOT / "Makefile").read_text())
    assert version is not None
    assert pinned("build.txt")["uv"] == version[1]


def test_the_tpu_lock_has_tensorflow_for_tpus_and_no_tfx():
    tpu = locked(IMAGE / "tpu" / "uv.lock")
    assert "tensorflow-tpu" in tpu
    assert not {"tfx", "tensorflow", "tfx-bsl"} & set(tpu)
    # What crosses from one image to another is read by the same kfp and MLflow.
    lock = locked(ROOT / "uv.lock")
    assert tpu["kfp"] == lock["kfp"]


def test_no_stage_runs_as_root_in_the_end():
    for stage in ("runtime", "runtime-gpu", "runtime-tpu", "serving"):
        body = DOCKERFILE.split(f"FROM python AS {stage}\n")[1].split("\nFROM ")[0]
        assert f"USER {_USER}:{_USER}" in body
        assert "apt-get" not in body


def test_files_that_the_build_names_exist():
    for source in re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", DOCKERFILE):
        for path in source.split():
            assert (ROOT / path).exists(), path
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert allowed[1] == "*"
    assert not any("workspace" in line or "git" in line for line in allowed[1:])


def test_the_build_declares_what_it_substitutes():
    text = (ROOT / "cloudbuild.yaml").read_text()
    code = re.sub(r"#.*", "", text)
    used = set(re.findall(r"(?<!\$)\$\{(_[A-Z_]+)\}", code))
    assert used == set(BUILD["substitutions"])
    known = used | {"COMMIT_SHA", "PROJECT_ID"}
    for name in re.findall(r"(?<!\$)\$\{?([A-Za-z_]\w*)", code):
        assert name in known, f"${name} must be $${name} to reach the shell"


def test_steps_wait_for_steps_that_exist():
    seen: set[str] = set()
    for step in BUILD["steps"]:
        assert set(step.get("waitFor", [])) - {"-"} <= seen
        seen.add(step["id"])


def test_the_build_compiles_pipelines_that_exist():
    script = next(s for s in BUILD["steps"] if s["id"] == "schedules")["args"][1]
    named = re.search(r"for pipeline in (.+); do", script)
    assert named is not None
    assert set(named[1].split()) <= set(PIPELINES)
    assert all(f"{name}.yaml" in str(BUILD["artifacts"]) for name in named[1].split())
