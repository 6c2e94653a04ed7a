"""What an earlier span of the same data spares: images that have not changed.

An image whose name and stamp are those of an earlier ingest is not read again.
Shards that are still true as a whole are linked; shards with removed or
relabelled images are written again from their records; only new and changed
images are examined. Known for sources whose listing names every file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model_code import artifacts
from model_code.adapters import storage
from model_code.data import manifest, verification
from model_code.data.fingerprint import digest_of
from model_code.data.ingestion import index
from model_code.data.ingestion.shards import CarriedShard
from model_code.data.ingestion.spill import Row, pack
from model_code.data.manifest import DatasetManifest
from model_code.data.sources.base import Listing, Part
from model_code.data.sources.files import FileEntry, FilePart, file_parts

_ROWS = "carried"


@dataclass(frozen=True)
class Reuse:
    """What is carried over, and what is left to examine.

    Attributes:
        carried: shards of the earlier span, in their order.
        parts: of the source, without the images that are carried over.
        examples: images that are carried over.
    """

    carried: tuple[CarriedShard, ...]
    parts: tuple[Part, ...]
    examples: int


def find_base(home: str, series: str) -> DatasetManifest | None:
    """The latest complete dataset of the series, if there is one."""
    found = []
    for name in storage.list_directories(home) if storage.is_directory(home) else []:
        location = storage.join(home, name)
        if storage.size(storage.join(location, artifacts.MANIFEST)) is not None:
            candidate = manifest.read(location)
            if candidate.series == series and not verification.find_missing(candidate):
                found.append(candidate)
    return max(found, key=lambda candidate: candidate.span, default=None)


def plan_reuse(base: DatasetManifest | None, listing: Listing, work: str) -> Reuse:
    """Compare a listing with the indexes of an earlier span.

    Writes the rows of shards that must be written again below `work`.
    """
    parts = [part for part in listing.parts if isinstance(part, FilePart)]
    if base is None or len(parts) < len(listing.parts):
        return Reuse((), tuple(listing.parts), 0)
    matcher = _Matcher(
        base, listing, {e.name: (p.root, e) for p in parts for e in p.entries}
    )
    carried = []
    examples = 0
    for split, found in base.splits.items():
        for shard in found.shards:
            source = storage.join(base.location, shard.file)
            before = index.read_rows(index.uri(base.location, shard.file))
            rows = matcher.match(before)
            examples += len(rows)
            if rows == before and matcher.same_names(rows):
                carried.append(CarriedShard(split, source, listing.class_names, shard))
            elif rows:
                kept = storage.join(work, _ROWS, shard.file)
                storage.write_bytes(kept, pack(rows))
                carried.append(
                    CarriedShard(split, source, listing.class_names, None, kept)
                )
    return Reuse(tuple(carried), tuple(matcher.left()), examples)


@dataclass(frozen=True)
class _Matcher:
    """Takes from `wanted`, by name, what earlier rows already answer."""

    base: DatasetManifest
    listing: Listing
    wanted: dict[str, tuple[str, FileEntry]]

    def match(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that are still true, with labels and features as they are now."""
        matched = (self._match(row) for row in rows)
        return [row for row in matched if row is not None]

    def same_names(self, rows: Sequence[Row]) -> bool:
        """Whether the classes of these rows are called what they were called."""
        labels = {label for row in rows for label in row.labels}
        old, new = self.base.class_names, self.listing.class_names
        return all(old[label] == new[label] for label in labels)

    def left(self) -> list[Part]:
        """Parts for what no row answered."""
        by_root: dict[str, list[FileEntry]] = {}
        for root, entry in self.wanted.values():
            by_root.setdefault(root, []).append(entry)
        return [
            part
            for root, entries in by_root.items()
            for part in file_parts(root, entries)
        ]

    def _match(self, row: Row) -> Row | None:
        _, entry = self.wanted.get(row.filename, ("", None))
        if entry is None or entry.problem or entry.stamp != row.stamp:
            return None
        labels = self._label_ids(entry)
        if labels is None:
            return None
        del self.wanted[row.filename]
        meta = {name: float(np.float32(v)) for name, v in entry.meta.items()}
        digest = digest_of(row.digest, labels, entry.slices, meta)
        if digest == row.example_digest:
            return row
        return row._replace(
            labels=labels, slices=dict(entry.slices), meta=meta, example_digest=digest
        )

    def _label_ids(self, entry: FileEntry) -> tuple[int, ...] | None:
        """None where the examination would refuse the labels."""
        if len(entry.labels) != 1 and not self.listing.multi_label:
            return None
        if not all(label in self._ids for label in entry.labels):
            return None
        return tuple(sorted({self._ids[label] for label in entry.labels}))

    @cached_property
    def _ids(self) -> dict[str, int]:
        names = self.listing.class_names
        return {name: label for label, name in enumerate(names)}
