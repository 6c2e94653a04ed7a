"""Model versions, how they are referred to, and the order of champions; pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from model_code.errors import RegistryError

CHAMPION = "champion"
CHALLENGER = "challenger"

_REFERENCE = re.compile(r"(?P<name>[^@/]+)(@(?P<alias>[^@/]+)|/(?P<version>[1-9]\d*))?")


@dataclass(frozen=True)
class ModelVersion:
    """One numbered entry of a registered model.

    Attributes:
        model_name: the registered model.
        version: from 1 up, never used twice.
        aliases: movable names that point here now, sorted.
        tags: lineage, test metrics, the gate decision and the promotions.
        created: when it was registered.
    """

    model_name: str
    version: int
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    created: datetime

    def __str__(self) -> str:
        """As a user would refer to it."""
        return f"{self.model_name}/{self.version}"


@dataclass(frozen=True)
class Reference:
    """`NAME@alias`, `NAME/version`, or `NAME` for its champion."""

    model_name: str
    alias: str | None
    version: int | None

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Read a reference as a user writes it.

        Raises:
            RegistryError: it has another form.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise RegistryError(
                f"{text!r} does not refer to a model version; expected NAME@alias, "
                "NAME/version or NAME, for example elpv-defects@champion."
            )
        version = match["version"]
        alias = match["alias"] or (None if version else CHAMPION)
        return cls(match["name"], alias, int(version) if version else None)


def promoted(
    history: Sequence[int], champion: int | None, version: int
) -> tuple[int, ...]:
    """The champions in order, after `version` follows `champion`."""
    return (*_up_to(history, champion), version)


def rolled_back(history: Sequence[int], champion: int) -> tuple[int, ...]:
    """The champions in order, after `champion` gives way to the one before."""
    return _up_to(history, champion)[:-1]


def _up_to(history: Sequence[int], champion: int | None) -> tuple[int, ...]:
    """The history that ends with the champion.

    The alias is the truth: a kill between writing the history and moving the
    alias leaves a tail that never was.
    """
    if champion is None:
        return ()
    if champion not in history:
        return (*history, champion)
    last = len(history) - 1 - list(reversed(history)).index(champion)
    return tuple(history[: last + 1])
