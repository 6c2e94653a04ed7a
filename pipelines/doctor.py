"""What this machine can do: each library really imported, each server really asked.

Importing proves little (TFX turns what fails into None), so a probe uses an
attribute that only a working library has; and it runs in a process of its own,
since a library that aborts must not take the answer with it.
"""

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Literal

import psutil
import urllib3
from pydantic.dataclasses import dataclass

from model_code.distributions import installed
from pipelines.settings import Environment

Verdict = Literal["ok", "absent", "broken"]

_IMPORT_SECONDS = 120.0
_SERVER_SECONDS = 5.0
_GIGABYTE = 1e9


@dataclass(frozen=True)
class Check:
    """One finding; `needed` means that `effnetv2 run` cannot do without."""

    name: str
    verdict: Verdict
    found: str
    needed: bool = False


@dataclass(frozen=True)
class Probe:
    """A library, and a Python expression that only works where it does."""

    name: str
    distribution: str
    modules: str
    proof: str
    needed: bool


_PROBES = (
    Probe(
        "TensorFlow",
        "tensorflow",
        "tensorflow as tf",
        "*[d.device_type for d in tf.config.list_physical_devices()], "
        "'with CUDA' if tf.test.is_built_with_cuda() else 'CPU only'",
        needed=True,
    ),
    Probe(
        "Apache Beam",
        "apache-beam",
        "apache_beam as beam",
        "'FnApiRunner' if beam.runners.create_runner('FnApiRunner') else ''",
        needed=True,
    ),
    Probe(
        "tfx-bsl",
        "tfx-bsl",
        "tfx_bsl.coders.example_coder as coder",
        "coder.RecordBatchToExamplesEncoder.__name__",
        needed=True,
    ),
    Probe("MLflow", "mlflow", "mlflow", "mlflow.MlflowClient.__name__", needed=True),
    Probe("KFP", "kfp", "kfp.local as local", "local.SubprocessRunner.__name__", True),
    Probe(
        "TFMA",
        "tensorflow-model-analysis",
        "tensorflow_model_analysis.proto.config_pb2 as config",
        "config.EvalConfig().DESCRIPTOR.name",
        needed=False,
    ),
    Probe(
        "TFDV",
        "tensorflow-data-validation",
        "tensorflow_data_validation as tfdv",
        "tfdv.infer_schema.__name__",
        needed=False,
    ),
)


def examine(
    environment: Environment, workspace: Path, tracking_uri: str | None
) -> tuple[Check, ...]:
    """Every finding, in the order in which a person would ask."""
    checks: list[Callable[[], Check]] = [
        _python,
        _libc,
        lambda: _resources(workspace),
        *[lambda probe=probe: probe_library(probe) for probe in _PROBES],
        _container_engine,
        lambda: _mlflow_server(tracking_uri or environment.tracking_uri),
        lambda: _kfp_backend(environment),
    ]
    # Two at a time: each import takes seconds and a gigabyte.
    with ThreadPoolExecutor(max_workers=2) as pool:
        return tuple(pool.map(lambda check: check(), checks))


def can_run(checks: tuple[Check, ...]) -> bool:
    """Whether `effnetv2 run` has all that it needs."""
    return all(check.verdict == "ok" for check in checks if check.needed)


def probe_library(probe: Probe) -> Check:
    """Import a library in a process of its own and make it prove itself."""
    try:
        _, version = installed(probe.distribution)
    except metadata.PackageNotFoundError:
        return Check(probe.name, "absent", "not installed", probe.needed)
    code = f"import {probe.modules}\nprint({probe.proof})"
    try:
        ran = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=_IMPORT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        found = f"{version}, no answer within {_IMPORT_SECONDS:.0f} s"
        return Check(probe.name, "broken", found, probe.needed)
    if ran.returncode != 0:
        last = (ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"])[-1]
        return Check(probe.name, "broken", f"{version}: {last}", probe.needed)
    return Check(
        probe.name, "ok", f"{version} ({ran.stdout.splitlines()[-1]})", probe.needed
    )


def _python() -> Check:
    version = platform.python_version()
    fits = (3, 11) <= sys.version_info[:2] < (3, 14)
    found = version if fits else f"{version}; expected 3.11 to 3.13"
    return Check("Python", "ok" if fits else "broken", found, needed=True)


def _libc() -> Check:
    name, version = platform.libc_ver()
    if not version:
        return Check("C library", "absent", "not glibc; wheels need it", needed=True)
    numbers = tuple(int(part) for part in version.split("."))
    remark = "" if numbers >= (2, 39) else "; TFDV 1.21 needs 2.39"
    return Check("C library", "ok", f"{name} {version}{remark}", needed=True)


def _resources(workspace: Path) -> Check:
    place = next(path for path in (workspace, *workspace.parents) if path.exists())
    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(place)
    found = (
        f"{psutil.cpu_count()} cores, {memory.available / _GIGABYTE:.1f} of "
        f"{memory.total / _GIGABYTE:.1f} GB memory free, "
        f"{disk.free / _GIGABYTE:.1f} GB disk free at {place}"
    )
    return Check("Machine", "ok", found, needed=True)


def _container_engine() -> Check:
    for engine in ("docker", "podman"):
        if shutil.which(engine) is None:
            continue
        ran = subprocess.run(
            [engine, "version"], capture_output=True, text=True, check=False
        )
        if ran.returncode == 0:
            return Check("Container engine", "ok", engine)
        complaint = " ".join(ran.stderr.split())[:120]
        return Check("Container engine", "broken", f"{engine}: {complaint}")
    return Check("Container engine", "absent", "neither docker nor podman")


def _mlflow_server(tracking_uri: str | None) -> Check:
    if tracking_uri is None:
        return Check("MLflow store", "ok", "SQLite in the workspace", needed=True)
    if not tracking_uri.startswith("http"):
        return Check("MLflow store", "ok", tracking_uri.partition(":")[0], needed=True)
    return _ask("MLflow store", tracking_uri, "/health", needed=True)


def _kfp_backend(environment: Environment) -> Check:
    if environment.connection is None:
        found = f"environment {environment.name} has none"
        return Check("KFP backend", "absent", found)
    host = environment.connection.host
    return _ask("KFP backend", host, "/apis/v2beta1/healthz", needed=False)


def _ask(name: str, address: str, path: str, *, needed: bool) -> Check:
    """A server that answers is there, whatever it thinks of us."""
    try:
        answer = urllib3.request(
            "GET", address.rstrip("/") + path, timeout=_SERVER_SECONDS, retries=False
        )
    except urllib3.exceptions.HTTPError as error:
        return Check(name, "broken", f"{address} does not answer: {error}", needed)
    return Check(name, "ok", f"{address} answers {answer.status}", needed)
