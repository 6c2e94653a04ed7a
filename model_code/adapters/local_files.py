"""Files of this machine; the functions of `storage` for plain paths."""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from model_code.adapters.storage import FileInfo

_LOOP = "a link to a directory that contains it"
_Identity = tuple[int, int]


def read_bytes(uri: str, offset: int, length: int | None) -> bytes:
    """See `storage.read_bytes`."""
    with Path(uri).open("rb") as file:
        file.seek(offset)
        return file.read() if length is None else file.read(length)


def open_reader(uri: str) -> BinaryIO:
    """See `storage.open_reader`."""
    return Path(uri).open("rb")


@contextmanager
def open_writer(uri: str) -> Iterator[BinaryIO]:
    """See `storage.open_writer`."""
    path = Path(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Unique, so that two attempts at the same file cannot mix.
    temporary = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        with temporary.open("wb") as stream:
            yield stream
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def copy(source: str, target: str) -> None:
    """See `storage.copy`."""
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(target).with_name(f".{uuid.uuid4().hex}.partial")
    try:
        os.link(source, temporary)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK}:
            raise
        shutil.copyfile(source, temporary)  # where links are not to be had
    temporary.replace(target)


def stat(uri: str) -> FileInfo | None:
    """See `storage.stat`."""
    path = Path(uri)
    return _info(path.name, path.stat()) if path.is_file() else None


def size(uri: str) -> int | None:
    """See `storage.size`."""
    path = Path(uri)
    return path.stat().st_size if path.is_file() else None


def is_directory(uri: str) -> bool:
    """See `storage.is_directory`."""
    return Path(uri).is_dir()


def list_names(uri: str) -> list[str]:
    """See `storage.list_names`."""
    if not Path(uri).is_dir():
        return []
    with os.scandir(uri) as entries:
        return sorted(entry.name for entry in entries if entry.is_file())


def list_directories(uri: str) -> list[str]:
    """See `storage.list_directories`."""
    # Unlike an entry's own is_dir, this is False for a circular link.
    return [entry.name for entry in _list(uri) if Path(entry.path).is_dir()]


def walk(uri: str) -> Iterator[FileInfo]:
    """See `storage.walk`."""
    root = Path(uri).stat()
    yield from _walk("", _list(uri), {(root.st_dev, root.st_ino)})


def delete(uri: str) -> None:
    """See `storage.delete`."""
    Path(uri).unlink(missing_ok=True)


def delete_tree(uri: str) -> None:
    """See `storage.delete_tree`."""
    if Path(uri).exists():
        shutil.rmtree(uri)


def _list(directory: str) -> list[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        visible = [entry for entry in entries if not entry.name.startswith(".")]
    return sorted(visible, key=lambda entry: entry.name)


def _walk(
    prefix: str, entries: list[os.DirEntry[str]], ancestors: set[_Identity]
) -> Iterator[FileInfo]:
    for entry in entries:
        name = prefix + entry.name
        try:
            status = entry.stat()
            if entry.is_file():
                yield _info(name, status)
            elif not entry.is_dir():
                yield FileInfo(name, "", problem="neither a file nor a directory")
            elif (status.st_dev, status.st_ino) in ancestors:
                yield FileInfo(name, "", problem=_LOOP)
            else:
                below = _list(entry.path)
                known = ancestors | {(status.st_dev, status.st_ino)}
                yield from _walk(f"{name}/", below, known)
        except OSError as error:  # a broken or circular link, no permission
            yield FileInfo(name, "", problem=error.strerror or str(error))


def _info(name: str, status: os.stat_result) -> FileInfo:
    stamp = f"{status.st_size}-{status.st_mtime_ns}"
    return FileInfo(name, stamp, status.st_size)
