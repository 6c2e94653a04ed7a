"""What all shards hold together: digests for the fingerprint, and repetitions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from model_code.data.ingestion import index
from model_code.data.ingestion.shards import ShardSummary

_COLUMNS = (index.SHA256, index.EXAMPLE_DIGEST, index.LABELS)


@dataclass(frozen=True)
class Contents:
    """A pass over the indexes of all shards.

    Attributes:
        example_digests: of every example, by split.
        duplicates: examples whose image occurred before.
        conflicting_duplicates: those of them with other labels than the first.
        straddling_duplicates: those of them in another split than the first,
            which only a source's own test split can cause.
    """

    example_digests: Mapping[str, Sequence[bytes]]
    duplicates: int
    conflicting_duplicates: int
    straddling_duplicates: int

    @property
    def examples(self) -> int:
        """Images in all splits together."""
        return sum(len(digests) for digests in self.example_digests.values())


def read_contents(
    by_split: Mapping[str, Sequence[ShardSummary]], location: str
) -> Contents:
    """Read the indexes of the shards that lie at a location."""
    digests: dict[str, list[bytes]] = {split: [] for split in by_split}
    first: dict[bytes, tuple[str, list[int]]] = {}
    duplicates = conflicting = straddling = 0
    for split, image, example, labels in _rows(by_split, location):
        digests[split].append(example)
        if image not in first:
            first[image] = (split, labels)
            continue
        first_split, first_labels = first[image]
        duplicates += 1
        conflicting += first_labels != labels
        straddling += first_split != split
    return Contents(digests, duplicates, conflicting, straddling)


def _rows(
    by_split: Mapping[str, Sequence[ShardSummary]], location: str
) -> Iterator[tuple[str, bytes, bytes, list[int]]]:
    for split, summaries in by_split.items():
        for summary in summaries:
            table = index.read(index.uri(location, summary.shard.file), _COLUMNS)
            columns = (table[name].to_pylist() for name in _COLUMNS)
            for image, example, labels in zip(*columns, strict=True):
                yield split, image, example, labels
