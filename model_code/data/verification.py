"""Is a dataset on disk what its manifest says? Quickly by size, or in full."""

from model_code.adapters import storage
from model_code.data.manifest import DatasetManifest


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
