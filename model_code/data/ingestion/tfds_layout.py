"""The two files that let TensorFlow Datasets open a dataset's directory.

`tensorflow_datasets.builder_from_directory` reads them; the library itself is
not needed to write them. The layout is that of its release 4.9.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from model_code.adapters import storage
from model_code.data import records
from model_code.data.manifest import DatasetManifest

VERSION = "1.0.0"

_FEATURES = "tensorflow_datasets.core.features."
_Json = dict[str, Any]


def write(manifest: DatasetManifest, directory: str) -> None:
    """Write `features.json`, `dataset_info.json` and the class names."""
    for name, value in {
        "features.json": features(manifest),
        "dataset_info.json": dataset_info(manifest),
    }.items():
        text = json.dumps(value, indent=2, sort_keys=True) + "\n"
        storage.write_bytes(storage.join(directory, name), text.encode())
    names = "".join(f"{name}\n" for name in manifest.class_names)
    file = "image-class-label.labels.txt"
    storage.write_bytes(storage.join(directory, file), names.encode())


def dataset_info(manifest: DatasetManifest) -> _Json:
    """Content of `dataset_info.json`."""
    return {
        "name": manifest.name,
        "version": VERSION,
        "fileFormat": "tfrecord",
        "splits": [
            {
                "name": name,
                "shardLengths": [str(shard.examples) for shard in split.shards],
                "numBytes": str(sum(shard.bytes for shard in split.shards)),
                "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
            }
            for name, split in manifest.splits.items()
        ],
    }


def features(manifest: DatasetManifest) -> _Json:
    """Content of `features.json`."""
    label = _class_label(len(manifest.class_names))
    text = _text()
    leaves = {
        records.ENCODED: _image(),
        records.FORMAT: text,
        records.HEIGHT: _scalar("int64"),
        records.WIDTH: _scalar("int64"),
        records.FILENAME: text,
        records.SHA256: text,
        records.LABEL: _sequence(label) if manifest.multi_label else label,
        records.TEXT: _sequence(text) if manifest.multi_label else text,
    }
    leaves |= {records.SLICE + name: text for name in manifest.slice_features}
    leaves |= {
        records.META + name: _scalar("float32") for name in manifest.meta_features
    }
    return _nest((name.split("/"), leaf) for name, leaf in leaves.items())


def _nest(leaves: Iterable[tuple[list[str], _Json]]) -> _Json:
    groups: dict[str, list[tuple[list[str], _Json]]] = {}
    nodes: _Json = {}
    for (first, *rest), leaf in leaves:
        if rest:
            groups.setdefault(first, []).append((rest, leaf))
        else:
            nodes[first] = leaf
    nodes |= {name: _nest(below) for name, below in groups.items()}
    return _feature("features_dict.FeaturesDict", {"featuresDict": {"features": nodes}})


def _feature(python_class: str, content: Mapping[str, Any]) -> _Json:
    return {"pythonClassName": _FEATURES + python_class, **content}


def _image() -> _Json:
    shape = {"dimensions": ["-1", "-1", "-1"]}
    content = {"image": {"dtype": "uint8", "shape": shape}}
    return _feature("image_feature.Image", content)


def _text() -> _Json:
    return _feature("text_feature.Text", {"text": {}})


def _scalar(dtype: str) -> _Json:
    content = {"tensor": {"dtype": dtype, "encoding": "none", "shape": {}}}
    return _feature("tensor_feature.Tensor", content)


def _class_label(count: int) -> _Json:
    content = {"classLabel": {"numClasses": str(count)}}
    return _feature("class_label_feature.ClassLabel", content)


def _sequence(inner: _Json) -> _Json:
    content = {"sequence": {"feature": inner, "length": "-1"}}
    return _feature("sequence_feature.Sequence", content)
