"""Files by URI: a local path or `gs://bucket/name`, one set of functions.

The only importer of google-cloud-storage. It knows bytes and names, never what
the files mean. Credentials are the application default ones.
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_GCS = "gs://"


def is_remote(uri: str) -> bool:
    """Whether the URI names an object of Google Cloud Storage."""
    return uri.startswith(_GCS)


def join(uri: str, *names: str) -> str:
    """The URI of something below `uri`."""
    return "/".join([uri.rstrip("/"), *names])


def parent(uri: str) -> str:
    """The URI of the directory that holds `uri`."""
    head, separator, _ = uri.rpartition("/")
    return head if separator else "."


def same(first: str, second: str) -> bool:
    """Whether both name the same place."""
    if is_remote(first) or is_remote(second):
        return first.rstrip("/") == second.rstrip("/")
    return Path(first).absolute() == Path(second).absolute()


def read_bytes(uri: str, offset: int = 0, length: int | None = None) -> bytes:
    """Content of a file, or `length` bytes of it from `offset`.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it cannot be read.
    """
    with Path(uri).open("rb") as file:
        file.seek(offset)
        return file.read() if length is None else file.read(length)


def write_bytes(uri: str, data: bytes) -> None:
    """Write a file whole or not at all, creating its directory."""
    with open_writer(uri) as stream:
        stream.write(data)


def size(uri: str) -> int | None:
    """Bytes of a file, or None where there is none."""
    path = Path(uri)
    return path.stat().st_size if path.is_file() else None


def list_names(uri: str) -> list[str]:
    """Names of the files directly below `uri`, sorted; empty if none."""
    path = Path(uri)
    if not path.is_dir():
        return []
    return sorted(entry.name for entry in os.scandir(path) if entry.is_file())


def delete_tree(uri: str) -> None:
    """Remove a directory and all below it, if it is there."""
    if Path(uri).exists():
        shutil.rmtree(uri)


@contextmanager
def open_writer(uri: str) -> Iterator[BinaryIO]:
    """A stream to a new file, which is there whole at the end or not at all."""
    path = Path(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Unique, so that two attempts at the same file cannot mix.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with temporary.open("wb") as stream:
            yield stream
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def delete(uri: str) -> None:
    """Remove a file, if it is there."""
    Path(uri).unlink(missing_ok=True)
