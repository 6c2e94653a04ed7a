"""The whole ingest through its public door, on tiny folders."""

import errno
import io
import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from model_code.config.beam import BeamOptions
from model_code.config.dataset import FolderSource, SplitConfig
from model_code.data import manifest
from model_code.data.ingest import ingest
from model_code.data.ingestion import dead_letters, shards
from model_code.errors import DataError
from tests.helpers.corpora import class_folder, file_bytes, folder_config, picture
from tests.helpers.datasets_read import read_examples


def _tree(location: str) -> dict[str, bytes]:
    root = Path(location)
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    return class_folder(tmp_path_factory.mktemp("corpus"), {"cat": 30, "dog": 20})


@pytest.fixture(scope="module")
def built(corpus, tmp_path_factory):
    return ingest(folder_config(corpus), str(tmp_path_factory.mktemp("data")))


def test_every_image_is_there_once_with_its_bytes_and_label(corpus, built):
    found = {e.filename: e for split in read_examples(built).values() for e in split}
    assert sum(len(split) for split in read_examples(built).values()) == 50
    assert len(found) == 50
    for name, example in found.items():
        assert example.encoded == (corpus / name).read_bytes()
        assert example.texts == (name.split("/")[0],)
        assert example.labels == (built.class_names.index(example.texts[0]),)
        assert (example.height, example.width) == (10, 12)


def test_the_manifest_counts_what_is_there(built):
    assert built.class_names == ("cat", "dog")
    assert list(built.splits) == ["train", "validation", "test"]
    for name, examples in read_examples(built).items():
        split = built.splits[name]
        assert split.examples == len(examples) > 0
        assert sum(shard.examples for shard in split.shards) == len(examples)
        labels = [example.labels[0] for example in examples]
        assert split.class_counts == (labels.count(0), labels.count(1))
    assert (built.height.minimum, built.width.mean) == (10, 12)
    assert manifest.read(built.location) == built


def test_a_second_run_reuses_the_dataset(corpus, built):
    again = ingest(folder_config(corpus), str(Path(built.location).parents[1]))
    assert again == replace(built, reused=True)


def test_only_the_dataset_and_a_lock_are_left(built):
    home = Path(built.location).parent
    assert {path.name for path in home.iterdir()} == {built.key, ".lock"}


def test_tensorflow_datasets_opens_the_directory(built):
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(built.location)
    assert builder.info.splits["train"].num_examples == built.splits["train"].examples
    expected = {e.filename: e for e in read_examples(built)["train"]}
    for row in tfds.as_numpy(builder.as_dataset("train")):
        image = row["image"]
        example = expected.pop(image["filename"].decode())
        pixels = Image.open(io.BytesIO(example.encoded))
        assert image["encoded"].shape == (pixels.height, pixels.width, 3)
        assert image["class"]["label"] == example.labels[0]
        assert image["class"]["text"].decode() == example.texts[0]
    assert not expected
    feature = builder.info.features["image"]["class"]["label"]
    assert feature.names == ["cat", "dog"]


@pytest.mark.parametrize(
    "options",
    [BeamOptions(threads=1), BeamOptions(threads=7), BeamOptions(workers=2)],
    ids=["1 thread", "7 threads", "2 processes"],
)
def test_the_files_are_the_same_whatever_the_workers(corpus, built, tmp_path, options):
    other = ingest(folder_config(corpus), str(tmp_path), options)
    assert _tree(other.location) == _tree(built.location)


def test_shards_have_about_the_size_asked_for(tmp_path):
    root = tmp_path / "in" / "noise"
    root.mkdir(parents=True)
    for seed in range(12):
        image = picture(seed, (300, 300))
        (root / f"{seed}.png").write_bytes(file_bytes(image, "PNG"))
    config = folder_config(
        tmp_path / "in",
        splits=SplitConfig(test=0.0, validation=0.0),
        shard_megabytes=1,
    )
    [split] = ingest(config, str(tmp_path / "out")).splits.values()
    assert [shard.examples for shard in split.shards] == [4, 4, 4]
    assert split.shards[0].file.endswith("-00000-of-00003")


def test_adding_images_moves_none_and_changes_the_fingerprint(tmp_path, corpus, built):
    root = class_folder(tmp_path / "in", {"cat": 30, "dog": 20})
    class_folder(root, {"cat": 5, "dog": 5}, first_seed=1000)
    grown = ingest(folder_config(root), str(tmp_path / "out"))
    before = {e.filename: n for n, split in read_examples(built).items() for e in split}
    after = {e.filename: n for n, split in read_examples(grown).items() for e in split}
    assert len(after) == 60
    assert before.items() <= after.items()
    assert grown.fingerprint != built.fingerprint


def test_the_fingerprint_does_not_depend_on_places(tmp_path, built):
    root = class_folder(tmp_path / "elsewhere", {"cat": 30, "dog": 20})
    moved = ingest(folder_config(root, shard_megabytes=7), str(tmp_path / "out"))
    assert moved.fingerprint == built.fingerprint


def test_equal_images_share_a_split_and_are_counted(tmp_path):
    root = class_folder(tmp_path / "in", {"cat": 8, "dog": 8})
    for path in sorted((root / "cat").iterdir()):
        (root / "cat" / f"again-{path.name}").write_bytes(path.read_bytes())
    (root / "dog" / "cat.jpg").write_bytes((root / "cat" / "0000.jpg").read_bytes())
    dataset = ingest(folder_config(root), str(tmp_path / "out"))
    assert (dataset.duplicates, dataset.conflicting_duplicates) == (9, 1)
    splits = read_examples(dataset)
    seen = [{example.sha256 for example in split} for split in splits.values()]
    assert sum(len(digests) for digests in seen) == len(set().union(*seen)) == 16


