"""TFRecord files that are there already: any layout of `tf.train.Example`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from model_code.adapters import storage
from model_code.adapters.storage import FileInfo
from model_code.config.dataset import TfrecordSource
from model_code.data import records
from model_code.data.sources.base import (
    Listing,
    SourceImage,
    read_class_names,
    state_digest,
    unreadable,
)
from model_code.errors import DataError


@dataclass(frozen=True, slots=True)
class RecordLayout:
    """Which features of a record hold what.

    Attributes:
        image: feature with the encoded image.
        label: feature with class ids, or with class names.
        first_label: id of the first class.
        class_names: the label space.
    """

    image: str
    label: str
    first_label: int
    class_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordPart:
    """One TFRecord file, read as a stream."""

    uri: str
    name: str
    stamp: str
    layout: RecordLayout
    held_out: bool

    def read(self) -> Iterator[SourceImage]:
        """The records in order; damage at the end is an image that fails."""
        with storage.open_reader(self.uri) as stream:
            frames = enumerate(records.read_frames(stream, self.uri))
            try:
                for index, record in frames:
                    yield self._example(index, records.decode_features(record))
            except DataError as error:
                yield SourceImage(
                    f"{self.name}#rest", partial(unreadable, str(error)), ()
                )

    def _example(self, index: int, features: Mapping[str, list[Any]]) -> SourceImage:
        image = features.get(self.layout.image, [])
        problem = f"the record has no feature {self.layout.image!r}"
        load = partial(bytes, image[0]) if image else partial(unreadable, problem)
        return SourceImage(
            name=f"{self.name}#{index:08d}",
            load=load,
            labels=tuple(map(self._class_name, features.get(self.layout.label, []))),
            stamp=self.stamp,
            held_out=self.held_out,
        )

    def _class_name(self, value: Any) -> str:
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        position = int(value) - self.layout.first_label
        known = 0 <= position < len(self.layout.class_names)
        # A number that is no class is refused later, as an unknown label.
        return self.layout.class_names[position] if known else str(value)


def list_tfrecord(config: TfrecordSource) -> Listing:
    """Every file below the path, and below that of the test set.

    Raises:
        DataError: there is none, or the class names cannot be read.
    """
    layout = RecordLayout(
        image=config.image_feature,
        label=config.label_feature,
        first_label=config.first_label,
        class_names=read_class_names(config.class_names),
    )
    parts = record_parts(config.path, layout, held_out=False)
    if config.test_path is not None:
        parts += record_parts(config.test_path, layout, held_out=True)
    return Listing(
        class_names=layout.class_names,
        parts=parts,
        state=state_digest((part.name, part.stamp) for part in parts),
        multi_label=config.multi_label,
        has_test=config.test_path is not None,
    )


def record_parts(
    path: str, layout: RecordLayout, *, held_out: bool
) -> list[RecordPart]:
    """A part for each file below a directory, or for the one file.

    Raises:
        DataError: there is none.
    """
    root, infos = _files(path)
    prefix = "test/" if held_out else ""
    return [
        RecordPart(
            uri=storage.join(root, info.name),
            name=prefix + info.name,
            stamp=info.stamp,
            layout=layout,
            held_out=held_out,
        )
        for info in infos
    ]


def _files(path: str) -> tuple[str, list[FileInfo]]:
    uri = storage.absolute(path)
    info = storage.stat(uri)
    if info is not None:
        return storage.parent(uri), [info]
    try:
        found = [info for info in storage.walk(uri) if not info.problem]
    except OSError as error:
        raise _no_files(path, error.strerror or str(error)) from error
    if not found:
        raise _no_files(path, "it holds no files")
    return uri, found


def _no_files(path: str, problem: str) -> DataError:
    return DataError(
        f"TFRecord files cannot be read from {path} ({problem}); expected a file or "
        "a directory of nothing else. Check `source.path`."
    )
