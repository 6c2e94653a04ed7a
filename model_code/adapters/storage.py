"""Files by URI: a local path or `gs://bucket/name`, one set of functions.

It knows bytes and names, never what the files mean. A file appears whole or
not at all. Errors are those of the operating system, wherever the file is:
FileNotFoundError, PermissionError, OSError.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

_GCS: Final = "gs://"


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One file of a listing.

    Attributes:
        name: relative to the directory that was listed.
        stamp: changes when the content may have changed.
        size: in bytes.
        problem: why the file, or all below the directory, cannot be read;
            empty if it can.
    """

    name: str
    stamp: str
    size: int = 0
    problem: str = ""


class _Backend(Protocol):
    """What a kind of storage offers; each a module of functions."""

    def read_bytes(self, uri: str, offset: int, length: int | None) -> bytes: ...
    def open_reader(self, uri: str) -> AbstractContextManager[BinaryIO]: ...
    def open_writer(self, uri: str) -> AbstractContextManager[BinaryIO]: ...
    def copy(self, source: str, target: str) -> None: ...
    def stat(self, uri: str) -> FileInfo | None: ...
    def size(self, uri: str) -> int | None: ...
    def is_directory(self, uri: str) -> bool: ...
    def list_names(self, uri: str) -> list[str]: ...
    def list_directories(self, uri: str) -> list[str]: ...
    def walk(self, uri: str) -> Iterator[FileInfo]: ...
    def delete(self, uri: str) -> None: ...
    def delete_tree(self, uri: str) -> None: ...


def is_remote(uri: str) -> bool:
    """Whether the URI names an object of Google Cloud Storage."""
    return uri.startswith(_GCS)


def join(uri: str, *names: str) -> str:
    """The URI of something below `uri`."""
    return "/".join([uri.rstrip("/"), *names])


def parent(uri: str) -> str:
    """The URI of the directory that holds `uri`."""
    head, separator, _ = uri.rstrip("/").rpartition("/")
    return head if separator else "."


def absolute(uri: str) -> str:
    """The URI, independent of the working directory."""
    return uri.rstrip("/") if is_remote(uri) else str(Path(uri).absolute())


def same(first: str, second: str) -> bool:
    """Whether both name the same place."""
    return absolute(first) == absolute(second)


def read_bytes(uri: str, offset: int = 0, length: int | None = None) -> bytes:
    """Content of a file, or `length` bytes of it from `offset`.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it cannot be read.
    """
    return _backend(uri).read_bytes(uri, offset, length)


def open_reader(uri: str) -> AbstractContextManager[BinaryIO]:
    """A stream from a file, which can seek and reads only what is asked for.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it cannot be read.
    """
    return _backend(uri).open_reader(uri)


def open_writer(uri: str) -> AbstractContextManager[BinaryIO]:
    """A stream to a new file, which is there whole at the end or not at all.

    Directories above it are created; an older file is replaced.
    """
    return _backend(uri).open_writer(uri)


def write_bytes(uri: str, data: bytes) -> None:
    """Write a file whole or not at all, creating its directory."""
    with open_writer(uri) as stream:
        stream.write(data)


def copy(source: str, target: str) -> None:
    """Make a file appear at another place too, without moving its bytes if possible.

    Both are local or both remote. Locally it is a hard link: neither may be
    written to in place.
    """
    _backend(source).copy(source, target)


def stat(uri: str) -> FileInfo | None:
    """What a listing would say about a file, or None where there is none."""
    return _backend(uri).stat(uri)


def size(uri: str) -> int | None:
    """Bytes of a file, or None where there is none."""
    return _backend(uri).size(uri)


def is_directory(uri: str) -> bool:
    """Whether there is such a directory, or anything below such a prefix."""
    return _backend(uri).is_directory(uri)


def list_names(uri: str) -> list[str]:
    """Names of the files directly below `uri`, sorted; empty if none."""
    return _backend(uri).list_names(uri)


def list_directories(uri: str) -> list[str]:
    """Names of the directories directly below `uri`, sorted; hidden ones left out.

    Raises:
        OSError: `uri` cannot be listed.
    """
    return _backend(uri).list_directories(uri)


def walk(uri: str) -> Iterator[FileInfo]:
    """Every file below `uri`, in a fixed order, links followed.

    Hidden files and directories (`.name`) are left out. What cannot be listed
    or read appears with its problem.

    Raises:
        OSError: `uri` itself cannot be listed.
    """
    return _backend(uri).walk(uri)


def delete(uri: str) -> None:
    """Remove a file, if it is there."""
    _backend(uri).delete(uri)


def delete_tree(uri: str) -> None:
    """Remove a directory and all below it, if it is there."""
    _backend(uri).delete_tree(uri)


def _backend(uri: str) -> _Backend:
    if is_remote(uri):
        from model_code.adapters import gcs

        return gcs
    from model_code.adapters import local_files

    return local_files
