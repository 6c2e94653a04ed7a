import io
import json
import tarfile
from pathlib import Path

import pytest

from model_code.config.dataset import (
    GroundTruthTar,
    SplitConfig,
    TarSource,
    WebDatasetSource,
)
from model_code.data.ingest import ingest
from model_code.data.sources.tar import list_tar
from model_code.data.sources.webdataset import list_webdataset
from model_code.errors import DataError
from tests.helpers.corpora import file_bytes, folder_config, picture
from tests.helpers.datasets_read import read_examples


def _tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def _read(listing) -> dict[str, tuple[bytes, tuple[str, ...], bool]]:
    return {
        image.name: (image.load(), image.labels, image.held_out)
        for part in listing.parts
        for image in part.read()
    }


@pytest.fixture
def ilsvrc(tmp_path) -> Path:
    """The layout of ILSVRC2012: an archive of archives, a flat one, and ids."""
    inner = {}
    for synset, images in {"n02": ["a", "b"], "n01": ["c"]}.items():
        files = {f"{synset}_{name}.JPEG": name.encode() for name in images}
        file = _tar(tmp_path / f"{synset}.tar", files)
        inner[f"{synset}.tar"] = file.read_bytes()
        file.unlink()
    _tar(tmp_path / "train.tar", inner)
    _tar(tmp_path / "val.tar", {"val_2.JPEG": b"two", "val_1.JPEG": b"one"})
    (tmp_path / "truth.txt").write_text("2\n1\n")
    return tmp_path


def test_an_archive_of_archives_with_its_test_set(ilsvrc):
    test = GroundTruthTar(
        path=str(ilsvrc / "val.tar"), ground_truth=str(ilsvrc / "truth.txt")
    )
    source = TarSource(kind="tar", path=str(ilsvrc / "train.tar"), test=test)
    listing = list_tar(source)
    assert listing.class_names == ("n01", "n02")
    assert listing.has_test
    assert _read(listing) == {
        "n02/n02_a.JPEG": (b"a", ("n02",), False),
        "n02/n02_b.JPEG": (b"b", ("n02",), False),
        "n01/n01_c.JPEG": (b"c", ("n01",), False),
        "test/val_1.JPEG": (b"one", ("n02",), True),
        "test/val_2.JPEG": (b"two", ("n01",), True),
    }


def test_ground_truth_may_hold_names(ilsvrc):
    (ilsvrc / "truth.txt").write_text("n01\nn02\n")
    test = GroundTruthTar(
        path=str(ilsvrc / "val.tar"), ground_truth=str(ilsvrc / "truth.txt")
    )
    source = TarSource(kind="tar", path=str(ilsvrc / "train.tar"), test=test)
    assert _read(list_tar(source))["test/val_1.JPEG"][1] == ("n01",)


@pytest.mark.parametrize(
    ("truth", "message"),
    [("1\n", "has 1 lines and .* 2 images"), ("1\n3\n", "class ids outside of 1 to 2")],
)
def test_ground_truth_that_does_not_fit_is_named(ilsvrc, truth, message):
    (ilsvrc / "truth.txt").write_text(truth)
    test = GroundTruthTar(
        path=str(ilsvrc / "val.tar"), ground_truth=str(ilsvrc / "truth.txt")
    )
    source = TarSource(kind="tar", path=str(ilsvrc / "train.tar"), test=test)
    with pytest.raises(DataError, match=message):
        list_tar(source)


def test_a_directory_of_archives_is_one_class_each(tmp_path):
    (tmp_path / "winter21").mkdir()
    _tar(tmp_path / "winter21" / "n2.tar", {"x.JPEG": b"x"})
    _tar(tmp_path / "winter21" / "n1.tar", {"y.JPEG": b"y"})
    listing = list_tar(TarSource(kind="tar", path=str(tmp_path / "winter21")))
    assert listing.class_names == ("n1", "n2")
    assert len(listing.parts) == 2
    assert {name: labels for name, (_, labels, _) in _read(listing).items()} == {
        "n1/y.JPEG": ("n1",),
        "n2/x.JPEG": ("n2",),
    }


def test_a_flat_archive_may_be_labelled_by_directories(tmp_path):
    files = {f"./{kind}/{i}.jpg": b"x" for kind in ("b", "a") for i in range(40)}
    file = _tar(tmp_path / "flat.tar", files)
    listing = list_tar(TarSource(kind="tar", path=str(file), label="directory"))
    assert listing.class_names == ("a", "b")
    assert len(listing.parts) == 2  # a few members each
    assert len(_read(listing)) == 80


