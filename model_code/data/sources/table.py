"""A CSV or JSONL manifest: one line an image, with its path and label."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

from model_code.adapters import storage
from model_code.adapters.storage import FileInfo
from model_code.config.dataset import FolderSource
from model_code.data.sources.base import (
    Listing,
    is_text,
    state_digest,
    too_large,
)
from model_code.data.sources.files import FileEntry, file_parts
from model_code.errors import DataError

PATH = "path"
LABEL = "label"

_SEPARATOR = "|"
_Line = tuple[int, Mapping[str, Any]]


@dataclass(frozen=True)
class _Columns:
    """Further fields, by what they become."""

    slices: tuple[str, ...]
    meta: tuple[str, ...]


def list_table(root: str, manifest: str, config: FolderSource) -> Listing:
    """Every line of the manifest, in the order of the paths.

    Raises:
        DataError: no such file, a line without path or label, a path that is
            listed twice or leads out of the root, or text that is no Unicode.
    """
    uri = _locate(root, manifest)
    content = _read(uri)
    lines = list(_parse(uri, content))
    if not lines:
        raise DataError(f"Manifest {uri} lists no images; expected one a line.")
    columns = _columns(uri, lines)
    entries = [_entry(uri, line, columns, config) for line in lines]
    entries.sort(key=lambda entry: entry.name)
    _refuse_repeated(uri, entries)
    infos = _look_up(root, [entry.name for entry in entries])
    entries = [_with_info(entry, infos.get(entry.name)) for entry in entries]
    found = sorted({label for entry in entries for label in entry.labels})
    return Listing(
        class_names=config.class_names or tuple(found),
        parts=file_parts(root, entries),
        state=state_digest([content, *(entry.stamp for entry in entries)]),
        examples=len(entries),
        multi_label=config.multi_label,
        slice_features=columns.slices,
        meta_features=columns.meta,
    )


def _locate(root: str, manifest: str) -> str:
    full = storage.is_remote(manifest) or manifest.startswith("/")
    return manifest if full else storage.join(root, manifest)


def _read(uri: str) -> str:
    try:
        return storage.read_bytes(uri).decode("utf-8-sig")
    except OSError as error:
        raise DataError(
            f"Manifest {uri} cannot be read ({error.strerror}); expected a .csv or "
            ".jsonl file. Check `source.manifest`."
        ) from error
    except UnicodeDecodeError as error:
        raise _bad(uri, 1, f"the file is not UTF-8 ({error.reason})") from error


def _parse(uri: str, content: str) -> Iterator[_Line]:
    if uri.endswith(".jsonl"):
        yield from _parse_json(uri, content)
    elif uri.endswith(".csv"):
        yield from _parse_csv(uri, content)
    else:
        raise DataError(f"Manifest {uri} is neither .csv nor .jsonl; rename it.")


def _parse_csv(uri: str, content: str) -> Iterator[_Line]:
    reader = csv.DictReader(io.StringIO(content, newline=""), strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise _bad(uri, reader.line_num, "its fields are not those on line 1")
            yield reader.line_num, row
    except csv.Error as error:
        raise _bad(uri, reader.line_num, str(error)) from error


def _parse_json(uri: str, content: str) -> Iterator[_Line]:
    for number, text in enumerate(content.split("\n"), start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except ValueError as error:
            raise _bad(uri, number, f"it is not JSON ({error})") from error
        if not isinstance(row, dict):
            raise _bad(uri, number, "it is not a JSON object")
        yield number, row


def _columns(uri: str, lines: Sequence[_Line]) -> _Columns:
    number, first = lines[0]
    further = [name for name in first if name not in {PATH, LABEL}]
    for name in further:
        if not name.replace("_", "").replace("-", "").isalnum():
            raise _bad(uri, number, f"field {name!r} is no name of a feature")
    meta = [name for name in further if _all_numbers(name, lines)]
    return _Columns(
        slices=tuple(name for name in further if name not in meta), meta=tuple(meta)
    )


def _all_numbers(name: str, lines: Sequence[_Line]) -> bool:
    values = [row.get(name) for _, row in lines]
    given = [value for value in values if value not in (None, "")]
    return bool(given) and all(_number(value) is not None for value in given)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _entry(uri: str, line: _Line, columns: _Columns, config: FolderSource) -> FileEntry:
    number, row = line
    path, label = row.get(PATH), row.get(LABEL)
    if not isinstance(path, str) or not path or label is None:
        raise _bad(uri, number, f"it has no {PATH!r} or no {LABEL!r}")
    if not _lies_below(path):
        raise _bad(uri, number, f"path {path!r} does not lie below `source.path`")
    slices = {name: str(row.get(name, "")) for name in columns.slices}
    labels = _labels(uri, number, label, config.multi_label)
    if not all(is_text(text) for text in (path, *slices.values())):
        raise _bad(uri, number, "it holds text that is not Unicode")
    meta = {name: _number(row.get(name)) for name in columns.meta}
    return FileEntry(
        name=path,
        labels=labels,
        slices=slices,
        meta={name: math.nan if v is None else v for name, v in meta.items()},
    )


def _lies_below(path: str) -> bool:
    outside = path.startswith("/") or "://" in path or "\0" in path
    return not outside and ".." not in PurePosixPath(path).parts


def _labels(uri: str, number: int, label: Any, several: bool) -> tuple[str, ...]:
    if not several:
        return (str(label),)
    if isinstance(label, list):
        return tuple(str(one) for one in label)
    if isinstance(label, str):
        return tuple(one for one in label.split(_SEPARATOR) if one)
    raise _bad(uri, number, f"{LABEL!r} is neither a list nor text")


def _refuse_repeated(uri: str, entries: Sequence[FileEntry]) -> None:
    """Entries are sorted by name."""
    for before, entry in pairwise(entries):
        if before.name == entry.name:
            raise DataError(
                f"Manifest {uri} lists {entry.name!r} twice; expected each path "
                "once. Remove a line, or give several labels with `multi_label`."
            )


def _look_up(root: str, names: Sequence[str]) -> dict[str, FileInfo]:
    """The files that exist; one listing where a look costs a request."""
    if storage.is_remote(root):
        return {info.name: info for info in storage.walk(root)}
    found = {name: storage.stat(storage.join(root, name)) for name in names}
    return {name: info for name, info in found.items() if info is not None}


def _with_info(entry: FileEntry, info: FileInfo | None) -> FileEntry:
    if info is None:  # reading it will say why
        return entry
    return replace(entry, stamp=info.stamp, problem=too_large(info.size))


def _bad(uri: str, number: int, problem: str) -> DataError:
    return DataError(
        f"Manifest {uri}, line {number}: {problem}; expected the fields {PATH!r} and "
        f"{LABEL!r}, and the same further fields on every line. Correct the line."
    )
