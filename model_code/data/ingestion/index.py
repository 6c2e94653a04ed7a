"""What a shard holds besides pixels: one Parquet file a shard.

Statistics, incremental ingests and a look at a dataset read a few hundred
bytes an example here, where the shard itself has a hundred thousand.
"""

import io
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from model_code.adapters import storage
from model_code.data.ingestion.spill import Row
from model_code.data.records import META, SLICE

if TYPE_CHECKING:
    import pyarrow as pa

_DIRECTORY = "index"

FILENAME = "filename"
SHA256 = "sha256"
EXAMPLE_DIGEST = "example_digest"
LABELS = "labels"
HEIGHT = "height"
WIDTH = "width"
OFFSET = "offset"
LENGTH = "length"
CONVERSIONS = "conversions"
STAMP = "stamp"


def uri(location: str, shard_file: str) -> str:
    """Where the index of a shard lies."""
    return storage.join(location, _DIRECTORY, f"{shard_file}.parquet")


def write(target: str, rows: Sequence[Row]) -> None:
    """Write the index of a shard that holds these rows in this order."""
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(_table(rows), buffer, compression="zstd")
    storage.write_bytes(target, buffer.getvalue())


def read(source: str, columns: Sequence[str] | None = None) -> "pa.Table":
    """One row an example, in the order of the shard."""
    import pyarrow.parquet as pq

    data = io.BytesIO(storage.read_bytes(source))
    return pq.read_table(data, columns=None if columns is None else list(columns))


def read_rows(source: str) -> list[Row]:
    """The rows that the index was written from; offsets are those in the shard."""
    return [
        Row(
            digest=values[SHA256],
            filename=values[FILENAME].decode("utf-8", "surrogateescape"),
            labels=tuple(values[LABELS]),
            example_digest=values[EXAMPLE_DIGEST],
            part=-1,  # not in a spill file
            offset=values[OFFSET],
            length=values[LENGTH],
            height=values[HEIGHT],
            width=values[WIDTH],
            slices=_named(values, SLICE),
            meta=_named(values, META),
            conversions=tuple(values[CONVERSIONS]),
            stamp=values[STAMP],
            held_out=False,  # its split is known
        )
        for values in read(source).to_pylist()
    ]


def _named(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {
        k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)
    }


def _table(rows: Sequence[Row]) -> "pa.Table":
    import pyarrow as pa

    lengths = [row.length for row in rows]
    offsets = list(accumulate(lengths, initial=0))[:-1]
    # A file name is bytes: it need not be valid Unicode.
    names = [row.filename.encode("utf-8", "surrogateescape") for row in rows]
    columns = {
        FILENAME: pa.array(names, pa.binary()),
        SHA256: pa.array([row.digest for row in rows], pa.binary(32)),
        EXAMPLE_DIGEST: pa.array([row.example_digest for row in rows], pa.binary(32)),
        LABELS: pa.array([row.labels for row in rows], pa.list_(pa.int64())),
        HEIGHT: pa.array([row.height for row in rows], pa.int64()),
        WIDTH: pa.array([row.width for row in rows], pa.int64()),
        OFFSET: pa.array(offsets, pa.int64()),
        LENGTH: pa.array(lengths, pa.int64()),
        CONVERSIONS: pa.array([r.conversions for r in rows], pa.list_(pa.string())),
        STAMP: pa.array([row.stamp for row in rows], pa.string()),
    }
    for name in rows[0].slices:
        columns[SLICE + name] = pa.array([r.slices[name] for r in rows], pa.string())
    for name in rows[0].meta:
        columns[META + name] = pa.array([r.meta[name] for r in rows], pa.float32())
    return pa.table(columns)
