"""One example as the bytes of a record, with the field's usual feature names.

Encodes and decodes `tf.train.Example` through tfx_bsl and Arrow, which needs
no TensorFlow and is 1.4 to 1.8 times faster (stack facts 4 and 8). A record in
a shard is framed as TFRecord: length, masked CRC, bytes, masked CRC.
"""

import hashlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

import google_crc32c

from model_code.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

ENCODED = "image/encoded"
FORMAT = "image/format"
HEIGHT = "image/height"
WIDTH = "image/width"
FILENAME = "image/filename"
SHA256 = "image/sha256"
LABEL = "image/class/label"
TEXT = "image/class/text"
SLICE = "slice/"
META = "meta/"

_HEADER = struct.Struct("<QI")
_CRC = struct.Struct("<I")
# TFRecord stores rotated CRCs plus a constant, so that a CRC of data that
# holds CRCs stays useful (tensorflow/core/lib/hash/crc32c.h).
_MASK_DELTA = 0xA282EAD8


@dataclass(frozen=True)
class Example:
    """One labelled image.

    Attributes:
        filename: where the source has it, relative to the source; unique.
        encoded: JPEG or PNG bytes that TensorFlow decodes, 8 bits a channel.
        format: `JPEG` or `PNG`.
        height: in pixels.
        width: in pixels.
        labels: class ids; several where the dataset is multi-label.
        texts: class names of `labels`.
        slices: text features to slice metrics by.
        meta: numeric features that travel along.
    """

    filename: str
    encoded: bytes
    format: str
    height: int
    width: int
    labels: tuple[int, ...]
    texts: tuple[str, ...]
    slices: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def sha256(self) -> bytes:
        """Digest of the encoded bytes, 32 bytes."""
        return hashlib.sha256(self.encoded).digest()


def encode(examples: Sequence[Example]) -> list[bytes]:
    """Serialized `tf.train.Example` of each; all must have the same features."""
    # Readers of manifests need the names above, not half a second of imports.
    import pyarrow as pa
    from tfx_bsl.coders import example_coder

    if not examples:
        return []
    columns: dict[str, list[list[object]]] = {
        ENCODED: [[e.encoded] for e in examples],
        FORMAT: [[e.format.encode()] for e in examples],
        FILENAME: [[e.filename.encode("utf-8", "surrogateescape")] for e in examples],
        SHA256: [[e.sha256.hex().encode()] for e in examples],
        TEXT: [[text.encode() for text in e.texts] for e in examples],
        HEIGHT: [[e.height] for e in examples],
        WIDTH: [[e.width] for e in examples],
        LABEL: [list(e.labels) for e in examples],
    }
    for name in examples[0].slices:
        columns[SLICE + name] = [[e.slices[name].encode()] for e in examples]
    for name in examples[0].meta:
        columns[META + name] = [[e.meta[name]] for e in examples]
    arrays = {
        name: pa.array(values, type=pa.large_list(_arrow_type(name)))
        for name, values in columns.items()
    }
    batch = pa.RecordBatch.from_pydict(arrays)
    encoded: list[bytes] = example_coder.RecordBatchToExamplesEncoder().encode(batch)
    return encoded


def decode(records: Sequence[bytes]) -> list[Example]:
    """The inverse of `encode`."""
    from tfx_bsl.coders import example_coder

    if not records:
        return []
    batch = example_coder.ExamplesToRecordBatchDecoder().DecodeBatch(list(records))
    rows: list[dict[str, list[object]]] = batch.to_pylist()
    return [_example_from_row(row) for row in rows]


def frame(record: bytes) -> bytes:
    """The record as a TFRecord file holds it."""
    length = struct.pack("<Q", len(record))
    header = length + _CRC.pack(_masked_crc(length))
    return b"".join((header, record, _CRC.pack(_masked_crc(record))))


def read_frames(stream: BinaryIO, origin: str) -> Iterator[bytes]:
    """Records of a TFRecord stream, checksums verified; `origin` is for errors.

    Raises:
        DataError: the stream ends inside a record or a checksum differs.
    """
    while header := stream.read(_HEADER.size):
        if len(header) < _HEADER.size:
            raise _damaged(origin, "it ends inside a record header")
        length, length_crc = _HEADER.unpack(header)
        if _masked_crc(header[:8]) != length_crc:
            raise _damaged(origin, "the checksum of a record length differs")
        record = stream.read(length)
        footer = stream.read(_CRC.size)
        if len(record) < length or len(footer) < _CRC.size:
            raise _damaged(origin, "it ends inside a record")
        if _masked_crc(record) != _CRC.unpack(footer)[0]:
            raise _damaged(origin, "the checksum of a record differs")
        yield record


def _masked_crc(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def _damaged(origin: str, problem: str) -> DataError:
    return DataError(
        f"Shard {origin} is damaged: {problem}; expected whole TFRecord frames. "
        "Delete the dataset's directory and run the ingest again."
    )


def _arrow_type(name: str) -> "pa.DataType":
    import pyarrow as pa

    if name in {HEIGHT, WIDTH, LABEL}:
        return pa.int64()
    return pa.float32() if name.startswith(META) else pa.large_binary()


def _example_from_row(row: Mapping[str, list[object]]) -> Example:
    def text(name: str) -> str:
        return _text(row[name][0])

    return Example(
        filename=text(FILENAME),
        encoded=bytes(row[ENCODED][0]),  # type: ignore[call-overload]
        format=text(FORMAT),
        height=int(row[HEIGHT][0]),  # type: ignore[call-overload]
        width=int(row[WIDTH][0]),  # type: ignore[call-overload]
        labels=tuple(row[LABEL]),  # type: ignore[arg-type]
        texts=tuple(_text(value) for value in row[TEXT]),
        slices={k.removeprefix(SLICE): text(k) for k in row if k.startswith(SLICE)},
        meta={
            k.removeprefix(META): float(row[k][0])  # type: ignore[arg-type]
            for k in row
            if k.startswith(META)
        },
    )


def _text(value: object) -> str:
    return bytes(value).decode("utf-8", "surrogateescape")  # type: ignore[call-overload]
