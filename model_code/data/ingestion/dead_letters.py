"""The refused images of a dataset: a record file, and the limit on their share."""

import io
from collections import Counter
from collections.abc import Sequence

from model_code.adapters import storage
from model_code.config.dataset import DatasetConfig
from model_code.data import records
from model_code.data.ingestion.spill import DeadLetter
from model_code.data.manifest import DatasetManifest
from model_code.errors import DataError

FILE = "dead-letters.tfrecord-00000-of-00001"
REASON = "dead_letter/reason"
DETAIL = "dead_letter/detail"


def write(letters: Sequence[DeadLetter], directory: str) -> None:
    """Write one record a letter: source path, reason and detail."""
    frames = [
        records.frame(
            records.encode_features(
                {
                    records.FILENAME: [letter.filename],
                    REASON: [letter.reason],
                    DETAIL: [letter.detail],
                }
            )
        )
        for letter in letters
    ]
    storage.write_bytes(storage.join(directory, FILE), b"".join(frames))


def read(dataset: DatasetManifest) -> list[DeadLetter]:
    """The refused images of a dataset, in the order of their paths."""
    if dataset.dead_letter_file is None:
        return []
    uri = storage.join(dataset.location, dataset.dead_letter_file)
    frames = records.read_frames(io.BytesIO(storage.read_bytes(uri)), uri)
    rows = [records.decode_features(frame) for frame in frames]
    fields = (records.FILENAME, REASON, DETAIL)
    return [DeadLetter(*(_text(row[name][0]) for name in fields)) for row in rows]


def count_by_reason(letters: Sequence[DeadLetter]) -> dict[str, int]:
    """Letters a reason, most frequent first."""
    counts = Counter(letter.reason for letter in letters)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def refuse_too_many(
    config: DatasetConfig,
    examples: int,
    counts: dict[str, int],
    letters: Sequence[DeadLetter] = (),
) -> None:
    """Stop where more images were refused than the recipe tolerates.

    Args:
        config: says what is tolerated.
        examples: images that passed.
        counts: refused images by reason.
        letters: the refused images, to name the first of each reason.

    Raises:
        DataError: the share of refused images is above the limit.
    """
    refused = sum(counts.values())
    if refused <= config.maximum_dead_letters * (examples + refused):
        return
    first = {letter.reason: letter for letter in reversed(letters)}
    worst = "; ".join(
        f"{count} {reason.replace('_', ' ')}{_named(first.get(reason))}"
        for reason, count in list(counts.items())[:3]
    )
    raise DataError(
        f"Dataset {config.name}: {refused} of {examples + refused} images failed "
        f"their checks ({worst}); tolerated is a share of "
        f"{config.maximum_dead_letters:g}. Repair or remove them, or raise "
        "`maximum_dead_letters`."
    )


def _named(letter: DeadLetter | None) -> str:
    return f", such as {letter.filename!r}: {letter.detail}" if letter else ""


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
