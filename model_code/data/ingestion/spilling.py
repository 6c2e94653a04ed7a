"""Examines the images of one part and spills their records."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from itertools import islice
from typing import BinaryIO

from model_code.adapters import storage
from model_code.data import records
from model_code.data.fingerprint import example_digest
from model_code.data.ingestion.examine import Examined, Examiner
from model_code.data.ingestion.spill import DeadLetter, Row, spill_uri, write_outcome
from model_code.data.sources.base import Part, SourceImage

_WINDOW = 64
"""Images in flight at once: bounds memory when a part is a whole tar file."""


def spill_part(
    part: Part, index: int, work: str, examiner: Examiner, pool: Executor
) -> list[Row]:
    """Read, check and encode a part's images; write its spill file.

    Pillow, zlib and hashlib release the interpreter lock, so the threads of
    `pool` keep the cores of this process busy.
    """
    rows: list[Row] = []
    dead: list[DeadLetter] = []
    with storage.open_writer(spill_uri(work, index)) as stream:
        for window in _windows(part.read()):
            verdicts = list(pool.map(examiner.examine, window))
            passed = [v for v in verdicts if isinstance(v, Examined)]
            dead.extend(v for v in verdicts if isinstance(v, DeadLetter))
            rows.extend(_append(stream, passed, index))
    write_outcome(work, index, rows, dead)
    return rows


def _windows(images: Iterator[SourceImage]) -> Iterator[list[SourceImage]]:
    while window := list(islice(images, _WINDOW)):
        yield window


def _append(stream: BinaryIO, passed: Sequence[Examined], part: int) -> Iterator[Row]:
    for item in passed:
        example = item.example
        framed = records.frame(records.encode(example))
        offset = stream.tell()
        stream.write(framed)
        yield Row(
            digest=example.sha256,
            filename=example.filename,
            labels=example.labels,
            example_digest=example_digest(example),
            part=part,
            offset=offset,
            length=len(framed),
            height=example.height,
            width=example.width,
            slices=example.slices,
            meta=example.meta,
            conversions=item.conversions,
            stamp=item.source.stamp,
            held_out=item.source.held_out,
        )
