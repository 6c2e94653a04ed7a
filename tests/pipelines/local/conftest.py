from pathlib import Path

import pytest

from pipelines.local.workspace import RunDirectory


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    path = tmp_path / "run"
    path.mkdir()
    return RunDirectory(path)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the tasks of `two_steps` look and leave traces."""
    path = tmp_path / "place"
    path.mkdir()
    (path / "verdict").write_text("good")
    return path
