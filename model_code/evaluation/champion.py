"""The version in use, as the evaluation is given it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Champion:
    """Its version number and a directory with its Model and Evaluation artifacts."""

    version: int
    directory: Path
