import json
import sys
from pathlib import Path

import numpy as np
import pytest

from model_code.config.dataset import SplitConfig, TfdsSource, TfrecordSource
from model_code.data import records
from model_code.data.ingest import ingest
from model_code.data.sources.tfds import list_tfds
from model_code.data.sources.tfrecords import list_tfrecord
from model_code.errors import DataError, UnavailableError
from tests.helpers.corpora import class_folder, file_bytes, folder_config, picture
from tests.helpers.datasets_read import read_examples


def _write(path: Path, *rows: dict[str, list[object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = [records.frame(records.encode_features(row)) for row in rows]
    path.write_bytes(b"".join(frames))
    return path


def _read(listing):
    return {
        image.name: (image.load(), image.labels, image.held_out)
        for part in listing.parts
        for image in part.read()
    }


def test_an_existing_layout_is_described_by_its_features(tmp_path):
    _write(
        tmp_path / "in" / "train-0",
        {"jpeg": [b"one"], "id": [1]},
        {"jpeg": [b"two"], "id": [2]},
    )
    _write(tmp_path / "in" / "train-1", {"jpeg": [b"three"], "id": [0]})
    _write(tmp_path / "val-0", {"jpeg": [b"four"], "id": [2]})
    source = TfrecordSource(
        kind="tfrecord",
        path=str(tmp_path / "in"),
        class_names=("cat", "dog"),
        image_feature="jpeg",
        label_feature="id",
        first_label=1,
        test_path=str(tmp_path / "val-0"),
    )
    assert _read(list_tfrecord(source)) == {
        "train-0#00000000": (b"one", ("cat",), False),
        "train-0#00000001": (b"two", ("dog",), False),
        "train-1#00000000": (b"three", ("0",), False),  # refused as unknown later
        "test/val-0#00000000": (b"four", ("dog",), True),
    }


def test_labels_may_be_names_and_several(tmp_path):
    row = {"image/encoded": [b"x"], "image/class/label": [b"dog", b"cat"]}
    file = _write(tmp_path / "a", row, {"image/encoded": [b"y"]})
    source = TfrecordSource(
        kind="tfrecord",
        path=str(file),
        class_names=("cat", "dog"),
        multi_label=True,
    )
    listing = list_tfrecord(source)
    assert listing.multi_label
    assert [labels for _, labels, _ in _read(listing).values()] == [("dog", "cat"), ()]


def test_a_damaged_file_gives_what_it_has_and_a_dead_letter(tmp_path):
    row = {"image/encoded": [b"x"], "image/class/label": [0]}
    file = _write(tmp_path / "a", row, row)
    file.write_bytes(file.read_bytes()[:-3])
    source = TfrecordSource(kind="tfrecord", path=str(file), class_names=("cat",))
    first, rest = (i for part in list_tfrecord(source).parts for i in part.read())
    assert first.load() == b"x"
    with pytest.raises(OSError, match="ends inside a record"):
        rest.load()


def test_a_record_without_image_fails_when_it_is_read(tmp_path):
    file = _write(tmp_path / "a", {"other": [b"x"]})
    source = TfrecordSource(kind="tfrecord", path=str(file), class_names=("cat",))
    [image] = (i for part in list_tfrecord(source).parts for i in part.read())
    with pytest.raises(OSError, match="no feature 'image/encoded'"):
        image.load()


@pytest.mark.parametrize("path", ["nowhere", "empty"])
def test_a_path_without_files_is_named(tmp_path, path):
    (tmp_path / "empty").mkdir()
    source = TfrecordSource(
        kind="tfrecord", path=str(tmp_path / path), class_names=("cat",)
    )
    with pytest.raises(DataError, match="TFRecord files cannot be read"):
        list_tfrecord(source)


def test_our_own_datasets_can_be_read_back(tmp_path):
    """Several labels and none, through a dataset and out of it again."""
    root = class_folder(tmp_path / "in", {"a": 6, "b": 6})
    first = ingest(folder_config(root), str(tmp_path / "one"))
    source = TfrecordSource(
        kind="tfrecord",
        path=str(Path(first.shard_uris("train")[0])),
        class_names=first.class_names,
    )
    splits = SplitConfig(test=0.0, validation=0.0)
    config = folder_config(root, source=source, splits=splits)
    second = ingest(config, str(tmp_path / "two"))
    [again] = read_examples(second).values()
    before = read_examples(first)["train"]
    assert {(e.encoded, e.labels) for e in again} == {
        (e.encoded, e.labels) for e in before
    }


def _prepare(data_dir: Path) -> None:
    """A dataset as TensorFlow Datasets itself prepares it."""
    import tensorflow_datasets as tfds

    class Tiny(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("3.0.2")
        code_path = None  # else it wants importlib_resources, undeclared in 4.9.10

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=(8, 8, 3)),
                "label": tfds.features.ClassLabel(names=["cat", "dog"]),
            }
            return tfds.core.DatasetInfo(
                builder=self, features=tfds.features.FeaturesDict(features)
            )

        def _split_generators(self, dl_manager):
            return {"train": self._rows(6, 0), "test": self._rows(3, 100)}

        def _generate_examples(self):
            raise NotImplementedError

        def _rows(self, count: int, seed: int):
            for index in range(count):
                pixels = np.asarray(picture(seed + index, (8, 8)))
                yield index, {"image": pixels, "label": index % 2}

    Tiny(data_dir=str(data_dir)).download_and_prepare()


def test_a_prepared_dataset_is_read_without_the_library(tmp_path, monkeypatch):
    _prepare(tmp_path)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    source = TfdsSource(kind="tfds", name="tiny", data_dir=str(tmp_path))
    listing = list_tfds(source)
    assert listing.class_names == ("cat", "dog")
    assert listing.examples == 9
    images = _read(listing)
    assert [held for _, _, held in images.values()].count(True) == 3
    assert all(data.startswith(b"\x89PNG") for data, _, _ in images.values())
    assert {labels for _, labels, _ in images.values()} == {("cat",), ("dog",)}


def _hand_made(directory: Path, **info: object) -> Path:
    directory.mkdir(parents=True)
    kinds = {
        "image": {"image": {}},
        "label": {"classLabel": {"numClasses": "2"}},
        "box": {"bboxFeature": {}},
    }
    (directory / "features.json").write_text(
        json.dumps({"featuresDict": {"features": kinds}})
    )
    plain = {
        "name": "tiny",
        "splits": [{"name": "train", "shardLengths": ["1"]}],
        "fileFormat": "tfrecord",
    }
    (directory / "dataset_info.json").write_text(json.dumps({**plain, **info}))
    image = file_bytes(picture(1))
    row = {"image": [image], "label": [1]}
    _write(directory / "tiny-train.tfrecord-00000-of-00001", row)
    return directory


def test_the_newest_prepared_version_is_taken(tmp_path):
    for version in ("1.2.0", "1.10.0", "1.9.0"):
        _hand_made(tmp_path / "tiny" / version)
    source = TfdsSource(
        kind="tfds", name="tiny", data_dir=str(tmp_path), test_split=None
    )
    [part] = list_tfds(source).parts
    assert "/1.10.0/" in part.uri
    wanted = TfdsSource(
        kind="tfds", name="tiny:1.9.0", data_dir=str(tmp_path), test_split=None
    )
    [part] = list_tfds(wanted).parts
    assert "/1.9.0/" in part.uri


@pytest.mark.parametrize(
    ("changes", "settings", "message"),
    [
        ({}, {}, "has no split 'test'; it has train"),
        ({}, {"test_split": None, "label_feature": "box"}, "expected an image 'image'"),
        (
            {"fileFormat": "array_record"},
            {"test_split": None},
            "stored as array_record",
        ),
    ],
)
def test_a_prepared_dataset_that_does_not_fit_is_named(
    tmp_path, changes, settings, message
):
    _hand_made(tmp_path / "tiny" / "1.0.0", **changes)
    source = TfdsSource(kind="tfds", name="tiny", data_dir=str(tmp_path), **settings)
    with pytest.raises(DataError, match=message):
        list_tfds(source)


def test_what_is_not_prepared_and_cannot_be_is_unavailable(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    source = TfdsSource(kind="tfds", name="cifar10", data_dir=str(tmp_path))
    with pytest.raises(UnavailableError, match=r"is not prepared below .*tfds build"):
        list_tfds(source)


def test_a_name_that_the_library_does_not_know_is_unavailable(tmp_path):
    source = TfdsSource(kind="tfds", name="no_such_dataset", data_dir=str(tmp_path))
    with pytest.raises(UnavailableError, match="cannot be prepared here"):
        list_tfds(source)
