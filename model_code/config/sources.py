"""Where images come from: one class for each kind of source."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from model_code.config.base import STRICT, Count, Flag, Fraction, Index, Pixels

ClassNames = tuple[str, ...] | str
"""The label space in order: a list, or the path of a text file, one name a line."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ElpvSource:
    """Electroluminescence images of solar cells, from PyPI `elpv-dataset`.

    A cell counts as defective when its probability exceeds the threshold.
    """

    kind: Literal["elpv"]
    defect_threshold: Fraction = 0.5


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FolderSource:
    """One directory per class below `path`, or a manifest of paths and labels.

    `path` is local or `gs://`. `manifest` is a `.csv` or `.jsonl` file, named
    relative to `path` or in full, with the fields `path` (relative to `path`)
    and `label`; further fields become slice features, or meta features where
    all values are numbers. `class_names` fixes the label space and its order;
    without it the labels found are sorted. With `multi_label`, `label` is a
    list in JSONL and `|`-separated in CSV, and may be empty.
    """

    kind: Literal["folder"]
    path: str
    manifest: str | None = None
    class_names: tuple[str, ...] | None = None
    multi_label: Flag = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.multi_label and self.manifest is None:
            raise ValueError(
                "multi_label needs a manifest: a class directory gives one label"
            )
        return self


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FractalSource:
    """Formula-driven images: iterated function systems (Kataoka et al. 2020).

    Stands in for ImageNet-21k where there is no network; it is not a
    replacement for real images.
    """

    kind: Literal["fractal"]
    classes: Count
    images_per_class: Count
    image_size: Pixels = 96
    seed: Index


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GroundTruthTar:
    """A flat archive whose labels are in a file: one line an image.

    Lines are in the order of the members' names, and hold a class name or its
    position in the label space from 1 (`ILSVRC2012_validation_ground_truth.txt`).
    """

    path: str
    ground_truth: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TarSource:
    """Uncompressed tar archives, as ImageNet comes.

    `path` is an archive, an archive of archives (`ILSVRC2012_img_train.tar`) or
    a directory of archives (`winter21_whole`). The label is the name of the
    innermost archive, or the first directory of the member. `test` is a
    published test set, which then is the dataset's (`ILSVRC2012_img_val.tar`).
    """

    kind: Literal["tar"]
    path: str
    label: Literal["archive", "directory"] = "archive"
    class_names: ClassNames | None = None
    test: GroundTruthTar | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class WebDatasetSource:
    """Tar shards in which files of one example share their name up to a dot.

    `label_key` names the extension that holds the label: `cls` a class id or
    name as text, `json` an object with the field `label`.
    """

    kind: Literal["webdataset"]
    path: str
    class_names: ClassNames
    label_key: Literal["cls", "json"] = "cls"
    test_path: str | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TfrecordSource:
    """TFRecord files of `tf.train.Example` below a directory.

    `first_label` is the id of the first class: 1 in files that keep 0 for a
    background class. Several labels in a record make the dataset multi-label.
    """

    kind: Literal["tfrecord"]
    path: str
    class_names: ClassNames
    image_feature: str = "image/encoded"
    label_feature: str = "image/class/label"
    first_label: Index = 0
    multi_label: Flag = False
    test_path: str | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TfdsSource:
    """A dataset of TensorFlow Datasets, by name: `cifar10`, `oxford_flowers102`.

    Read from `data_dir` where it is prepared there, which needs no network and
    not the library; else the library prepares it. `test_split` becomes the test
    split of the dataset, all others are split by hash.
    """

    kind: Literal["tfds"]
    name: str
    data_dir: str
    image_feature: str = "image"
    label_feature: str = "label"
    test_split: str | None = "test"


Source = Annotated[
    ElpvSource
    | FolderSource
    | FractalSource
    | TarSource
    | WebDatasetSource
    | TfrecordSource
    | TfdsSource,
    Field(discriminator="kind"),
]
