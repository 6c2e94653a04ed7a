"""The ingest through a real object server: images, shards and spans on gs://."""

from pathlib import Path

import pytest

from model_code.adapters import storage
from model_code.config.beam import BeamOptions
from model_code.data import manifest, verification
from model_code.data.ingest import ingest
from model_code.errors import DataError
from tests.helpers.corpora import class_folder, folder_config
from tests.helpers.gcs_server import gcs_server


@pytest.fixture(scope="module")
def bucket():
    with gcs_server() as uri:
        yield uri


def _upload(root: Path, uri: str) -> None:
    for path in sorted(root.rglob("*.jpg")):
        name = path.relative_to(root).as_posix()
        storage.write_bytes(storage.join(uri, *name.split("/")), path.read_bytes())


def _tree(location: str) -> dict[str, bytes]:
    names = [info.name for info in storage.walk(location)]
    return {name: storage.read_bytes(storage.join(location, name)) for name in names}


@pytest.mark.parametrize(
    "options", [BeamOptions(), BeamOptions(workers=2)], ids=["in process", "2 workers"]
)
def test_a_bucket_is_ingested_into_a_bucket(bucket, tmp_path, options):
    root = class_folder(tmp_path / "in", {"cat": 10, "dog": 10})
    home = storage.join(bucket, tmp_path.name)
    source = storage.join(home, "images")
    _upload(root, source)
    config = folder_config(source)
    dataset = ingest(config, storage.join(home, "data"), options)
    local = ingest(folder_config(root), str(tmp_path / "out"))
    assert dataset.fingerprint == local.fingerprint
    shards = {
        name: data
        for name, data in _tree(dataset.location).items()
        if "tfrecord-" in name and "/" not in name
    }
    assert shards == {
        name: data for name, data in _tree(local.location).items() if name in shards
    }
    assert manifest.read(dataset.location) == dataset
    assert verification.verify(dataset, threads=2).problems == ()
    assert ingest(config, storage.join(home, "data"), options).reused
    left = {
        info.name.split("/")[1] for info in storage.walk(storage.join(home, "data"))
    }
    assert left == {dataset.key}


def test_a_span_is_carried_over_inside_the_bucket(bucket, tmp_path):
    root = class_folder(tmp_path / "in", {"cat": 8, "dog": 8})
    home = storage.join(bucket, tmp_path.name)
    _upload(root, storage.join(home, "images"))
    config = folder_config(storage.join(home, "images"))
    ingest(config, storage.join(home, "data"))
    more = class_folder(tmp_path / "more", {"cat": 2}, first_seed=700)
    _upload(more, storage.join(home, "images"))
    second = ingest(config, storage.join(home, "data"))
    assert (second.examples, second.carried_examples) == (18, 16)
    assert verification.verify(second, threads=2).problems == ()


def test_a_dataset_without_its_manifest_is_none(bucket, tmp_path):
    """Object storage renames nothing: the manifest is what makes a dataset."""
    root = class_folder(tmp_path / "in", {"cat": 6})
    home = storage.join(bucket, tmp_path.name)
    first = ingest(folder_config(root), home)
    storage.delete(storage.join(first.location, "manifest.json"))
    again = ingest(folder_config(root), home)
    assert not again.reused
    assert again == first


def test_a_run_that_is_refused_leaves_nothing_in_the_bucket(bucket, tmp_path):
    root = class_folder(tmp_path / "in", {"cat": 6})
    (root / "cat" / "zero.jpg").write_bytes(b"")
    home = storage.join(bucket, tmp_path.name)
    with pytest.raises(DataError, match="1 of 7 images failed"):
        ingest(folder_config(root), home)
    assert not storage.is_directory(home)


def test_a_bucket_that_is_not_there_is_named(bucket, tmp_path):
    root = class_folder(tmp_path / "in", {"cat": 6})
    with pytest.raises(DataError, match="cannot be written at gs://no-such-bucket"):
        ingest(folder_config(root), "gs://no-such-bucket/data")
