"""What every compiled pipeline must be before a cluster sees it."""

from typing import Any

import pytest
import yaml

from model_code.errors import ConfigError
from pipelines.compile import PIPELINES, compile_pipeline
from pipelines.resources import RESOURCES

IMAGE = "registry.example/effnetv2@sha256:" + "a" * 64


@pytest.fixture(scope="module", params=PIPELINES)
def documents(request) -> tuple[dict[str, Any], dict[str, Any]]:
    spec, platform = yaml.safe_load_all(compile_pipeline(request.param, IMAGE))
    return spec, platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def executors(documents) -> dict[str, dict[str, Any]]:
    found = documents[0]["deploymentSpec"]["executors"]
    return {name: executor["container"] for name, executor in found.items()}


def every_task(documents) -> list[dict[str, Any]]:
    spec = documents[0]
    dags = [spec["root"], *spec["components"].values()]
    return [
        task for dag in dags for task in dag.get("dag", {}).get("tasks", {}).values()
    ]


def leaves(documents) -> list[dict[str, Any]]:
    components = documents[0]["components"]
    return [
        task
        for task in every_task(documents)
        if "executorLabel" in components[task["componentRef"]["name"]]
    ]


def test_every_task_runs_in_the_one_image_that_is_pinned_by_digest(documents):
    parameters = documents[0]["root"]["inputDefinitions"]["parameters"]
    assert parameters["image"]["defaultValue"] == IMAGE
    for container in executors(documents).values():
        assert container["image"].startswith("{{$.inputs.parameters['pipelinechannel--")
        assert container["image"].endswith("image']}}")


@pytest.mark.parametrize(
    "moving", ["effnetv2", "effnetv2:latest", "effnetv2@sha256:12"]
)
def test_an_image_that_can_move_is_refused(moving):
    with pytest.raises(ConfigError, match="is not pinned"):
        compile_pipeline("training", moving)


def test_nothing_is_installed_at_run_time(documents):
    for container in executors(documents).values():
        text = " ".join(container["command"] + container.get("args", []))
        assert "pip install" not in text
        assert "get-pip" not in text


def test_requests_and_limits_are_set_and_equal(documents):
    for name, container in executors(documents).items():
        resources = container["resources"]
        for kind in ("Cpu", "Memory"):
            request = resources[f"resource{kind}Request"]
            assert request == resources[f"resource{kind}Limit"], name


def test_every_task_is_retried_with_a_growing_pause(documents):
    for task in leaves(documents):
        policy = task["retryPolicy"]
        assert 1 <= policy["maxRetryCount"] <= 10
        assert float(policy["backoffDuration"].removesuffix("s")) >= 30
        assert policy["backoffFactor"] == 2


def test_no_task_runs_as_root_or_for_ever_or_fills_the_disk(documents):
    _, platform = documents
    assert set(platform) == set(executors(documents))
    for settings in platform.values():
        context = settings["securityContext"]
        assert context == {
            "runAsGroup": "10001",
            "runAsNonRoot": True,
            "runAsUser": "10001",
        }
        assert 3600 <= int(settings["activeDeadlineSeconds"]) <= 240 * 3600
        (scratch,) = settings["emptyDirMounts"]
        assert scratch["mountPath"] == "/tmp"
        assert scratch["sizeLimit"].endswith("Gi")


def test_secrets_come_by_reference(documents):
    spec, platform = documents
    for container in executors(documents).values():
        assert "env" not in container
    for settings in platform.values():
        for secret in settings.get("secretAsEnv", []):
            assert secret["secretName"] == "effnetv2-webhook"
            assert secret["optional"] is True
    words = ("password", "token", "secret", "api_key")
    names = spec["root"]["inputDefinitions"]["parameters"]
    assert not any(word in name for name in names for word in words)


def test_a_cached_task_says_why(documents):
    for task in leaves(documents):
        name = task["componentRef"]["name"].removeprefix("comp-").replace("-", "_")
        row = RESOURCES[name.rstrip("_0123456789")]
        assert task["cachingOptions"].get("enableCache", False) == row.caching
        assert len(row.reason) > 10
