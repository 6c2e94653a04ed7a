"""Training tasks on accelerators; the other tasks as they were."""

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from model_code.errors import ConfigError
from pipelines.accelerators import Accelerator, Gpu, Tpu, accelerated, placement
from pipelines.compile import compile_pipeline

IMAGE = "registry.example/effnetv2@sha256:" + "a" * 64
TRAINER = "registry.example/effnetv2-tpu@sha256:" + "b" * 64
TPU = Tpu(kind="tpu", type="v5e", topology="2x4", image=TRAINER, spot=True)
GPU = Gpu(kind="gpu", type="l4", count=2, image=TRAINER)


@pytest.fixture(scope="module")
def package() -> str:
    return compile_pipeline("training", IMAGE)


def executors(package: str) -> tuple[dict, dict]:
    spec, platform = yaml.safe_load_all(package)
    settings = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    found = spec["deploymentSpec"]["executors"]
    return {name: each["container"] for name, each in found.items()}, settings


def test_training_tasks_and_no_others_get_the_tpu(package):
    before, _ = executors(package)
    containers, settings = executors(accelerated(package, TPU))
    trainers = {"exec-pretrain", "exec-finetune"}
    for name in trainers:
        assert containers[name]["image"] == TRAINER
        accelerator = containers[name]["resources"]["accelerator"]
        assert (accelerator["type"], accelerator["count"]) == ("google.com/tpu", "8")
        assert settings[name]["nodeSelector"]["labels"] == {
            "cloud.google.com/gke-tpu-accelerator": "tpu-v5-lite-podslice",
            "cloud.google.com/gke-tpu-topology": "2x4",
            "cloud.google.com/gke-spot": "true",
        }
        keys = {each["key"] for each in settings[name]["tolerations"]}
        assert keys == {"google.com/tpu", "cloud.google.com/gke-spot"}
        assert settings[name]["securityContext"]["runAsNonRoot"] is True
    for name in containers.keys() - trainers:
        assert containers[name] == before[name]
        assert "nodeSelector" not in settings[name]


def test_gpus_by_number(package):
    containers, settings = executors(accelerated(package, GPU))
    accelerator = containers["exec-finetune"]["resources"]["accelerator"]
    assert (accelerator["type"], accelerator["count"]) == ("nvidia.com/gpu", "2")
    labels = settings["exec-finetune"]["nodeSelector"]["labels"]
    assert labels == {"cloud.google.com/gke-accelerator": "nvidia-l4"}


def test_it_gives_the_same_bytes_twice(package):
    assert accelerated(package, TPU) == accelerated(package, TPU)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"topology": "4x4"}, "slice of 4 hosts"),
        ({"topology": "3x3"}, "no topology"),
        ({"chips": 4}, "has 8 chips, not 4"),
        ({"type": "bogus"}, "is not known"),
    ],
)
def test_a_tpu_that_one_pod_cannot_have_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        placement(Tpu(**TPU.__dict__ | changes))


def test_more_gpus_than_a_node_has_are_refused():
    with pytest.raises(ConfigError, match="a node has 1 to 8"):
        placement(Gpu(**GPU.__dict__ | {"count": 16}))


def test_the_trainers_image_is_pinned():
    values = {"kind": "gpu", "type": "l4", "image": "effnetv2:latest"}
    with pytest.raises(ValidationError, match="image"):
        TypeAdapter(Accelerator).validate_python(values)


def test_a_pipeline_that_trains_nothing_takes_no_accelerator(package):
    spec, platform = yaml.safe_load_all(package)
    spec["components"] = {}
    with pytest.raises(ConfigError, match="no training task"):
        accelerated(yaml.safe_dump_all([spec, platform]), TPU)
