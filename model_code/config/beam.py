"""Where and how wide the ingest job runs: a setting, never part of a recipe."""

import shlex
from typing import Literal, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from model_code.config.base import STRICT, Count, Index
from model_code.errors import ConfigError

BeamRunner = Literal["FnApiRunner", "PortableRunner", "FlinkRunner", "DataflowRunner"]
"""Named explicitly: bare `DirectRunner` first tries to download a Prism binary,
so what runs would depend on the network. Not the Dask runner, which reports
DONE and drops records (stack facts 4)."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class BeamOptions:
    """How an ingest job runs; its output does not depend on any of it.

    `FnApiRunner` with one worker runs in this process, with more it starts
    that many. Each worker checks images in `threads` threads (0: its share of
    the cores). `extra` are further Beam pipeline flags, such as
    `--flink_master=...`.
    """

    runner: BeamRunner = "FnApiRunner"
    workers: Count = 1
    threads: Index = 0
    extra: tuple[str, ...] = ()


IN_PROCESS = BeamOptions()

_ADAPTER = TypeAdapter(BeamOptions)


def parse_beam_options(text: str) -> BeamOptions:
    """Options from one line of flags, as a task receives them.

    `--runner`, `--workers` and `--threads` are ours; every other flag is
    passed to Beam as it is. An empty line means the defaults.

    Raises:
        ConfigError: a flag without a value, or a value that is out of range.
    """
    settings: dict[str, object] = {}
    extra = []
    for flag in shlex.split(text):
        name, _, value = flag.removeprefix("--").partition("=")
        if name == "runner":
            settings[name] = value
        elif name in {"workers", "threads"}:
            settings[name] = int(value) if value.isdecimal() else value
        else:
            extra.append(flag)
    try:
        return _ADAPTER.validate_python({**settings, "extra": tuple(extra)})
    except ValidationError as error:
        raise ConfigError(
            f"Beam options {text!r} are not valid: {error.errors()[0]['msg']}; "
            f"expected flags such as --runner={get_args(BeamRunner)[0]} --workers=2."
        ) from error
