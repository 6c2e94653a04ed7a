"""From a recipe and an environment to what a backend is asked to run."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from model_code.config.load import load_recipe, load_search_recipe
from model_code.config.recipe import Recipe, to_json
from model_code.config.search import to_json as search_to_json
from model_code.errors import ConfigError
from pipelines import settings
from pipelines.accelerators import accelerated
from pipelines.client import KfpClient
from pipelines.compile import compile_pipeline
from pipelines.local import identity
from pipelines.records import RecurringRun, VersionRecord
from pipelines.schedule_plan import marked
from pipelines.schedules import Schedule, check_parameters
from pipelines.settings import Environment
from pipelines.submit import Submission, package_digest, version_name

_UNKNOWN = "(new)"
"""Stands for an id that the backend will give when a plan is applied."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """A pipeline, by its graph's name, on a recipe, in an environment."""

    pipeline: str
    recipe: str
    image: str
    environment: Environment
    overrides: tuple[str, ...] = ()
    parameters: Mapping[str, Any] | None = None


def connect(environment: Environment) -> KfpClient:
    """The environment's backend.

    Raises:
        ConfigError: it has none, or its credentials are not there.
    """
    if environment.connection is None:
        raise ConfigError(
            f"Environment {environment.name} has no `connection`; expected a Kubeflow "
            "backend; use `effnetv2 run` here, or name another --environment."
        )
    return KfpClient(environment.connection, settings.variables())


@contextmanager
def submission(order: Order, request_id: str | None = None) -> Iterator[Submission]:
    """The order with its package compiled to a file, for as long as it is needed."""
    ordered = _resolve(order)
    with tempfile.TemporaryDirectory() as directory:
        package = Path(directory) / f"{ordered.graph}.yaml"
        package.write_text(_compile(ordered.graph, order), encoding="utf-8")
        yield Submission(
            pipeline=ordered.graph,
            package=package,
            parameters=arguments(order, ordered, package),
            experiment=ordered.experiment,
            label=ordered.label,
            request_id=request_id,
            pipeline_root=order.environment.pipeline_root,
            service_account=order.environment.service_account,
        )


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """What an order comes to: its graph, and what the recipe says of the run."""

    graph: str
    label: str
    experiment: str
    parameters: Mapping[str, Any]


def _resolve(order: Order) -> Ordered:
    """The recipe is of the kind that the pipeline takes."""
    if order.pipeline == "search":
        searched = load_search_recipe(order.recipe, order.overrides)
        names = [str(number + 1) for number in range(searched.workers.count)]
        return Ordered(
            graph="search",
            label=searched.name,
            experiment=searched.name,
            parameters={"recipe": search_to_json(searched), "workers": names},
        )
    recipe = load_recipe(order.recipe, order.overrides)
    return Ordered(
        graph=graph_name(order.pipeline, recipe),
        label=recipe.name,
        experiment=recipe.model_name,
        parameters={"recipe": to_json(recipe)},
    )


def _compile(graph: str, order: Order) -> str:
    package = compile_pipeline(graph, order.image)
    accelerator = order.environment.accelerator
    return package if accelerator is None else accelerated(package, accelerator)


def graph_name(pipeline: str, recipe: Recipe) -> str:
    """The graph for a recipe; `training` is drawn once for each shape of one."""
    if pipeline == "training" and recipe.pretrain is None:
        return "training-from-scratch"
    return pipeline


def arguments(order: Order, ordered: Ordered, package: Path) -> dict[str, Any]:
    """What the run is started with: only what its pipeline takes, all it requires."""
    offered = {
        **ordered.parameters,
        "image": order.image,
        "code_revision": identity.code_revision(),
        "environment_lock_digest": identity.environment_lock_digest(),
    }
    taken, asked = _inputs(package), dict(order.parameters or {})
    needed = [name for name in _PLACES if name in taken and name not in asked]
    places = {name: _place(order.environment, name) for name in needed}
    found = {name: value for name, value in offered.items() if name in taken}
    return found | places | asked


def parse_parameters(given: Sequence[str]) -> dict[str, Any]:
    """`name=value` as a person types it; the value is read as YAML.

    Raises:
        ConfigError: not of that form.
    """
    found = {}
    for each in given:
        name, separator, text = each.partition("=")
        if not separator or not name:
            raise ConfigError(
                f"Parameter {each!r} is not of the form name=value; "
                "for example span=2026-w07."
            )
        found[name] = yaml.safe_load(text)
    return found


_PLACES = ("data_root", "checkpoint_root", "study_store", "tracking_uri")


def _place(environment: Environment, name: str) -> str:
    value = getattr(environment, name)
    if value is None:
        raise ConfigError(
            f"Environment {environment.name} has no `{name}`; a run on a cluster needs "
            f"one; add it to infra/environments/{environment.name}.yaml."
        )
    return str(value)


def _inputs(package: Path) -> Mapping[str, Any]:
    spec = next(iter(yaml.safe_load_all(package.read_text(encoding="utf-8"))))
    found: Mapping[str, Any] = spec["root"]["inputDefinitions"]["parameters"]
    return found


def wanted_recurring_run(
    client: KfpClient, schedule: Schedule, order: Order, *, create: bool
) -> RecurringRun:
    """The recurring run that a schedule asks for.

    With `create`, its version is uploaded and its experiment created; without,
    the backend is only read, and what does not exist yet is shown as new.

    Raises:
        ScheduleError: parameters that the pipeline does not take, or lacks.
        ConfigError: a time zone that the backend's triggers are not in.
    """
    _check_time_zone(client, schedule)
    with submission(order) as asked:
        check_parameters(schedule, asked.parameters, asked.package)
        version = _version(client, asked, create)
        experiment = (
            client.ensure_experiment(asked.experiment)
            if create
            else client.find_experiment(asked.experiment) or _UNKNOWN
        )
    return marked(
        RecurringRun(
            name=schedule.name,
            cron=schedule.cron,
            enabled=schedule.enabled,
            catch_up=schedule.catch_up,
            max_concurrency=schedule.max_concurrency,
            experiment_id=experiment,
            pipeline_id=version.pipeline_id,
            version_id=version.version_id,
            parameters=asked.parameters,
            pipeline_root=asked.pipeline_root,
            service_account=asked.service_account,
        ),
        schedule.description,
    )


def _version(client: KfpClient, asked: Submission, create: bool) -> VersionRecord:
    name = version_name(asked.pipeline, package_digest(asked.package))
    if create:
        digest = f"sha256:{package_digest(asked.package)}"
        return client.ensure_version(asked.pipeline, name, asked.package, digest)[0]
    return client.find_version(asked.pipeline, name) or VersionRecord(
        pipeline_id=_UNKNOWN, version_id=_UNKNOWN, name=name
    )


def _check_time_zone(client: KfpClient, schedule: Schedule) -> None:
    theirs = client.connection.cron_time_zone
    if schedule.time_zone != theirs:
        raise ConfigError(
            f"Schedule {schedule.name} is in {schedule.time_zone}, and the backend "
            f"reads every cron expression in {theirs}; state the schedule in it, or "
            "change CRON_SCHEDULE_TIMEZONE of the backend and `cron_time_zone` here."
        )
