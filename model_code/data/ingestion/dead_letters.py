"""The refused images of a dataset: a record file, and the limit on their share."""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
from tfx_bsl.coders import example_coder

from model_code.adapters import storage
from model_code.config.dataset import DatasetConfig
from model_code.data import records
from model_code.data.ingestion.spill import DeadLetter
from model_code.errors import DataError

FILE = "dead-letters.tfrecord-00000-of-00001"
REASON = "dead_letter/reason"
DETAIL = "dead_letter/detail"


def write(letters: Sequence[DeadLetter], directory: str) -> None:
    """Write one record a letter: source path, reason and detail."""
    columns = {
        records.FILENAME: [letter.filename for letter in letters],
        REASON: [letter.reason for letter in letters],
        DETAIL: [letter.detail for letter in letters],
    }
    arrays = {
        name: pa.array(
            [[text.encode("utf-8", "surrogateescape")] for text in texts],
            type=pa.large_list(pa.large_binary()),
        )
        for name, texts in columns.items()
    }
    batch = pa.RecordBatch.from_pydict(arrays)
    encoded = example_coder.RecordBatchToExamplesEncoder().encode(batch)
    frames = b"".join(records.frame(record) for record in encoded)
    storage.write_bytes(storage.join(directory, FILE), frames)


def count_by_reason(letters: Sequence[DeadLetter]) -> dict[str, int]:
    """Letters a reason, most frequent first."""
    return dict(Counter(letter.reason for letter in letters).most_common())


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
