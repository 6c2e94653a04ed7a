"""Reads datasets back without TensorFlow, for tests of what writes them."""

import io
from pathlib import Path

from model_code.data import records
from model_code.data.manifest import DatasetManifest
from model_code.data.records import Example


def read_examples(dataset: DatasetManifest) -> dict[str, list[Example]]:
    """Every example of a local dataset, by split, in the order of the shards."""
    return {
        name: [
            records.decode(record)
            for uri in dataset.shard_uris(name)
            for record in records.read_frames(io.BytesIO(Path(uri).read_bytes()), uri)
        ]
        for name in dataset.splits
    }
