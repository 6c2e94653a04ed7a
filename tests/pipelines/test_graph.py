"""What the training graph promises to every runner."""

import subprocess
import sys

import pytest
import yaml

from pipelines.compile import PIPELINES, compile_pipeline, find_pipeline
from pipelines.resources import RESOURCES

TRAINING = ["training", "training-from-scratch"]


@pytest.fixture(scope="module", params=TRAINING)
def package(request) -> dict:
    return next(yaml.safe_load_all(compile_pipeline(request.param)))


def tasks(package: dict) -> dict:
    return package["root"]["dag"]["tasks"]


def containers(package: dict) -> list[dict]:
    executors = package["deploymentSpec"]["executors"].values()
    return [executor["container"] for executor in executors]


def test_tasks_form_one_line(package):
    # Independent tasks run in the order of a protobuf map on this machine.
    dependencies = {
        name: set(task.get("dependentTasks", []))
        for name, task in tasks(package).items()
    }
    done: set[str] = set()
    while len(done) < len(dependencies):
        ready = [
            name
            for name, needed in dependencies.items()
            if name not in done and needed <= done
        ]
        assert len(ready) == 1
        done.add(ready[0])


def test_nothing_branches_or_loops(package):
    # kfp 2.17 skips a condition on a named output, or on a text with a quote.
    for task in tasks(package).values():
        assert "triggerPolicy" not in task
        assert "parameterIterator" not in task
        assert "artifactIterator" not in task


def test_every_parameter_has_a_default(package):
    # kfp's local runner fails on a parameter without a value.
    for parameter in package["root"]["inputDefinitions"]["parameters"].values():
        assert parameter["defaultValue"] != ""
        assert parameter["parameterType"] == "STRING"


def test_every_task_runs_in_the_image_of_the_parameter(package):
    for container in containers(package):
        assert container["image"] == "{{$.inputs.parameters['pipelinechannel--image']}}"


def test_no_task_installs_anything(package):
    for container in containers(package):
        text = " ".join(container["command"])
        assert "pip install" not in text
        assert "venv" not in text


def test_every_task_has_the_row_of_its_component(package):
    for name, task in tasks(package).items():
        component = task["componentRef"]["name"].removeprefix("comp-")
        row = RESOURCES[component.removesuffix("-2")]
        assert task["retryPolicy"]["maxRetryCount"] == row.retries, name
        assert task["cachingOptions"].get("enableCache", False) == row.caching
    for container in containers(package):
        resources = container["resources"]
        assert resources["resourceCpuRequest"] == resources["resourceCpuLimit"]
        assert resources["resourceMemoryRequest"] == resources["resourceMemoryLimit"]


def test_the_backend_fills_in_the_run_id(package):
    # Only where the placeholder is the whole value of a task's input.
    for name in ("finetune", "evaluate", "register"):
        given = tasks(package)[name]["inputs"]["parameters"]["pipeline_run_id"]
        assert given == {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}


def test_pretraining_is_the_only_difference():
    with_it, without = (
        {task.component_ref.name for task in _tasks(name).values()} for name in TRAINING
    )

    assert with_it - without == {"comp-pretrain", "comp-ingest-2", "comp-validate-2"}


def _tasks(name: str) -> dict:
    return find_pipeline(name).pipeline_spec.root.dag.tasks


@pytest.mark.parametrize("name", PIPELINES)
def test_drawing_a_graph_loads_no_machine_learning(name):
    module = PIPELINES[name].partition(":")[0]
    code = (
        f"import sys, {module}; "
        "print([m for m in ('model_code', 'tensorflow', 'keras', 'mlflow', "
        "'apache_beam') if m in sys.modules])"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"
