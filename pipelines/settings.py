"""Settings: which environment a command works in, and what its tasks inherit.

The only reader and writer of `os.environ`. An environment (local, dev, prod) is
a YAML file of places below `infra/environments`; `${NAME}` in it is replaced by
an environment variable, so that no host or bucket is written down here.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from model_code.config.base import STRICT, Name
from model_code.errors import ConfigError
from pipelines.accelerators import Accelerator
from pipelines.connection import Connection

ENVIRONMENTS = Path(__file__).resolve().parents[1] / "infra" / "environments"

CODE_REVISION = "EFFNETV2_CODE_REVISION"
"""Set in the image, where there is no checkout to ask."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Environment:
    """The places of one environment.

    Without a `connection` there is no Kubeflow backend. Roots and tracking URI
    left out mean: below the workspace of a local run. Without an `accelerator`
    training tasks run on CPUs.
    """

    name: Name
    connection: Connection | None = None
    pipeline_root: str | None = None
    data_root: str | None = None
    checkpoint_root: str | None = None
    study_store: str | None = None
    tracking_uri: str | None = None
    service_account: str | None = None
    accelerator: Accelerator | None = None


_ADAPTER = TypeAdapter(Environment)
_VARIABLE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")


def load_environment(name_or_path: str) -> Environment:
    """The environment of that name, or in that YAML file.

    Raises:
        ConfigError: there is none, it names a variable that is not set, or a
            setting is unknown or wrong.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        path = ENVIRONMENTS / f"{name_or_path}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        known = ", ".join(sorted(file.stem for file in ENVIRONMENTS.glob("*.yaml")))
        raise ConfigError(
            f"Environment {name_or_path!r} cannot be read ({error.strerror}); "
            f"expected one of {known}, or the path of a .yaml file."
        ) from error
    return _parse(_substitute(text, name_or_path), name_or_path)


def _substitute(text: str, origin: str) -> str:
    def value(match: re.Match[str]) -> str:
        found = variable(match[1])
        if found is None:
            raise ConfigError(
                f"Environment {origin} needs the variable {match[1]}, which is not "
                "set; export it, or name another environment."
            )
        return found

    return _VARIABLE.sub(value, text)


def _parse(text: str, origin: str) -> Environment:
    try:
        values: Any = yaml.safe_load(text)
        return _ADAPTER.validate_python(values)
    except yaml.YAMLError as error:
        raise ConfigError(
            f"Environment {origin} is not valid YAML: {error}."
        ) from error
    except ValidationError as error:
        detail = error.errors()[0]
        raise ConfigError(
            f"Environment {origin}: {'.'.join(map(str, detail['loc']))}: "
            f"{detail['msg']}; expected only {', '.join(_KEYS)}."
        ) from error


_KEYS = tuple(Environment.__dataclass_fields__)


def variable(name: str) -> str | None:
    """An environment variable, None where it is not set or empty."""
    return os.environ.get(name) or None


def variables() -> Mapping[str, str]:
    """All environment variables, for what finds names of secrets in settings."""
    return dict(os.environ)


@contextmanager
def applied(variables: Mapping[str, str]) -> Iterator[None]:
    """Give this process and all it starts these variables, for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
