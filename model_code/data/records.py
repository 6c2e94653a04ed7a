"""One example as the bytes of a record, with the field's usual feature names.

A record is a serialized `tf.train.Example`; equal examples are equal bytes. In
a shard it is framed as TFRecord: length, masked CRC, bytes, masked CRC.
"""

import hashlib
import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, BinaryIO

import google_crc32c

from model_code.data.example_proto import example_class
from model_code.errors import DataError

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


def encode(example: Example) -> bytes:
    """Serialized `tf.train.Example`, its features in a fixed order."""
    return encode_features(
        {
            ENCODED: [example.encoded],
            FORMAT: [example.format],
            FILENAME: [example.filename],
            SHA256: [example.sha256.hex()],
            TEXT: list(example.texts),
            HEIGHT: [example.height],
            WIDTH: [example.width],
            LABEL: list(example.labels),
            **{SLICE + name: [text] for name, text in example.slices.items()},
            **{META + name: [value] for name, value in example.meta.items()},
        }
    )


def decode(record: bytes) -> Example:
    """The inverse of `encode`."""
    features = decode_features(record)
    slices = {name: v for name, v in features.items() if name.startswith(SLICE)}
    meta = {name: v for name, v in features.items() if name.startswith(META)}
    return Example(
        filename=_text(features[FILENAME][0]),
        encoded=features[ENCODED][0],
        format=_text(features[FORMAT][0]),
        height=features[HEIGHT][0],
        width=features[WIDTH][0],
        labels=tuple(features.get(LABEL, ())),
        texts=tuple(_text(value) for value in features.get(TEXT, ())),
        slices={k.removeprefix(SLICE): _text(v[0]) for k, v in slices.items()},
        meta={k.removeprefix(META): v[0] for k, v in meta.items()},
    )


def encode_features(features: Mapping[str, Sequence[Any]]) -> bytes:
    """Serialized `tf.train.Example` of features, each a list of one type.

    Text is stored as bytes; text that stands for bytes which are no Unicode
    (`os.fsdecode`) becomes those bytes again.
    """
    message = example_class()()
    for name, values in features.items():
        feature = message.features.feature[name]
        match values:
            case []:
                # TensorFlow refuses an empty list of a type that it does not expect.
                continue
            case [int(), *_]:
                feature.int64_list.value.extend(values)
            case [float(), *_]:
                feature.float_list.value.extend(values)
            case [bytes(), *_]:
                feature.bytes_list.value.extend(values)
            case _:
                feature.bytes_list.value.extend(_bytes(text) for text in values)
    record: bytes = message.SerializeToString(deterministic=True)
    return record


def decode_features(record: bytes) -> dict[str, list[Any]]:
    """Every feature of a serialized `tf.train.Example`."""
    message = example_class().FromString(record)
    features = {}
    for name, feature in message.features.feature.items():
        kind = feature.WhichOneof("kind")
        features[name] = list(getattr(feature, kind).value) if kind else []
    return features


def frame(record: bytes) -> bytes:
    """The record as a TFRecord file holds it."""
    length = struct.pack("<Q", len(record))
    header = length + _CRC.pack(_masked_crc(length))
    return b"".join((header, record, _CRC.pack(_masked_crc(record))))


def check_frame(framed: bytes, origin: str) -> bytes:
    """The record inside of one frame; `origin` is for errors.

    Raises:
        DataError: a checksum differs or the frame has another length.
    """
    [record] = read_frames(io.BytesIO(framed), origin)
    return record


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


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
