"""ImageNet as it is handed out: tar files, and tar files of tar files."""

from collections.abc import Sequence

from model_code.adapters import storage
from model_code.adapters.storage import FileInfo
from model_code.config.dataset import GroundTruthTar, TarSource
from model_code.data.sources import archives
from model_code.data.sources.archives import (
    ArchivePart,
    Member,
    MemberEntry,
    member_parts,
)
from model_code.data.sources.base import (
    Listing,
    Part,
    read_class_names,
    state_digest,
)
from model_code.errors import DataError


def list_tar(config: TarSource) -> Listing:
    """Every member of the archives, and of the published test set.

    Raises:
        DataError: an archive is missing, damaged or compressed, or the ground
            truth does not fit the test set.
    """
    root, infos = archives.list_archives(config.path)
    parts: list[Part] = []
    found: set[str] = set()
    for info in infos:
        part_list, labels = _list_archive(root, info, config, alone=len(infos) == 1)
        parts += part_list
        found |= labels
    names = read_class_names(config.class_names or tuple(sorted(found)))
    facts: list[object] = [(info.name, info.stamp) for info in infos]
    if config.test is not None:
        test_parts, test_facts = _list_test(config.test, names)
        parts += test_parts
        facts += test_facts
    return Listing(
        class_names=names,
        parts=parts,
        state=state_digest(facts),
        has_test=config.test is not None,
    )


def _list_archive(
    root: str, info: FileInfo, config: TarSource, *, alone: bool
) -> tuple[Sequence[Part], set[str]]:
    """Parts of one archive, and the labels that it brings."""
    uri = storage.join(root, info.name)
    if config.label == "archive" and not alone:
        # Thousands of archives, each a class: their headers are read by workers.
        whole = Member(info.name, 0, info.size)
        return [ArchivePart(uri, whole, info.stamp)], {archives.stem(info.name)}
    members = archives.scan(uri)
    inner = [member for member in members if member.is_archive]
    if inner:
        parts = [ArchivePart(uri, member, info.stamp) for member in inner]
        return parts, {archives.stem(member.name) for member in inner}
    entries = [_entry(member, info, config) for member in members]
    return member_parts(uri, entries), {entry.labels[0] for entry in entries}


def _entry(member: Member, info: FileInfo, config: TarSource) -> MemberEntry:
    label = archives.stem(info.name)
    if config.label == "directory":
        label = member.name.removeprefix("./").partition("/")[0]
    name = f"{archives.stem(info.name)}/{member.name}"
    return MemberEntry(member, name, (label,), _stamp(info, member))


def _list_test(
    config: GroundTruthTar, names: Sequence[str]
) -> tuple[Sequence[Part], list[object]]:
    root, [info] = archives.list_archives(config.path)
    uri = storage.join(root, info.name)
    members = sorted(archives.scan(uri), key=lambda member: member.name)
    labels = _ground_truth(config.ground_truth, names)
    if len(labels) != len(members):
        raise DataError(
            f"Ground truth {config.ground_truth} has {len(labels)} lines and {uri} "
            f"{len(members)} images; expected one line an image. Check `source.test`."
        )
    entries = [
        MemberEntry(
            member,
            f"test/{member.name}",
            (label,),
            _stamp(info, member),
            held_out=True,
        )
        for member, label in zip(members, labels, strict=True)
    ]
    return member_parts(uri, entries), [info.stamp, labels]


def _ground_truth(uri: str, names: Sequence[str]) -> list[str]:
    lines = read_class_names(uri)
    if not all(line.isdecimal() for line in lines):
        return list(lines)
    # ILSVRC counts its classes from 1.
    positions = [int(line) - 1 for line in lines]
    if not all(0 <= position < len(names) for position in positions):
        raise DataError(
            f"Ground truth {uri} has class ids outside of 1 to {len(names)}; expected "
            "positions in `source.class_names`. Give the label space it was made for."
        )
    return [names[position] for position in positions]


def _stamp(info: FileInfo, member: Member) -> str:
    return f"{info.stamp}-{member.offset}"
