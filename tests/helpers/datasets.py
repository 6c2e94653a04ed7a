"""Tiny datasets written without an ingest, for tests of what reads them."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from model_code.data import records
from model_code.data.manifest import DatasetManifest, Range, Shard, SplitManifest
from model_code.data.records import Example

_SIZE = Range(minimum=1.0, mean=1.0, maximum=1.0)


def encode_image(pixels: np.ndarray, kind: str = "JPEG") -> bytes:
    """A uint8 [height, width] or [height, width, 3] array as a file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, quality=95)
    return buffer.getvalue()


def smooth_picture(seed: int, height: int = 40, width: int = 48) -> np.ndarray:
    """Colour blobs: random, yet alike after decoding and resizing."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)


def examples(
    count: int, classes: int = 3, kind: str = "JPEG", prefix: str = ""
) -> list[Example]:
    """Examples named by their number, of class number modulo `classes`."""
    return [
        Example(
            filename=f"{prefix}{number}.{kind.lower()}",
            encoded=encode_image(smooth_picture(number), kind),
            format=kind,
            height=40,
            width=48,
            labels=(number % classes,),
            texts=(str(number % classes),),
        )
        for number in range(count)
    ]


def write_dataset(
    directory: Path,
    splits: Mapping[str, Sequence[Example]],
    *,
    classes: int = 3,
    shards: int = 3,
) -> DatasetManifest:
    """Shards in `directory` and the manifest that describes them."""
    sample = next(example for rows in splits.values() for example in rows)
    return DatasetManifest(
        name="tiny",
        key="tiny",
        fingerprint="0" * 64,
        location=str(directory),
        class_names=tuple(str(number) for number in range(classes)),
        splits={
            split: SplitManifest(
                examples=len(rows),
                class_counts=(0,) * classes,
                shards=tuple(_write_shards(directory, split, rows, shards)),
            )
            for split, rows in splits.items()
        },
        slice_features=tuple(sample.slices),
        meta_features=tuple(sample.meta),
        height=_SIZE,
        width=_SIZE,
    )


def _write_shards(
    directory: Path, split: str, rows: Sequence[Example], count: int
) -> list[Shard]:
    written = []
    for number in range(count):
        own = rows[number::count]
        name = f"{split}-{number:05}-of-{count:05}.tfrecord"
        framed = [records.frame(records.encode(example)) for example in own]
        (directory / name).write_bytes(b"".join(framed))
        written.append(
            Shard(
                file=name,
                examples=len(own),
                bytes=sum(map(len, framed)),
                sha256="",
                crc32c="",
            )
        )
    return written