def test_bad_images_become_dead_letters_with_reason_and_path(tmp_path):
    root = class_folder(tmp_path / "in", {"cat": 10, "dog": 10})
    whole = file_bytes(picture(99, (64, 64)))
    (root / "cat" / "cut.jpg").write_bytes(whole[:1000])
    (root / "cat" / "empty.jpg").write_bytes(b"")
    (root / "dog" / "note.jpg").write_bytes(b"not an image")
    (root / "dog" / "gone.jpg").symlink_to(root / "nowhere")
    (root / "stray.png").write_bytes(whole)
    (root / "README").write_text("no image, and not named like one")
    config = folder_config(root, maximum_dead_letters=0.2)
    dataset = ingest(config, str(tmp_path / "out"))
    assert dataset.examples == 20
    assert dataset.dead_letters == {
        "unreadable": 2,
        "empty": 1,
        "not_an_image": 1,
        "truncated": 1,
    }
    letters = dead_letters.read(dataset)
    assert {letter.filename: letter.reason for letter in letters} == {
        "cat/cut.jpg": "truncated",
        "cat/empty.jpg": "empty",
        "dog/gone.jpg": "unreadable",
        "dog/note.jpg": "not_an_image",
        "stray.png": "unreadable",
    }
    assert "class directory" in letters[-1].detail


def test_too_many_bad_images_stop_the_run_and_leave_nothing(tmp_path):
    root = class_folder(tmp_path / "in", {"cat": 5})
    (root / "cat" / "zero.jpg").write_bytes(b"")
    with pytest.raises(
        DataError, match=r"1 of 6 images failed .*1 empty, such as 'cat/zero.jpg'"
    ):
        ingest(folder_config(root), str(tmp_path / "out"))
    assert [p.name for p in (tmp_path / "out" / "corpus").iterdir()] == [".lock"]


def test_a_lower_tolerance_refuses_a_dataset_that_is_there(tmp_path):
    root = class_folder(tmp_path / "in", {"cat": 5})
    (root / "cat" / "zero.jpg").write_bytes(b"")
    tolerant = folder_config(root, maximum_dead_letters=0.5)
    ingest(tolerant, str(tmp_path / "out"))
    with pytest.raises(DataError, match="1 of 6 images failed"):
        ingest(folder_config(root), str(tmp_path / "out"))
    assert ingest(tolerant, str(tmp_path / "out")).reused


def test_a_class_with_too_few_images_is_named(tmp_path):
    root = class_folder(tmp_path / "in", {"cat": 20})
    (root / "empty").mkdir()
    config = folder_config(root, splits=SplitConfig(test=0.5, minimum_per_class=1))
    with pytest.raises(DataError, match=r"too few images of 1 of 2 classes: empty"):
        ingest(config, str(tmp_path / "out"))
    assert [p.name for p in (tmp_path / "out" / "corpus").iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("path", "message"),
    [("nowhere", "cannot be listed"), ("file", "cannot be listed"), ("bare", "no im")],
)
def test_a_folder_that_cannot_be_used_is_named(tmp_path, path, message):
    (tmp_path / "file").write_text("x")
    (tmp_path / "bare").mkdir()
    with pytest.raises(DataError, match=message) as raised:
        ingest(folder_config(tmp_path / path), str(tmp_path / "out"))
    assert str(tmp_path / path) in str(raised.value)


def test_a_full_disk_is_one_paragraph_and_leaves_nothing(tmp_path, corpus, monkeypatch):
    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shards.index, "write", no_space)
    with pytest.raises(DataError, match="No space left on device; nothing was left"):
        ingest(folder_config(corpus), str(tmp_path))
    assert [p.name for p in (tmp_path / "corpus").iterdir()] == [".lock"]


def test_what_a_killed_run_left_is_removed(tmp_path, corpus):
    left = tmp_path / "corpus" / ".0123456789abcdef.partial" / "spill"
    left.mkdir(parents=True)
    (left / "00000000").write_bytes(b"half")
    dataset = ingest(folder_config(corpus), str(tmp_path))
    names = {path.name for path in (tmp_path / "corpus").iterdir()}
    assert names == {dataset.key, ".lock"}


def test_a_damaged_dataset_is_built_again(tmp_path, corpus):
    dataset = ingest(folder_config(corpus), str(tmp_path))
    before = _tree(dataset.location)
    [shard] = dataset.shard_uris("train")
    os.truncate(shard, 100)
    again = ingest(folder_config(corpus), str(tmp_path))
    assert not again.reused
    assert _tree(again.location) == before


def test_a_relabelled_or_changed_image_is_seen(tmp_path):
    root = class_folder(tmp_path / "in", {"cat": 6, "dog": 6})
    first = ingest(folder_config(root), str(tmp_path / "out"))
    (root / "cat" / "0000.jpg").rename(root / "dog" / "moved.jpg")
    second = ingest(folder_config(root), str(tmp_path / "out"))
    (root / "cat" / "0001.jpg").write_bytes(file_bytes(picture(12345)))
    third = ingest(folder_config(root), str(tmp_path / "out"))
    assert len({d.fingerprint for d in (first, second, third)}) == 3
    assert not any(d.reused for d in (first, second, third))


def test_labels_outside_a_fixed_label_space_are_refused(tmp_path):
    root = class_folder(tmp_path / "in", {"cat": 5, "dog": 5, "cow": 1})
    source = FolderSource(kind="folder", path=str(root), class_names=("dog", "cat"))
    config = folder_config(root, source=source, maximum_dead_letters=0.1)
    dataset = ingest(config, str(tmp_path / "out"))
    assert dataset.class_names == ("dog", "cat")
    assert dataset.dead_letters == {"unknown_label": 1}
