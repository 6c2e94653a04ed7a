"""What a dataset consists of: the small file that stands for a terabyte.

The manifest lies beside the shards, written last, and a copy of it is the
Dataset artifact that tasks hand on. Shards are read where they lie.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from model_code import artifacts
from model_code.adapters import storage
from model_code.config.base import STRICT
from model_code.data.splits import SplitRule
from model_code.errors import DataError

FORMAT_VERSION = 1
"""Raised when shards or features change meaning; part of each dataset's key."""

_HERE = "."


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Shard:
    """One file of a split.

    Attributes:
        file: name inside the dataset's location.
        examples: records in it.
        bytes: size of the file.
        sha256: digest of the file, hexadecimal.
        crc32c: Castagnoli checksum of the file, hexadecimal.
    """

    file: str
    examples: int
    bytes: int
    sha256: str
    crc32c: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SplitManifest:
    """One split: how many examples, of which classes, in which files.

    `slice_counts` has examples by value for each slice feature, unless a
    feature has more values than anyone would slice by.
    """

    examples: int
    class_counts: tuple[int, ...]
    shards: tuple[Shard, ...]
    slice_counts: Mapping[str, Mapping[str, int]] = dataclasses.field(
        default_factory=dict
    )


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Range:
    """Smallest, mean and largest value over the dataset."""

    minimum: float
    mean: float
    maximum: float


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DatasetManifest:
    """A complete dataset.

    Attributes:
        name: of the dataset, as the recipe gives it.
        key: identifies recipe and state of the source; names the directory.
        fingerprint: SHA-256 of all that training reads; see `fingerprint.py`.
        location: directory or `gs://` prefix of the shards.
        class_names: the label space; a class id is its index here.
        splits: by name; only the splits that the recipe gives a share to.
        multi_label: examples may carry several labels, or none.
        slice_features: names of the text features (`slice/<name>` in records).
        meta_features: names of the numeric features (`meta/<name>`).
        dead_letters: refused images by reason.
        dead_letter_file: their record file inside `location`, if any.
        conversions: re-encoded images by what was changed.
        duplicates: images whose bytes occurred before (they share a split).
        conflicting_duplicates: those of them whose labels differ.
        straddling_duplicates: those of them in another split than the first.
        height: of the images, in pixels.
        width: of the images, in pixels.
        series: identifies what spans of one growing dataset have in common.
        span: 0 for the first dataset of a series, one more for each built on it.
        carried_examples: taken over from the span before, not decoded again.
        split_rule: what decided the splits; later spans keep it.
        reused: the dataset was there already; not stored.
        format_version: of shards and manifest.
    """

    name: str
    key: str
    fingerprint: str
    location: str
    class_names: tuple[str, ...]
    splits: Mapping[str, SplitManifest]
    multi_label: bool = False
    slice_features: tuple[str, ...] = ()
    meta_features: tuple[str, ...] = ()
    dead_letters: Mapping[str, int] = dataclasses.field(default_factory=dict)
    dead_letter_file: str | None = None
    conversions: Mapping[str, int] = dataclasses.field(default_factory=dict)
    duplicates: int = 0
    conflicting_duplicates: int = 0
    straddling_duplicates: int = 0
    height: Range
    width: Range
    series: str = ""
    span: int = 0
    carried_examples: int = 0
    split_rule: SplitRule | None = None
    reused: bool = False
    format_version: int = FORMAT_VERSION

    @property
    def examples(self) -> int:
        """Images in all splits together."""
        return sum(split.examples for split in self.splits.values())

    @property
    def bytes(self) -> int:
        """Size of all shards together."""
        splits = self.splits.values()
        return sum(shard.bytes for split in splits for shard in split.shards)

    def shard_uris(self, split: str) -> tuple[str, ...]:
        """Full paths of a split's shards, in order.

        Raises:
            DataError: the dataset has no such split.
        """
        if split not in self.splits:
            raise DataError(
                f"Dataset {self.name} has no split {split!r}; it has "
                f"{', '.join(self.splits)}. Give the split a share in `splits`."
            )
        shards = self.splits[split].shards
        return tuple(storage.join(self.location, shard.file) for shard in shards)


_ADAPTER = TypeAdapter(DatasetManifest)


def read(path: str | Path) -> DatasetManifest:
    """The manifest in a file, an artifact directory or a dataset's directory.

    Raises:
        DataError: there is none, or it is not one that this version reads.
    """
    uri = str(path)
    if not uri.endswith(artifacts.MANIFEST):
        uri = storage.join(uri, artifacts.MANIFEST)
    values = _parse(uri)
    if values.get("location") == _HERE:
        values["location"] = storage.parent(uri)
    try:
        return _ADAPTER.validate_python(values)
    except ValidationError as error:
        detail = error.errors()[0]
        raise DataError(
            f"Manifest {uri} is not one that this version reads: "
            f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}. "
            "Delete the dataset's directory and run the ingest again."
        ) from error


def write(manifest: DatasetManifest, directory: str | Path) -> None:
    """Write `manifest.json` into a directory, whole or not at all.

    In the dataset's own directory the location is stored as relative, so that
    a data root may be moved.
    """
    values = to_dict(manifest)
    if storage.same(str(directory), manifest.location):
        values["location"] = _HERE
    # Fields and splits in their own order; what was counted is sorted already.
    text = json.dumps(values, indent=2) + "\n"
    uri = storage.join(str(directory), artifacts.MANIFEST)
    storage.write_bytes(uri, text.encode())


def to_dict(manifest: DatasetManifest) -> dict[str, Any]:
    """Plain JSON values of the manifest, without the passing `reused`."""
    values: dict[str, Any] = _ADAPTER.dump_python(manifest, mode="json")
    del values["reused"]
    return values


def _parse(uri: str) -> dict[str, Any]:
    try:
        values = json.loads(storage.read_bytes(uri))
    except FileNotFoundError as error:
        raise DataError(
            f"No manifest at {uri}; expected a dataset written by "
            "`effnetv2 data ingest`. Check the path or run the ingest."
        ) from error
    except ValueError as error:
        raise DataError(
            f"Manifest {uri} is not JSON ({error}); delete the dataset's "
            "directory and run the ingest again."
        ) from error
    if not isinstance(values, dict):
        raise DataError(f"Manifest {uri} holds no JSON object; ingest again.")
    return values
