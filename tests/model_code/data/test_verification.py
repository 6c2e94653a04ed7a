import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from model_code.data import manifest, overview, verification
from model_code.data.ingest import ingest
from tests.helpers.corpora import class_folder, folder_config


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = class_folder(tmp_path_factory.mktemp("corpus"), {"cat": 12, "dog": 8})
    return ingest(folder_config(root), str(tmp_path_factory.mktemp("data")))


@pytest.fixture
def copy(built, tmp_path):
    shutil.copytree(built.location, tmp_path / "copy")
    return manifest.read(tmp_path / "copy")


def _train(dataset: manifest.DatasetManifest) -> Path:
    return Path(dataset.shard_uris("train")[0])


def test_an_intact_dataset_has_no_problems(built):
    found = verification.verify(built, threads=2)
    assert found == verification.Verification(3, 20, built.bytes, ())
    assert verification.find_missing(built) == []


def test_a_changed_byte_is_noticed(copy):
    data = bytearray(_train(copy).read_bytes())
    data[len(data) // 2] ^= 1
    _train(copy).write_bytes(data)
    assert verification.find_missing(copy) == []
    problems = verification.verify(copy, threads=1).problems
    assert any("is damaged" in problem for problem in problems)
    assert any("fingerprint" in problem for problem in problems)


def test_a_shard_that_is_gone_or_cut_is_noticed_at_once(copy):
    size = copy.splits["train"].shards[0].bytes
    _train(copy).write_bytes(b"short")
    [problem] = verification.find_missing(copy)
    assert problem.endswith(f"has 5 bytes, expected {size}")
    _train(copy).unlink()
    [problem] = verification.find_missing(copy)
    assert problem.endswith("is missing")
    assert "No such file" in verification.verify(copy, threads=1).problems[0]


def test_a_whole_record_that_is_gone_is_noticed(copy):
    data = _train(copy).read_bytes()
    first = int.from_bytes(data[:8], "little") + 16
    _train(copy).write_bytes(data[first:])
    problems = " ".join(verification.verify(copy, threads=1).problems)
    for word in ("bytes:", "records:", "SHA-256:", "CRC32C:", "class counts"):
        assert word in problems


def test_a_manifest_with_other_class_names_is_noticed(built):
    renamed = replace(built, class_names=("dog", "cat"))
    [problem] = verification.verify(renamed, threads=1).problems
    assert problem.startswith("the fingerprint is")


def test_an_overview_measures_images(built):
    found = overview.overview(built)
    assert found.quantiles["height"]["median"] == 10
    assert found.quantiles["aspect ratio"]["largest"] == pytest.approx(1.2)
    assert found.labels_an_example == {1: 20}
    assert len(found.largest) == 3
