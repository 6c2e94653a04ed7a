"""Schedules and environments that ship: they load, and fit each other."""

import re
from pathlib import Path

import pytest
import yaml

from model_code.config.load import load_recipe
from pipelines.compile import PIPELINES, compile_pipeline
from pipelines.remote import graph_name
from pipelines.schedules import SCHEDULES, Schedule, check_parameters, load_schedules
from pipelines.settings import ENVIRONMENTS, load_environment

NAMES = sorted(path.stem for path in ENVIRONMENTS.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_an_environment_loads_once_its_variables_are_set(name, monkeypatch):
    text = (ENVIRONMENTS / f"{name}.yaml").read_text()
    for variable in re.findall(r"\$\{(\w+)\}", text):
        value = "https://x.example" if variable.endswith(("HOST", "URI")) else "bucket"
        monkeypatch.setenv(variable, value)
    place = load_environment(name)
    assert place.name == name
    assert (place.connection is None) == (name == "local")


def test_environments_are_those_of_the_cluster():
    overlays = {
        path.name for path in (ENVIRONMENTS.parent / "kubernetes/overlays").iterdir()
    }
    states = {path.name for path in (ENVIRONMENTS.parent / "terraform/envs").iterdir()}
    assert set(NAMES) - {"local"} == overlays == states


@pytest.mark.parametrize("schedule", load_schedules(), ids=lambda s: s.name)
def test_a_schedule_names_what_exists(schedule: Schedule, tmp_path: Path):
    assert set(schedule.environments) <= set(NAMES)
    graph = graph_name(schedule.pipeline, load_recipe(schedule.recipe))
    assert graph in PIPELINES
    package = tmp_path / "package.yaml"
    package.write_text(compile_pipeline(graph))
    check_parameters(schedule, schedule.parameters, package)


@pytest.mark.parametrize("path", sorted(SCHEDULES.glob("*.yaml")), ids=lambda p: p.stem)
def test_a_schedule_file_is_named_like_its_schedule(path):
    assert yaml.safe_load(path.read_text())["name"] == path.stem


def test_the_schedule_in_the_operators_guide_is_valid(tmp_path):
    guide = (ENVIRONMENTS.parents[1] / "docs" / "operations.md").read_text()
    (example,) = re.findall(r"```yaml\n# infra/schedules/(.*?)```", guide, re.DOTALL)
    name, _, text = example.partition("\n")
    (tmp_path / name).write_text(text)
    (schedule,) = load_schedules("prod", tmp_path)
    package = tmp_path / "package"
    package.write_text(compile_pipeline(schedule.pipeline))
    check_parameters(schedule, schedule.parameters, package)
