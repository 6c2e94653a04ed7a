"""Image files below one directory, labelled by class directories."""

import mimetypes

from model_code.adapters import storage
from model_code.adapters.storage import FileInfo
from model_code.config.dataset import FolderSource
from model_code.data.sources.base import (
    Listing,
    state_digest,
    too_large,
)
from model_code.data.sources.files import FileEntry, file_parts
from model_code.data.sources.table import list_table
from model_code.errors import DataError

_NO_CLASS = "it is not in a class directory"


def list_folder(config: FolderSource) -> Listing:
    """Every file below the class directories, or every line of the manifest.

    Files whose name begins with a dot are no part of a dataset, nor are files
    beside the class directories that do not have the name of an image.

    Raises:
        DataError: no such directory, it cannot be read, it has no images, or
            the manifest is not one.
    """
    root = storage.absolute(config.path)
    if config.manifest is not None:
        return list_table(root, config.manifest, config)
    found, files = _list(config.path, root)
    entries = [_entry(info) for info in files if _counts(info)]
    if not any(entry.labels for entry in entries):
        raise DataError(
            f"Folder {config.path} holds no images in class directories; expected "
            "<path>/<class>/<image>. Check `source.path`."
        )
    return Listing(
        class_names=config.class_names or tuple(found),
        parts=file_parts(root, entries),
        state=state_digest((info.name, info.stamp, info.problem) for info in files),
        examples=len(entries),
    )


def _list(given: str, root: str) -> tuple[list[str], list[FileInfo]]:
    """Names of the class directories, and all files."""
    try:
        directories, files = storage.list_directories(root), list(storage.walk(root))
    except OSError as error:
        raise DataError(
            f"Folder {given} cannot be listed ({error.strerror}); expected a "
            "readable directory with one directory per class. Check `source.path`."
        ) from error

    broken = {info.name for info in files if info.problem}
    return [name for name in directories if name not in broken], files


def _counts(info: FileInfo) -> bool:
    if "/" in info.name or info.problem:
        return True
    kind, _ = mimetypes.guess_type(info.name)
    return kind is not None and kind.startswith("image/")


def _entry(info: FileInfo) -> FileEntry:
    label, separator, _ = info.name.partition("/")
    if not separator:
        return FileEntry(info.name, (), problem=info.problem or _NO_CLASS)
    problem = info.problem or too_large(info.size)
    return FileEntry(info.name, (label,), problem=problem, stamp=info.stamp)
