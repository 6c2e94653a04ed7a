"""What a source is: a listing whose parts Beam can read anywhere, in parallel.

A source is one function from its configuration to a `Listing`. Listing is
cheap and happens once, in the process that starts the job; parts are small,
are pickled to workers and yield the images.
"""

import errno
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from model_code.adapters import storage
from model_code.config.sources import ClassNames
from model_code.errors import DataError

LARGEST_FILE = 512_000_000
"""Bytes of an image file that are still read into memory."""

PART_EXAMPLES = 64
"""Images a part names: enough to keep the threads of a worker busy, few enough
that two workers end together on 2,000 images."""


@dataclass(frozen=True, slots=True)
class SourceImage:
    """One image as the source has it.

    Attributes:
        name: where it is, relative to the source; unique within it.
        load: gives its bytes; may raise OSError, and then the image is a dead
            letter.
        labels: class names.
        slices: text features.
        meta: numeric features.
        stamp: changes when the image may have changed; empty if unknown.
        held_out: belongs to the source's own test split.
    """

    name: str
    load: Callable[[], bytes]
    labels: tuple[str, ...]
    slices: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, float] = field(default_factory=dict)
    stamp: str = ""
    held_out: bool = False


@runtime_checkable  # Beam checks elements against annotations
class Part(Protocol):
    """A picklable piece of a source."""

    def read(self) -> Iterator[SourceImage]:
        """The images of the part, in a fixed order."""
        ...


@dataclass(frozen=True)
class Listing:
    """All of a source, before any image is read.

    Attributes:
        class_names: the label space, in order.
        parts: together every image exactly once.
        state: digest that changes when any image or label may have changed.
        examples: number of images, where the source knows it.
        multi_label: examples may carry several labels, or none.
        slice_features: names that every image's `slices` has.
        meta_features: names that every image's `meta` has.
        has_test: some images are held out by the source itself.
    """

    class_names: tuple[str, ...]
    parts: Sequence[Part]
    state: str
    examples: int | None = None
    multi_label: bool = False
    slice_features: tuple[str, ...] = ()
    meta_features: tuple[str, ...] = ()
    has_test: bool = False

    def __post_init__(self) -> None:
        """Refuse class names that records or name files could not hold."""
        for name in self.class_names:
            if not is_text(name) or "\n" in name or not name:
                raise DataError(
                    f"Class name {name!r} cannot be used; expected Unicode text on "
                    "one line. Rename the directory or the label."
                )


def read_class_names(given: ClassNames) -> tuple[str, ...]:
    """The names themselves, or those in the text file that is named.

    Raises:
        DataError: there is no such file, or it is not text.
    """
    if not isinstance(given, str):
        return given
    try:
        lines = storage.read_bytes(given).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"Class names cannot be read from {given} ({error}); expected a text "
            "file with one name a line. Check `source.class_names`."
        ) from error
    return tuple(line.strip() for line in lines if line.strip())


def unreadable(problem: str) -> bytes:
    """Loads an image that is known to be unreadable; for `SourceImage.load`.

    Raises:
        OSError: always, with the problem as its text.
    """
    raise OSError(errno.EIO, problem)


def too_large(size: int) -> str:
    """Why a file of that size is not read; empty if it is."""
    if size <= LARGEST_FILE:
        return ""
    return f"it has {size} bytes, more than {LARGEST_FILE}"


def is_text(value: str) -> bool:
    """Whether the value is Unicode; a file name may be bytes that are not."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def state_digest(facts: Iterable[object]) -> str:
    """Digest of the `repr` of facts about a source, in order."""
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(repr(fact).encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()
