"""Writes one shard: the records of its rows, in the order of their digests."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import google_crc32c

from model_code.adapters import storage
from model_code.data.ingestion import index
from model_code.data.ingestion.places import Places
from model_code.data.ingestion.spill import Row, spill_uri
from model_code.data.manifest import Shard
from model_code.data.sharding import shard_name

_SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class ShardKey:
    """Which shard: the `index`-th of `count` of a split."""

    split: str
    index: int
    count: int


@dataclass(frozen=True)
class ShardSummary:
    """What a finished shard holds; small enough for the manifest's maker.

    Attributes:
        split: of the shard.
        shard: file, counts and checksums.
        class_counts: examples by class id.
        slice_counts: examples by value of each slice feature.
        example_digests: hexadecimal, of every record.
        conversions: re-encoded images by what was changed.
        duplicates: records whose image equals the one before.
        conflicting_duplicates: those of them whose labels differ.
        heights: smallest, sum and largest, in pixels.
        widths: smallest, sum and largest, in pixels.
    """

    split: str
    shard: Shard
    class_counts: Mapping[int, int]
    slice_counts: Mapping[str, Mapping[str, int]]
    example_digests: Sequence[str]
    conversions: Mapping[str, int]
    duplicates: int
    conflicting_duplicates: int
    heights: tuple[int, int, int]
    widths: tuple[int, int, int]


def write_shard(
    places: Places, dataset: str, key: ShardKey, rows: Iterable[Row]
) -> None:
    """Write a shard with its index, and its summary for the manifest."""
    ordered = sorted(rows, key=lambda row: (row.digest, row.filename))
    file = shard_name(dataset, key.split, key.index, key.count)
    sha256 = hashlib.sha256()
    crc32c = google_crc32c.Checksum()
    size = 0
    with storage.open_writer(storage.join(places.target, file)) as stream:
        for row in ordered:
            record = storage.read_bytes(
                spill_uri(places.work, row.part), row.offset, row.length
            )
            stream.write(record)
            sha256.update(record)
            crc32c.update(record)
            size += len(record)
    shard = Shard(
        file=file,
        examples=len(ordered),
        bytes=size,
        sha256=sha256.hexdigest(),
        crc32c=crc32c.hexdigest().decode(),
    )
    index.write(index.uri(places.target, file), ordered)
    summary = _summarise(key.split, shard, ordered)
    text = json.dumps(asdict(summary))
    storage.write_bytes(
        storage.join(places.work, _SUMMARY, f"{key.split}-{key.index:05d}.json"),
        text.encode(),
    )


def read_summaries(work: str) -> list[ShardSummary]:
    """Summaries of all shards, ordered by split and index."""
    directory = storage.join(work, _SUMMARY)
    return [
        _parse_summary(storage.read_bytes(storage.join(directory, name)))
        for name in storage.list_names(directory)
    ]


def _summarise(split: str, shard: Shard, rows: Sequence[Row]) -> ShardSummary:
    equal = [(a, b) for a, b in pairwise(rows) if a.digest == b.digest]
    heights = [row.height for row in rows]
    widths = [row.width for row in rows]
    return ShardSummary(
        split=split,
        shard=shard,
        class_counts=dict(Counter(label for row in rows for label in row.labels)),
        slice_counts={
            name: dict(Counter(row.slices[name] for row in rows))
            for name in rows[0].slices
        },
        example_digests=[row.example_digest.hex() for row in rows],
        conversions=dict(Counter(c for row in rows for c in row.conversions)),
        duplicates=len(equal),
        conflicting_duplicates=sum(a.labels != b.labels for a, b in equal),
        heights=(min(heights), sum(heights), max(heights)),
        widths=(min(widths), sum(widths), max(widths)),
    )


def _parse_summary(data: bytes) -> ShardSummary:
    values = json.loads(data)
    values["shard"] = Shard(**values["shard"])
    values["class_counts"] = {int(k): v for k, v in values["class_counts"].items()}
    return ShardSummary(**values)
