import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from model_code import artifacts
from model_code.data import manifest
from model_code.data.manifest import DatasetManifest, Range, Shard, SplitManifest
from model_code.data.splits import SplitRule
from model_code.errors import DataError

GOLDEN = Path(__file__).parents[2] / "golden" / "manifest.json"


def _manifest(location: str) -> DatasetManifest:
    shard = Shard(
        file="cells-train.tfrecord-00000-of-00001",
        examples=3,
        bytes=1234,
        sha256="ab" * 32,
        crc32c="deadbeef",
    )
    return DatasetManifest(
        name="cells",
        key="0123456789abcdef",
        fingerprint="cd" * 32,
        location=location,
        class_names=("functional", "defective"),
        splits={
            "train": SplitManifest(
                examples=3,
                class_counts=(2, 1),
                shards=(shard,),
                slice_counts={"cell_type": {"mono": 1, "poly": 2}},
            ),
            "validation": SplitManifest(examples=0, class_counts=(0, 0), shards=()),
        },
        slice_features=("cell_type",),
        meta_features=("defect_probability",),
        dead_letters={"truncated": 1},
        dead_letter_file="dead-letters.tfrecord-00000-of-00001",
        conversions={"mode_cmyk": 1},
        series="fedcba9876543210",
        span=1,
        carried_examples=2,
        split_rule=SplitRule("effnetv2", 2**61, 2**63 - 1),
        height=Range(minimum=300, mean=300, maximum=300),
        width=Range(minimum=300, mean=301.5, maximum=303),
    )


def test_what_is_written_is_read_and_compared_with_the_golden_file(tmp_path):
    written = _manifest(str(tmp_path))
    manifest.write(written, tmp_path)
    assert manifest.read(tmp_path) == written
    text = (tmp_path / artifacts.MANIFEST).read_text()
    assert text == GOLDEN.read_text()


def test_an_artifact_copy_points_at_the_shards_where_they_lie(tmp_path):
    written = _manifest(str(tmp_path / "data"))
    manifest.write(written, tmp_path / "artifact")
    assert manifest.read(tmp_path / "artifact").location == str(tmp_path / "data")
    assert manifest.read(str(tmp_path / "artifact" / "manifest.json")) == written


def test_a_data_root_may_be_moved(tmp_path):
    manifest.write(_manifest(str(tmp_path / "old")), tmp_path / "old")
    shutil.move(tmp_path / "old", tmp_path / "new")
    assert manifest.read(tmp_path / "new").location == str(tmp_path / "new")


def test_reused_is_not_stored(tmp_path):
    manifest.write(replace(_manifest(str(tmp_path)), reused=True), tmp_path)
    assert manifest.read(tmp_path).reused is False


def test_totals_and_paths():
    found = _manifest("gs://bucket/cells")
    assert (found.examples, found.bytes) == (3, 1234)
    [uri] = found.shard_uris("train")
    assert uri == "gs://bucket/cells/cells-train.tfrecord-00000-of-00001"
    with pytest.raises(DataError, match=r"no split 'test'; it has train, validation"):
        found.shard_uris("test")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No manifest at"),
        ("{", "is not JSON"),
        ("[]", "holds no JSON object"),
        ("{}", "is not one that this version reads"),
        (json.dumps({"surprise": 1}), "is not one that this version reads"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_named(tmp_path, content, message):
    if content is not None:
        (tmp_path / artifacts.MANIFEST).write_text(content)
    with pytest.raises(DataError, match=message) as raised:
        manifest.read(tmp_path)
    assert str(tmp_path) in str(raised.value)
