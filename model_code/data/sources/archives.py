"""Tar archives: ImageNet's releases, and shards in the manner of WebDataset.

Archives are read in place by offset, never unpacked. An archive of archives
gives a part for each inner one, which is read as a stream; a flat archive gives
parts of a few members each.
"""

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO

from model_code.adapters import storage
from model_code.adapters.storage import FileInfo
from model_code.data.sources.base import (
    PART_EXAMPLES,
    SourceImage,
    too_large,
    unreadable,
)
from model_code.errors import DataError


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside an archive: its name, and where its bytes lie."""

    name: str
    offset: int
    size: int

    @property
    def is_archive(self) -> bool:
        """Whether the member is a tar archive itself, by its name."""
        return self.name.endswith(".tar")


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """A member of an archive, and what is known about it."""

    member: Member
    name: str
    labels: tuple[str, ...]
    stamp: str
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class MemberPart:
    """Some members of one flat archive, read each by its offset."""

    uri: str
    entries: tuple[MemberEntry, ...]

    def read(self) -> Iterator[SourceImage]:
        """The members in order."""
        for entry in self.entries:
            member = entry.member
            problem = too_large(member.size)
            load = partial(storage.read_bytes, self.uri, member.offset, member.size)
            yield SourceImage(
                name=entry.name,
                load=partial(unreadable, problem) if problem else load,
                labels=entry.labels,
                stamp=entry.stamp,
                held_out=entry.held_out,
            )


@dataclass(frozen=True, slots=True)
class ArchivePart:
    """A whole archive, alone or inside another; all its members have one label."""

    uri: str
    archive: Member
    stamp: str

    def read(self) -> Iterator[SourceImage]:
        """The members in the order of the archive."""
        label = stem(self.archive.name)
        for name, load in stream_members(self.uri, self.archive):
            yield SourceImage(
                name=f"{label}/{name}", load=load, labels=(label,), stamp=self.stamp
            )


def stream_members(
    uri: str, archive: Member
) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Names and loaders; damage at the end of the archive is a loader that fails."""
    with storage.open_reader(uri) as stream:
        try:
            for member in _members_of(stream, archive):
                yield member.name, _load_now(stream, member)
        except tarfile.TarError as error:
            yield "the rest of the archive", partial(unreadable, str(error))


def _members_of(stream: BinaryIO, archive: Member) -> Iterator[Member]:
    stream.seek(archive.offset)
    end = archive.offset + archive.size
    for member in _members(stream):
        if member.offset >= end:
            return
        yield member


def _load_now(stream: BinaryIO, member: Member) -> Callable[[], bytes]:
    problem = too_large(member.size)
    if not problem:
        stream.seek(member.offset)
        data = stream.read(member.size)
        if len(data) == member.size:
            return partial(bytes, data)
        problem = "the archive ends inside it"
    return partial(unreadable, problem)


def list_archives(path: str) -> tuple[str, list[FileInfo]]:
    """The directory of one or several archives, and each of them, by name.

    Raises:
        DataError: there is none.
    """
    uri = storage.absolute(path)
    info = storage.stat(uri)
    if info is not None:
        return storage.parent(uri), [info]
    try:
        found = [info for info in storage.walk(uri) if info.name.endswith(".tar")]
    except OSError as error:
        raise _no_archives(path, error.strerror or str(error)) from error
    if not found:
        raise _no_archives(path, "it holds no .tar file")
    return uri, found


def scan(uri: str) -> list[Member]:
    """Every file of an archive, from its headers.

    Raises:
        DataError: it is not an uncompressed, complete tar archive.
    """
    try:
        with storage.open_reader(uri) as stream:
            return list(_members(stream))
    except (tarfile.TarError, OSError) as error:
        raise DataError(
            f"Archive {uri} cannot be read ({error}); expected an uncompressed, "
            "complete tar file. Unpack it once if it is compressed, or fetch it "
            "again."
        ) from error


def member_parts(uri: str, entries: list[MemberEntry]) -> list[MemberPart]:
    """Cut the members of an archive into parts."""
    starts = range(0, len(entries), PART_EXAMPLES)
    return [MemberPart(uri, tuple(entries[s : s + PART_EXAMPLES])) for s in starts]


def stem(name: str) -> str:
    """`n01440764` of `train/n01440764.tar`."""
    return PurePosixPath(name).name.partition(".")[0]


def _members(stream: BinaryIO) -> Iterator[Member]:
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        for info in archive:
            if info.isfile():
                yield Member(info.name, info.offset_data, info.size)


def _no_archives(path: str, problem: str) -> DataError:
    return DataError(
        f"Archives cannot be read from {path} ({problem}); expected a .tar file or "
        "a directory of them. Check `source.path`."
    )