def test_an_archive_that_ends_early_gives_what_it_has_and_a_dead_letter(ilsvrc):
    (ilsvrc / "several").mkdir()
    whole = _tar(ilsvrc / "several" / "one.tar", {"a": b"a", "b": b"b" * 5000})
    whole.write_bytes(whole.read_bytes()[:3000])
    _tar(ilsvrc / "several" / "two.tar", {"c": b"c"})
    listing = list_tar(TarSource(kind="tar", path=str(ilsvrc / "several")))
    images = [image for part in listing.parts for image in part.read()]
    names = [image.name for image in images]
    assert names[0] == "one/a"
    assert names[-1] == "two/c"
    for image in images[1:-1]:
        with pytest.raises(OSError, match=r"ends inside|unexpected end"):
            image.load()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b"not a tar archive" * 100), "cannot be read"),
        (lambda path: _tar(path, {"a": b"x"}, "w:gz"), "uncompressed"),
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "holds no .tar file"),
    ],
)
def test_what_is_no_archive_is_named(tmp_path, make, message):
    make(tmp_path / "x.tar")
    with pytest.raises(DataError, match=message):
        list_tar(TarSource(kind="tar", path=str(tmp_path / "x.tar")))


WDS = {
    "0/0001.jpg": b"one",
    "0/0001.cls": b"1",
    "0/0001.seg.png": b"mask",
    "0002.png": b"two",
    "0002.cls": b"cat\n",
    "0003.jpg": b"three",
    "readme.txt": b"no image",
}


def test_webdataset_files_belong_together_by_name(tmp_path):
    _tar(tmp_path / "shard-000.tar", WDS)
    test = _tar(tmp_path / "eval.tar", {"x.jpg": b"x", "x.cls": b"0"})
    (tmp_path / "train").mkdir()
    (tmp_path / "shard-000.tar").rename(tmp_path / "train" / "shard-000.tar")
    source = WebDatasetSource(
        kind="webdataset",
        path=str(tmp_path / "train"),
        class_names=("cat", "dog"),
        test_path=str(test),
    )
    assert _read(list_webdataset(source)) == {
        "shard-000/0/0001": (b"one", ("dog",), False),
        "shard-000/0002": (b"two", ("cat",), False),
        "shard-000/0003": (b"three", (), False),
        "test/eval/x": (b"x", ("cat",), True),
    }


def test_webdataset_labels_may_be_json_and_names_in_a_file(tmp_path):
    files = {
        "a.jpg": b"a",
        "a.json": json.dumps({"label": 1}).encode(),
        "b.jpg": b"b",
        "b.json": b"{",
    }
    shard = _tar(tmp_path / "s.tar", files)
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    source = WebDatasetSource(
        kind="webdataset",
        path=str(shard),
        class_names=str(tmp_path / "names.txt"),
        label_key="json",
    )
    listing = list_webdataset(source)
    assert listing.class_names == ("cat", "dog")
    assert {n: labels for n, (_, labels, _) in _read(listing).items()} == {
        "s/a": ("dog",),
        "s/b": (),
    }


def test_class_names_that_cannot_be_read_are_named(tmp_path):
    source = WebDatasetSource(
        kind="webdataset", path=str(tmp_path), class_names=str(tmp_path / "nowhere")
    )
    with pytest.raises(DataError, match="Class names cannot be read"):
        list_webdataset(source)


def test_an_archive_is_ingested_with_its_own_test_split(tmp_path):
    seeds = iter(range(100))

    def images(count: int) -> dict[str, bytes]:
        return {f"{i}.JPEG": file_bytes(picture(next(seeds))) for i in range(count)}

    inner = {}
    for name in ("n1", "n2"):
        file = _tar(tmp_path / f"{name}.tar", images(8))
        inner[file.name] = file.read_bytes()
    train = _tar(tmp_path / "train.tar", inner)
    test = _tar(tmp_path / "val.tar", images(5))
    (tmp_path / "truth").write_text("1\n2\n1\n2\n1\n")
    source = TarSource(
        kind="tar",
        path=str(train),
        test=GroundTruthTar(path=str(test), ground_truth=str(tmp_path / "truth")),
    )
    splits = SplitConfig(test=0.0, validation=0.25, minimum_per_class=0)
    config = folder_config(tmp_path, source=source, splits=splits)
    dataset = ingest(config, str(tmp_path / "out"))
    found = read_examples(dataset)
    assert {e.filename for e in found["test"]} == {f"test/{i}.JPEG" for i in range(5)}
    assert dataset.splits["test"].class_counts == (3, 2)
    assert len(found["train"]) + len(found["validation"]) == 16
