"""TensorFlow Data Validation itself; its wheels need glibc 2.39."""

import os
from pathlib import Path

import pytest

from model_code import artifacts
from model_code.config.dataset import FolderSource, SplitConfig, ValidationConfig
from model_code.data.ingest import ingest
from model_code.data.validation import validate
from tests.helpers.corpora import class_folder, folder_config

pytest.importorskip(
    "tensorflow_data_validation",
    reason=f"TFDV needs glibc 2.39; here is {os.confstr('CS_GNU_LIBC_VERSION')}",
    exc_type=ImportError,
)


def _ingest(tmp_path: Path, camera: str):
    root = class_folder(tmp_path / "in", {"cat": 6, "dog": 6})
    lines = [
        f"{path.relative_to(root)},{path.parent.name},{camera}"
        for path in sorted(root.glob("*/*.jpg"))
    ]
    table = "\n".join(["path,label,camera", *lines, ""])
    (root / "list.csv").write_text(table)
    source = FolderSource(kind="folder", path=str(root), manifest="list.csv")
    config = folder_config(
        root, source=source, splits=SplitConfig(test=0.0, validation=0.0)
    )
    return ingest(config, str(tmp_path / "data"))


def test_a_schema_is_inferred_once_and_holds_later_spans(tmp_path):
    config = ValidationConfig(require_tfdv=True)
    first = validate(_ingest(tmp_path, "left"), config, tmp_path / "first")
    assert first.tfdv.ran
    assert first.passed
    kept = tmp_path / "data" / "corpus" / artifacts.SCHEMA
    assert first.tfdv.schema == str(kept)
    reviewed = kept.read_text()
    assert '"slice/camera"' in reviewed
    assert (tmp_path / "first" / artifacts.STATISTICS).stat().st_size > 0

    second = validate(_ingest(tmp_path, "right"), config, tmp_path / "second")
    assert kept.read_text() == reviewed
    assert list(second.tfdv.anomalies) == ["slice/camera"]
    assert not second.passed
    assert "right" in second.findings[0].message
    text = (tmp_path / "second" / artifacts.ANOMALIES).read_text()
    assert "slice/camera" in text
