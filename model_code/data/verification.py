"""Is a dataset on disk what its manifest says? Quickly by size, or in full."""

import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import google_crc32c

from model_code.adapters import storage
from model_code.data import records
from model_code.data.fingerprint import example_digest, fingerprint
from model_code.data.manifest import DatasetManifest, Shard, SplitManifest
from model_code.data.records import Example
from model_code.errors import DataError


@dataclass(frozen=True)
class Verification:
    """What a full pass over a dataset found.

    Attributes:
        shards: files that were read.
        examples: records that were read.
        bytes: that were read.
        problems: differences to the manifest; empty if there are none.
    """

    shards: int
    examples: int
    bytes: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class _ShardContent:
    problems: tuple[str, ...]
    labels: Counter[int]
    digests: tuple[bytes, ...]


def find_missing(dataset: DatasetManifest) -> list[str]:
    """Problems that names and sizes show: files that are gone or cut short."""
    problems = []
    for split in dataset.splits.values():
        for shard in split.shards:
            size = storage.size(storage.join(dataset.location, shard.file))
            if size is None:
                problems.append(f"{shard.file} is missing")
            elif size != shard.bytes:
                problems.append(
                    f"{shard.file} has {size} bytes, expected {shard.bytes}"
                )
    return problems


def verify(dataset: DatasetManifest, threads: int) -> Verification:
    """Read every shard and hold checksums, counts and fingerprint against it.

    Args:
        dataset: what to verify.
        threads: shards that are read at once; each is held in memory whole.
    """
    problems: list[str] = []
    digests: dict[str, list[bytes]] = {}
    with ThreadPoolExecutor(threads) as pool:
        for name, split in dataset.splits.items():
            read = pool.map(lambda shard: _read(dataset, shard), split.shards)
            contents = list(read)
            problems += [text for found in contents for text in found.problems]
            problems += _count_problems(name, split, contents)
            digests[name] = [d for found in contents for d in found.digests]
    actual = fingerprint(dataset.class_names, dataset.multi_label, digests)
    if actual != dataset.fingerprint:
        problems.append(f"the fingerprint is {actual}, expected {dataset.fingerprint}")
    return Verification(
        shards=sum(len(split.shards) for split in dataset.splits.values()),
        examples=sum(len(found) for found in digests.values()),
        bytes=dataset.bytes,
        problems=tuple(problems),
    )


def _read(dataset: DatasetManifest, shard: Shard) -> _ShardContent:
    uri = storage.join(dataset.location, shard.file)
    try:
        data = storage.read_bytes(uri)
        frames = list(records.read_frames(io.BytesIO(data), uri))
    except (OSError, DataError) as error:
        return _ShardContent((f"{shard.file}: {error}",), Counter(), ())
    examples = [records.decode(frame) for frame in frames]
    return _ShardContent(
        problems=tuple(
            f"{shard.file}: {text}" for text in _differences(shard, data, examples)
        ),
        labels=Counter(label for example in examples for label in example.labels),
        digests=tuple(example_digest(example) for example in examples),
    )


def _differences(shard: Shard, data: bytes, examples: Sequence[Example]) -> list[str]:
    found = {
        "bytes": (len(data), shard.bytes),
        "records": (len(examples), shard.examples),
        "SHA-256": (hashlib.sha256(data).hexdigest(), shard.sha256),
        "CRC32C": (f"{google_crc32c.value(data):08x}", shard.crc32c),
    }
    return [
        f"{what}: {actual}, expected {expected}"
        for what, (actual, expected) in found.items()
        if actual != expected
    ]


def _count_problems(
    name: str, split: SplitManifest, contents: Sequence[_ShardContent]
) -> list[str]:
    labels = sum((found.labels for found in contents), Counter[int]())
    counts = tuple(labels[index] for index in range(len(split.class_counts)))
    if counts == split.class_counts:
        return []
    return [f"split {name}: class counts differ from those of the manifest"]
