"""One directory per class, or a manifest of paths and labels."""

import os
from collections.abc import Iterator
from pathlib import Path

from model_code.config.dataset import FolderSource
from model_code.data.sources.base import Listing, state_digest
from model_code.data.sources.files import FileEntry, file_parts
from model_code.errors import DataError


def list_folder(config: FolderSource) -> Listing:
    """Every file below the class directories, sorted by name.

    Raises:
        DataError: no such directory, it cannot be read, or it has no images.
    """
    root = Path(config.path).absolute()
    if not root.is_dir():
        raise DataError(
            f"Folder {config.path} is not a directory; expected one directory "
            "per class in it. Check `source.path`."
        )
    class_names = sorted(
        entry.name
        for entry in os.scandir(root)
        if entry.is_dir() and not entry.name.startswith(".")
    )
    files = [(name, path) for name in class_names for path in _walk(root / name)]
    entries = [
        FileEntry(path.relative_to(root).as_posix(), (name,)) for name, path in files
    ]
    if not entries:
        raise DataError(
            f"Folder {config.path} holds no images in class directories; expected "
            "<path>/<class>/<image>. Check `source.path`."
        )
    facts = ((entry.name, _stamp(root / entry.name)) for entry in entries)
    return Listing(
        class_names=tuple(class_names),
        parts=file_parts(str(root), entries),
        state=state_digest(facts),
        examples=len(entries),
    )


def _walk(directory: Path) -> Iterator[Path]:
    for base, directories, files in os.walk(directory):
        directories.sort()
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(base) / name


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
