"""Tar shards whose files belong together by name: `0001.jpg` and `0001.cls`."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from model_code.adapters import storage
from model_code.config.dataset import WebDatasetSource
from model_code.data.sources import archives
from model_code.data.sources.archives import Member
from model_code.data.sources.base import (
    Listing,
    SourceImage,
    read_class_names,
    state_digest,
)

_IMAGES = ("jpg", "jpeg", "png", "webp", "ppm", "gif", "bmp", "tiff")
_Load = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class WebDatasetPart:
    """One tar shard, read as a stream."""

    uri: str
    size: int
    name: str
    stamp: str
    class_names: tuple[str, ...]
    label_key: str
    held_out: bool

    def read(self) -> Iterator[SourceImage]:
        """The examples in the order of the shard; those without image are left."""
        whole = Member(self.name, 0, self.size)
        members = archives.stream_members(self.uri, whole)
        for key, group in groupby(members, key=lambda member: _key(member[0])):
            files = {name[len(key) + 1 :]: load for name, load in group}
            image = next((name for name in _IMAGES if name in files), None)
            if image is not None:
                yield self._example(key, files[image], files)

    def _example(
        self, key: str, load: _Load, files: Mapping[str, _Load]
    ) -> SourceImage:
        label = files.get(self.label_key)
        return SourceImage(
            name=f"{self.name}/{key}",
            load=load,
            # Without a label the image becomes a dead letter.
            labels=() if label is None else self._labels(label),
            stamp=self.stamp,
            held_out=self.held_out,
        )

    def _labels(self, load: _Load) -> tuple[str, ...]:
        try:
            content = load().decode()
            value = (
                json.loads(content)["label"] if self.label_key == "json" else content
            )
        except (OSError, ValueError, LookupError, TypeError):
            return ()
        return (_class_name(value, self.class_names),)


def list_webdataset(config: WebDatasetSource) -> Listing:
    """Every tar shard below the path, and of the test set.

    Raises:
        DataError: there is none, or the class names cannot be read.
    """
    names = read_class_names(config.class_names)
    paths = [(config.path, False)]
    if config.test_path is not None:
        paths.append((config.test_path, True))
    parts = []
    for path, held_out in paths:
        root, infos = archives.list_archives(path)
        for info in infos:
            uri = storage.join(root, info.name)
            prefix = "test/" if held_out else ""
            parts.append(
                WebDatasetPart(
                    uri=uri,
                    size=info.size,
                    name=prefix + info.name.removesuffix(".tar"),
                    stamp=info.stamp,
                    class_names=names,
                    label_key=config.label_key,
                    held_out=held_out,
                )
            )
    return Listing(
        class_names=names,
        parts=parts,
        state=state_digest((part.name, part.stamp) for part in parts),
        has_test=config.test_path is not None,
    )


def _key(name: str) -> str:
    """`train/0001` of `train/0001.seg.png`: up to the first dot of the file name."""
    directory, separator, file = name.rpartition("/")
    return directory + separator + file.partition(".")[0]


def _class_name(value: Any, class_names: tuple[str, ...]) -> str:
    """A class id becomes its name; a name stays, and is checked later."""
    text = str(value).strip()
    if text not in class_names and text.isdecimal() and int(text) < len(class_names):
        return class_names[int(text)]
    return text
