"""Datasets of TensorFlow Datasets, read from where they are prepared.

A prepared directory says in `features.json` and `dataset_info.json` where its
images and labels are; reading it needs neither the library nor TensorFlow. The
library is asked only to prepare a dataset that is not there.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from model_code.adapters import storage
from model_code.adapters.storage import FileInfo
from model_code.config.dataset import TfdsSource
from model_code.data.sources.base import Listing, read_class_names, state_digest
from model_code.data.sources.tfrecords import RecordLayout, RecordPart
from model_code.errors import DataError, UnavailableError

# No network or disk, a library of the dataset's own, data to fetch by hand.
_CANNOT_PREPARE = (OSError, ImportError, AssertionError)
_INFO = "dataset_info.json"


def list_tfds(config: TfdsSource) -> Listing:
    """Every record of the prepared dataset.

    Raises:
        DataError: it is not an image dataset with class labels in TFRecord files.
        UnavailableError: it is not prepared, and cannot be prepared here.
    """
    directory = _find_prepared(config) or _prepare(config)
    info = _read_json(storage.join(directory, _INFO))
    layout = RecordLayout(
        image=config.image_feature,
        label=config.label_feature,
        first_label=0,
        class_names=_class_names(directory, config),
    )
    names = [split["name"] for split in info["splits"]]
    if config.test_split is not None and config.test_split not in names:
        raise DataError(
            f"Dataset {config.name} has no split {config.test_split!r}; it has "
            f"{', '.join(names)}. Set `source.test_split` to one of them or to null."
        )
    parts = [
        RecordPart(
            uri=storage.join(directory, file.name),
            name=f"{name}/{file.name}",
            stamp=file.stamp,
            layout=layout,
            held_out=name == config.test_split,
        )
        for name in names
        for file in _shards(directory, info, name)
    ]
    return Listing(
        class_names=layout.class_names,
        parts=parts,
        state=state_digest((part.name, part.stamp) for part in parts),
        examples=_count(info),
        has_test=config.test_split is not None,
    )


def _find_prepared(config: TfdsSource) -> str | None:
    """The newest prepared version below `data_dir/<name>`, or that directory."""
    name, _, wanted = config.name.partition(":")
    base = storage.join(storage.absolute(config.data_dir), *name.split("/"))
    if storage.size(storage.join(base, _INFO)) is not None:
        return base
    if not storage.is_directory(base):
        return None
    versions = [
        version
        for version in storage.list_directories(base)
        if storage.size(storage.join(base, version, _INFO)) is not None
        and version.startswith(wanted)
    ]
    newest = max(versions, key=_version_key, default=None)
    return None if newest is None else storage.join(base, newest)


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _prepare(config: TfdsSource) -> str:
    advice = (
        "prepare it where there is a network (`tfds build`) and give its directory "
        "as `source.data_dir`"
    )
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise UnavailableError(
            f"Dataset {config.name} is not prepared below {config.data_dir}, and the "
            f"library that would prepare it is not installed; {advice}, or install "
            "the tfds extra."
        ) from error
    try:
        builder = tfds.builder(config.name, data_dir=config.data_dir)
        builder.download_and_prepare()
    except (*_CANNOT_PREPARE, tfds.core.DatasetNotFoundError) as error:
        raise UnavailableError(
            f"Dataset {config.name} is not prepared below {config.data_dir} and "
            f"cannot be prepared here ({error}); {advice}."
        ) from error
    return str(builder.data_dir)


def _class_names(directory: str, config: TfdsSource) -> tuple[str, ...]:
    features = _read_json(storage.join(directory, "features.json"))
    kinds = features.get("featuresDict", {}).get("features", {})
    image, label = kinds.get(config.image_feature), kinds.get(config.label_feature)
    if not image or "image" not in image or not label or "classLabel" not in label:
        raise DataError(
            f"Dataset {config.name} has features {', '.join(sorted(kinds))}; expected "
            f"an image {config.image_feature!r} and a class label "
            f"{config.label_feature!r}. Set `source.image_feature` and "
            "`source.label_feature`."
        )
    names = storage.join(directory, f"{config.label_feature}.labels.txt")
    if storage.size(names) is not None:
        return read_class_names(names)
    count = int(label["classLabel"]["numClasses"])
    return tuple(str(index) for index in range(count))


def _shards(directory: str, info: Mapping[str, Any], split: str) -> Sequence[FileInfo]:
    """Files of a split, in the usual naming of the library."""
    if info.get("fileFormat", "tfrecord") != "tfrecord":
        raise DataError(
            f"The dataset at {directory} is stored as {info['fileFormat']}; expected "
            "tfrecord. Prepare it with file_format='tfrecord'."
        )
    start = f"{info['name']}-{split}.tfrecord-"
    names = [name for name in storage.list_names(directory) if name.startswith(start)]
    found = [storage.stat(storage.join(directory, name)) for name in names]
    return [file for file in found if file is not None]


def _count(info: Mapping[str, Any]) -> int:
    lengths = [split.get("shardLengths", []) for split in info["splits"]]
    return sum(int(length) for split in lengths for length in split)


def _read_json(uri: str) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(storage.read_bytes(uri))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{uri} cannot be read ({error}); expected a directory that TensorFlow "
            "Datasets prepared. Prepare it again."
        ) from error
    return values
