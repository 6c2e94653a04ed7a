"""Schedules as data: `infra/schedules/*.yaml`, one schedule a file.

A schedule says which pipeline runs on which recipe, when, and what happens to
missed and overlapping runs. It drives recurring runs of a Kubeflow backend
(schedule_plan.py, schedule_apply.py) and the local scheduler alike.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from model_code.config.base import STRICT, Count, Flag, Name
from pipelines.cron import Cron, parse_cron
from pipelines.failures import ScheduleError

SCHEDULES = Path(__file__).resolve().parents[1] / "infra" / "schedules"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Schedule:
    """When to run which pipeline on which recipe.

    `cron` has six fields, seconds first, in `time_zone`. `catch_up` runs every
    missed trigger once the scheduler is back, else only the next one. With
    `max_concurrency` 1 a trigger waits for the run before it.
    `misfire_grace_seconds` is how late the local scheduler still starts a
    missed run without catch-up. `parameters` go to the pipeline as they are.
    """

    name: Name
    description: str
    pipeline: Literal["training", "retraining"]
    recipe: str
    overrides: tuple[str, ...] = ()
    environments: tuple[Name, ...] = Field(min_length=1)
    cron: str
    time_zone: str
    catch_up: Flag
    max_concurrency: Annotated[Count, Field(le=10)] = 1
    misfire_grace_seconds: Count = 3600
    enabled: Flag = True
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)

    @property
    def timing(self) -> Cron:
        """When it fires; `load_schedules` has checked it."""
        return Cron(self.cron, self.time_zone)


_ADAPTER = TypeAdapter(Schedule)


def load_schedules(
    environment: str | None = None, directory: Path = SCHEDULES
) -> tuple[Schedule, ...]:
    """All schedules of an environment (of every one without), checked, by name.

    Raises:
        ScheduleError: a file that is no schedule, a cron expression that would
            not do what it says, or two files with one name.
    """
    schedules = [_read(path) for path in sorted(directory.glob("*.yaml"))]
    names = [schedule.name for schedule in schedules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ScheduleError(
            f"Schedule {', '.join(twice)} is in two files below {directory}; "
            "expected one file each; rename or remove one."
        )
    return tuple(
        schedule
        for schedule in schedules
        if environment is None or environment in schedule.environments
    )


def _read(path: Path) -> Schedule:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        schedule = _ADAPTER.validate_python(values)
    except (OSError, yaml.YAMLError) as error:
        raise ScheduleError(
            f"Schedule {path} cannot be read: {error}; expected a readable YAML file."
        ) from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
            for detail in error.errors()
        )
        raise ScheduleError(
            f"Schedule {path}: {problems}; expected the keys of docs/operations.md."
        ) from error
    parse_cron(schedule.cron, schedule.time_zone, now=datetime.now(UTC))
    return schedule


def check_parameters(
    schedule: Schedule, parameters: Mapping[str, Any], package: Path
) -> None:
    """Refuse arguments that the compiled pipeline does not take, or lacks.

    The backend would accept an unknown one for a recurring run and fail every
    run that it starts.
    """
    spec = next(iter(yaml.safe_load_all(package.read_text(encoding="utf-8"))))
    inputs = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    unknown = sorted(set(parameters) - set(inputs))
    if unknown:
        raise ScheduleError(
            f"Schedule {schedule.name} gives {', '.join(unknown)}; pipeline "
            f"{schedule.pipeline} takes {', '.join(sorted(inputs))}; correct the name."
        )
    missing = sorted(
        name
        for name, definition in inputs.items()
        if name not in parameters
        and "defaultValue" not in definition
        and not definition.get("isOptional")
    )
    if missing:
        raise ScheduleError(
            f"Schedule {schedule.name} lacks {', '.join(missing)}, which pipeline "
            f"{schedule.pipeline} requires; add it below `parameters`."
        )
