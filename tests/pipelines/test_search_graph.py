"""What the search graph promises to every runner."""

import pytest
import yaml

from model_code.planning.accelerators import GPUS
from pipelines.accelerators import Gpu, accelerated
from pipelines.compile import compile_pipeline
from pipelines.resources import RESOURCES

IMAGE = "registry.example/effnetv2-gpu@sha256:" + "a" * 64


@pytest.fixture(scope="module")
def package() -> dict:
    return next(yaml.safe_load_all(compile_pipeline("search")))


def _workers(package: dict) -> dict:
    return package["components"]["comp-for-loop-1"]["dag"]["tasks"]["search-worker"]


def test_one_worker_for_each_name(package: dict) -> None:
    loop = package["root"]["dag"]["tasks"]["for-loop-1"]

    items = loop["parameterIterator"]["items"]
    assert items == {"inputParameter": "pipelinechannel--workers"}
    assert loop["inputs"]["parameters"]["pipelinechannel--workers"] == {
        "componentInputParameter": "workers"
    }
    # No limit of its own: as many at once as the cluster has room for.
    assert "iteratorPolicy" not in loop


def test_workers_wait_for_the_dataset_and_the_summary_for_all_workers(
    package: dict,
) -> None:
    tasks = package["root"]["dag"]["tasks"]

    assert tasks["for-loop-1"]["dependentTasks"] == ["ingest"]
    assert tasks["search-summary"]["dependentTasks"] == ["for-loop-1"]


def test_a_worker_whose_node_is_taken_away_starts_again(package: dict) -> None:
    row = RESOURCES["search_worker"]

    assert _workers(package)["retryPolicy"]["maxRetryCount"] == row.retries
    assert not _workers(package)["cachingOptions"].get("enableCache", False)


def test_every_parameter_has_a_default(package: dict) -> None:
    # kfp's local runner fails on a parameter without a value.
    parameters = package["root"]["inputDefinitions"]["parameters"]

    assert all(parameter.get("defaultValue") for parameter in parameters.values())


def test_every_task_runs_in_the_image_of_the_parameter(package: dict) -> None:
    executors = package["deploymentSpec"]["executors"].values()

    images = {executor["container"]["image"] for executor in executors}
    assert images == {"{{$.inputs.parameters['pipelinechannel--image']}}"}


def test_the_tracking_run_is_named_by_the_backend(package: dict) -> None:
    summary = package["root"]["dag"]["tasks"]["search-summary"]

    assert summary["inputs"]["parameters"]["pipeline_run_id"] == {
        "runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}
    }


def test_workers_run_on_the_accelerator(package: dict) -> None:
    accelerator = Gpu(kind="gpu", type=next(iter(GPUS)), image=IMAGE)
    placed = yaml.safe_load_all(accelerated(compile_pipeline("search"), accelerator))

    executors = next(placed)["deploymentSpec"]["executors"]
    assert {name for name, each in executors.items() if _accelerates(each)} == {
        "exec-search-worker"
    }


def _accelerates(executor: dict) -> bool:
    return "accelerator" in executor["container"]["resources"]
