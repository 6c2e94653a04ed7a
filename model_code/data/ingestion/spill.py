"""The intermediate files of an ingest job, and the small rows that name them.

Image bytes never travel between workers: a worker appends the finished,
framed records of a part to one spill file and hands on rows of a few hundred
bytes. The in-process runner would hold shuffled bytes in memory.
"""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from model_code.adapters import storage
from model_code.data.sources.base import Part

_SPILL = "spill"
_PARTS = "parts"
_BLOCK = 100
_THRESHOLD = "threshold"
_OUTCOME = "outcome"


class Row(NamedTuple):
    """All that planning and shard writing need to know about an example.

    Attributes:
        digest: SHA-256 of the encoded image, 32 bytes.
        filename: as in `Example`.
        labels: class ids.
        example_digest: of all that training reads (`fingerprint.py`).
        part: index of the part whose spill file holds the record.
        offset: of the framed record in that file.
        length: of the framed record.
        height: of the image, in pixels.
        width: of the image, in pixels.
        slices: as in `Example`.
        meta: as in `Example`.
        conversions: as in `CheckedImage`.
        stamp: as in `SourceImage`.
        held_out: as in `SourceImage`.
    """

    digest: bytes
    filename: str
    labels: tuple[int, ...]
    example_digest: bytes
    part: int
    offset: int
    length: int
    height: int
    width: int
    slices: Mapping[str, str]
    meta: Mapping[str, float]
    conversions: tuple[str, ...]
    stamp: str
    held_out: bool


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused image: where it is, and why it is not in the dataset."""

    filename: str
    reason: str
    detail: str


def pack(rows: Sequence[Row]) -> bytes:
    """Rows as one Beam element; Beam's own coder pickles each row apart."""
    return pickle.dumps(list(rows), protocol=pickle.HIGHEST_PROTOCOL)


def unpack(packed: bytes) -> list[Row]:
    """The inverse of `pack`."""
    rows: list[Row] = pickle.loads(packed)
    return rows


def spill_uri(work: str, part: int) -> str:
    """The spill file of a part."""
    return storage.join(work, _SPILL, f"{part:08d}")


def write_blocks(work: str, parts: Sequence[Part]) -> list[str]:
    """Write the parts of a source, numbered, a block of them a file.

    A job's graph must stay small: runners refuse one of more than 10 MB.
    """
    numbered = list(enumerate(parts))
    uris = []
    for start in range(0, len(numbered), _BLOCK):
        uris.append(storage.join(work, _PARTS, f"{start:08d}"))
        block = pickle.dumps(numbered[start : start + _BLOCK])
        storage.write_bytes(uris[-1], block)
    return uris


def read_block(uri: str) -> list[tuple[int, Part]]:
    """Numbered parts that `write_blocks` wrote into one file."""
    block: list[tuple[int, Part]] = pickle.loads(storage.read_bytes(uri))
    return block


def write_validation_threshold(work: str, threshold: int) -> None:
    """Record which threshold the job found, for the spans that follow."""
    storage.write_bytes(storage.join(work, _THRESHOLD), str(threshold).encode())


def read_validation_threshold(work: str) -> int:
    """The inverse of `write_validation_threshold`."""
    return int(storage.read_bytes(storage.join(work, _THRESHOLD)))


@dataclass(frozen=True, slots=True)
class Progress:
    """What finished parts have yielded so far; `bytes` are of their records."""

    examples: int = 0
    dead_letters: int = 0
    bytes: int = 0


def write_outcome(
    work: str, part: int, rows: Sequence[Row], dead: Sequence[DeadLetter]
) -> None:
    """Record that a part is done; the progress line and the totals read these."""
    size = sum(row.length for row in rows)
    name = f"{part:08d}-{len(rows)}-{len(dead)}-{size}"
    letters = [asdict(letter) for letter in dead]
    storage.write_bytes(storage.join(work, _OUTCOME, name), pickle.dumps(letters))


def read_progress(work: str) -> Progress:
    """Totals over the parts done so far, from the names of their outcomes."""
    fields = [[int(field) for field in name.split("-")[1:]] for name in _done(work)]
    columns = zip([0] * 3, *fields, strict=True)
    return Progress(*(sum(column) for column in columns))


def read_dead_letters(work: str) -> list[DeadLetter]:
    """Every refused image, sorted by file name."""
    letters: list[DeadLetter] = []
    for name in _done(work):
        stored = pickle.loads(storage.read_bytes(storage.join(work, _OUTCOME, name)))
        letters.extend(DeadLetter(**values) for values in stored)
    return sorted(letters, key=lambda letter: (letter.filename, letter.reason))


def _done(work: str) -> list[str]:
    """Names of outcomes; one that is still being written is hidden."""
    names = storage.list_names(storage.join(work, _OUTCOME))
    return [name for name in names if not name.startswith(".")]
