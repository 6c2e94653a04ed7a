"""Accelerators for the training tasks of a compiled pipeline, as an environment says.

A KFP task is one pod, so a TPU slice of several hosts cannot be one; it is
refused here, as is any combination of type, topology and chips that does not
exist (the SDK compiles them all, kfp-facts section 6).
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field
from pydantic.dataclasses import dataclass

from model_code.config.base import STRICT, Count, Flag
from model_code.errors import ConfigError
from model_code.planning.accelerators import gpu, tpu_slice

TRAINING_TASKS = ("comp-pretrain", "comp-finetune", "comp-search-worker")

PinnedImage = Annotated[
    str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}$")
]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Tpu:
    """One TPU host; `image` is runtime-tpu, which has no tfx: it only trains.

    Spot capacity is taken back at any time: training saves itself and exits,
    and the task's retries go on from the checkpoint.
    """

    kind: Literal["tpu"]
    type: str
    topology: str
    image: PinnedImage
    chips: Count | None = None
    spot: Flag = False


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Gpu:
    """GPUs of one node; `image` is the runtime-gpu image."""

    kind: Literal["gpu"]
    type: str
    image: PinnedImage
    count: Count = 1
    spot: Flag = False


Accelerator = Annotated[Tpu | Gpu, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True)
class Placement:
    """What a pod asks for: a resource, labels of its node, taints it bears."""

    resource: str
    count: int
    labels: dict[str, str]
    taints: tuple[str, ...]


def placement(accelerator: Tpu | Gpu) -> Placement:
    """The pod's side of an accelerator.

    Raises:
        ConfigError: it does not exist, or takes more than one pod.
    """
    found = _tpu(accelerator) if isinstance(accelerator, Tpu) else _gpu(accelerator)
    if not accelerator.spot:
        return found
    spot = "cloud.google.com/gke-spot"
    return Placement(
        resource=found.resource,
        count=found.count,
        labels={**found.labels, spot: "true"},
        taints=(*found.taints, spot),
    )


def accelerated(package: str, accelerator: Tpu | Gpu) -> str:
    """The package with its training tasks on the accelerator, in its image.

    Raises:
        ConfigError: as `placement`; or the pipeline trains nothing.
    """
    placed = placement(accelerator)
    spec, platform = yaml.safe_load_all(package)
    labels = list(_training_executors(spec))
    if not labels:
        raise ConfigError(
            f"Pipeline {spec['pipelineInfo']['name']} has no training task for an "
            "accelerator; use an environment without one."
        )
    settings = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for label in labels:
        container = spec["deploymentSpec"]["executors"][label]["container"]
        container["image"] = accelerator.image
        container["resources"]["accelerator"] = {
            "count": str(placed.count),
            "resourceCount": str(placed.count),
            "resourceType": placed.resource,
            "type": placed.resource,
        }
        settings[label]["nodeSelector"] = {"labels": placed.labels}
        settings[label]["tolerations"] = [
            {"key": taint, "operator": "Exists", "effect": "NoSchedule"}
            for taint in placed.taints
        ]
    return yaml.safe_dump_all([spec, platform], sort_keys=True)


def _training_executors(spec: dict[str, Any]) -> Iterator[str]:
    for name, component in spec["components"].items():
        if name.startswith(TRAINING_TASKS) and "executorLabel" in component:
            yield component["executorLabel"]


def _tpu(accelerator: Tpu) -> Placement:
    found = tpu_slice(accelerator.type, accelerator.topology, accelerator.chips)
    if found.multi_host:
        raise ConfigError(
            f"TPU {accelerator.type} in topology {accelerator.topology} is a slice of "
            f"{found.hosts} hosts; a pipeline task is one pod, so it needs one host; "
            f"expected {', '.join(found.tpu.single_host)}."
        )
    return Placement(
        resource="google.com/tpu",
        count=found.chips,
        labels={
            "cloud.google.com/gke-tpu-accelerator": found.tpu.selector,
            "cloud.google.com/gke-tpu-topology": found.topology,
        },
        taints=("google.com/tpu",),
    )


def _gpu(accelerator: Gpu) -> Placement:
    found = gpu(accelerator.type, accelerator.count)
    return Placement(
        resource="nvidia.com/gpu",
        count=accelerator.count,
        labels={"cloud.google.com/gke-accelerator": found.selector},
        taints=("nvidia.com/gpu",),
    )
