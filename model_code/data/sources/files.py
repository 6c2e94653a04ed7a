"""Parts made of image files, shared by the sources whose images are files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from model_code.adapters import storage
from model_code.data.sources.base import PART_EXAMPLES, SourceImage, unreadable


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One image file: its name below the root, and what is known about it.

    `problem` says why it cannot be read, where the listing knows already;
    `stamp` is that of `FileInfo`.
    """

    name: str
    labels: tuple[str, ...]
    slices: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class FilePart:
    """Some files below one root, local or `gs://`."""

    root: str
    entries: tuple[FileEntry, ...]

    def read(self) -> Iterator[SourceImage]:
        """The files in order; each is read when its bytes are asked for."""
        for entry in self.entries:
            yield SourceImage(
                name=entry.name,
                load=partial(_load, self.root, entry),
                labels=entry.labels,
                slices=entry.slices,
                meta=entry.meta,
                stamp=entry.stamp,
            )


def file_parts(root: str, entries: Sequence[FileEntry]) -> list[FilePart]:
    """Cut a listing of files into parts."""
    starts = range(0, len(entries), PART_EXAMPLES)
    return [
        FilePart(root, tuple(entries[start : start + PART_EXAMPLES]))
        for start in starts
    ]


def _load(root: str, entry: FileEntry) -> bytes:
    if entry.problem:
        return unreadable(entry.problem)
    return storage.read_bytes(storage.join(root, entry.name))
