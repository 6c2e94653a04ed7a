"""Writes the shards of a dataset: new ones, and those carried over from a span."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import BinaryIO

import google_crc32c

from model_code.adapters import storage
from model_code.data import records
from model_code.data.ingestion import index
from model_code.data.ingestion.places import Places
from model_code.data.ingestion.spill import Row, spill_uri, unpack
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
class CarriedShard:
    """A shard of an earlier span, and the rows of it that are still true.

    Attributes:
        split: of the shard.
        source: full path of the earlier shard.
        class_names: the label space of the span that is written.
        whole: the earlier manifest's entry, where all of it is still true.
        rows: file with the packed rows that are kept, where not all is: `offset`
            and `length` are of the earlier record, the rest as it should be.
    """

    split: str
    source: str
    class_names: tuple[str, ...]
    whole: Shard | None
    rows: str = ""


@dataclass(frozen=True)
class ShardSummary:
    """What a finished shard holds; small enough for the manifest's maker.

    Attributes:
        split: of the shard.
        shard: file, counts and checksums.
        class_counts: examples by class id.
        slice_counts: examples by value of each slice feature.
        conversions: re-encoded images by what was changed.
        heights: smallest, sum and largest, in pixels.
        widths: smallest, sum and largest, in pixels.
    """

    split: str
    shard: Shard
    class_counts: Mapping[int, int]
    slice_counts: Mapping[str, Mapping[str, int]]
    conversions: Mapping[str, int]
    heights: tuple[int, int, int]
    widths: tuple[int, int, int]


def write_shard(
    places: Places, dataset: str, key: ShardKey, rows: Iterable[Row]
) -> None:
    """Write a shard of new examples, with its index and summary."""
    ordered = sorted(rows, key=lambda row: (row.digest, row.filename))
    frames = (
        storage.read_bytes(spill_uri(places.work, row.part), row.offset, row.length)
        for row in ordered
    )
    _write(places, dataset, key, ordered, frames)


def carry_shard(
    places: Places, dataset: str, key: ShardKey, carried: CarriedShard
) -> None:
    """Write a shard of an earlier span again, decoding no image.

    A shard that is still true as a whole is linked or copied by the storage.
    """
    if carried.whole is None:
        rows = unpack(storage.read_bytes(carried.rows))
        with storage.open_reader(carried.source) as stream:
            frames = (_amended_frame(stream, carried, row) for row in rows)
            _write(places, dataset, key, rows, frames)
        return
    file = shard_name(dataset, key.split, key.index, key.count)
    storage.copy(carried.source, storage.join(places.target, file))
    location = storage.parent(carried.source)
    rows = index.read_rows(index.uri(location, carried.whole.file))
    _finish(places, key, replace(carried.whole, file=file), rows)


def _amended_frame(stream: BinaryIO, carried: CarriedShard, row: Row) -> bytes:
    """The record of a row, with the labels and features it should have."""
    stream.seek(row.offset)
    frame = stream.read(row.length)
    record = records.check_frame(frame, carried.source)
    example = records.decode(record)
    wanted = replace(
        example,
        labels=row.labels,
        texts=tuple(carried.class_names[label] for label in row.labels),
        slices=row.slices,
        meta=row.meta,
    )
    return frame if wanted == example else records.frame(records.encode(wanted))


def read_summaries(work: str) -> list[ShardSummary]:
    """Summaries of all shards, ordered by split and index."""
    directory = storage.join(work, _SUMMARY)
    return [
        _parse_summary(storage.read_bytes(storage.join(directory, name)))
        for name in storage.list_names(directory)
    ]


def _write(
    places: Places,
    dataset: str,
    key: ShardKey,
    rows: Sequence[Row],
    frames: Iterable[bytes],
) -> None:
    file = shard_name(dataset, key.split, key.index, key.count)
    sha256 = hashlib.sha256()
    crc32c = google_crc32c.Checksum()
    lengths = []
    with storage.open_writer(storage.join(places.target, file)) as stream:
        for frame in frames:
            records.check_frame(frame, file)
            stream.write(frame)
            sha256.update(frame)
            crc32c.update(frame)
            lengths.append(len(frame))
    shard = Shard(
        file=file,
        examples=len(rows),
        bytes=sum(lengths),
        sha256=sha256.hexdigest(),
        crc32c=crc32c.hexdigest().decode(),
    )
    written = [
        row._replace(length=length) for row, length in zip(rows, lengths, strict=True)
    ]
    _finish(places, key, shard, written)


def _finish(places: Places, key: ShardKey, shard: Shard, rows: Sequence[Row]) -> None:
    index.write(index.uri(places.target, shard.file), rows)
    text = json.dumps(asdict(_summarise(key.split, shard, rows)))
    target = storage.join(places.work, _SUMMARY, f"{key.split}-{key.index:05d}.json")
    storage.write_bytes(target, text.encode())


def _summarise(split: str, shard: Shard, rows: Sequence[Row]) -> ShardSummary:
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
        conversions=dict(Counter(c for row in rows for c in row.conversions)),
        heights=(min(heights), sum(heights), max(heights)),
        widths=(min(widths), sum(widths), max(widths)),
    )


def _parse_summary(data: bytes) -> ShardSummary:
    values = json.loads(data)
    values["shard"] = Shard(**values["shard"])
    values["class_counts"] = {int(k): v for k, v in values["class_counts"].items()}
    return ShardSummary(**values)
