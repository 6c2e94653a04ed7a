"""What permissions take away, named. Root may read everything unless it gives
that up, so the ingest runs in a process without the capability."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.corpora import class_folder

SCRIPT = """
import sys
from model_code.data.ingest import ingest
from model_code.errors import DataError
from tests.helpers.corpora import folder_config
try:
    ingest(folder_config(sys.argv[1]), sys.argv[2])
except DataError as error:
    print(error)
"""


def _ingest(source: Path, target: Path) -> str:
    command = [sys.executable, "-c", SCRIPT, str(source), str(target)]
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("root without setpriv (util-linux) reads everything")
        command = [setpriv, "--bounding-set=-dac_override,-dac_read_search", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def root(tmp_path) -> Path:
    return class_folder(tmp_path / "in", {"cat": 4, "dog": 4})


def test_a_class_directory_that_cannot_be_read_is_a_dead_letter(root, tmp_path):
    (root / "dog").chmod(0)
    said = _ingest(root, tmp_path / "out")
    (root / "dog").chmod(0o755)
    assert "1 of 5 images failed their checks" in said
    assert "such as 'dog': Permission denied" in said


def test_an_image_that_cannot_be_read_is_a_dead_letter(root, tmp_path):
    (root / "dog" / "0000.jpg").chmod(0)
    said = _ingest(root, tmp_path / "out")
    assert "1 unreadable, such as 'dog/0000.jpg': Permission denied" in said


def test_a_source_that_cannot_be_read_is_named(root, tmp_path):
    root.chmod(0)
    said = _ingest(root, tmp_path / "out")
    root.chmod(0o755)
    assert f"Folder {root} cannot be listed (Permission denied)" in said


def test_a_data_root_that_cannot_be_written_is_named(root, tmp_path):
    (tmp_path / "out").mkdir(mode=0o555)
    said = _ingest(root, tmp_path / "out")
    assert "Dataset corpus cannot be written" in said
    assert "Permission denied" in said
    assert list((tmp_path / "out").iterdir()) == []
