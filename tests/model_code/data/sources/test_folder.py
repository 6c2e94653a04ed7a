import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from model_code.config.dataset import FolderSource
from model_code.data.sources.base import SourceImage
from model_code.data.sources.folder import list_folder
from model_code.errors import DataError
from tests.helpers.gcs_server import gcs_server


def _images(listing) -> dict[str, SourceImage]:
    return {image.name: image for part in listing.parts for image in part.read()}


def _write(root: Path, files: Mapping[str, bytes | str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(data)
    return root


def _list(root: object, **settings: object):
    return list_folder(FolderSource(kind="folder", path=str(root), **settings))


def test_directories_are_classes_in_order_and_files_are_found_below(tmp_path):
    files = {"b/2.jpg": b"2", "a/x/1.png": b"1", "a/.hidden": b"", ".git/c": b""}
    listing = _list(_write(tmp_path, {**files, "notes.txt": "beside"}))
    assert listing.class_names == ("a", "b")
    assert {n: i.labels for n, i in _images(listing).items()} == {
        "a/x/1.png": ("a",),
        "b/2.jpg": ("b",),
    }
    assert _images(listing)["b/2.jpg"].load() == b"2"
    assert listing.examples == 2


def test_parts_together_hold_every_image_once(tmp_path):
    names = [f"a/{index:04d}" for index in range(150)]
    listing = _list(_write(tmp_path, dict.fromkeys(names, b"x")))
    found = [image.name for part in listing.parts for image in part.read()]
    assert found == names
    assert len(listing.parts) == 3


@pytest.mark.parametrize("change", ["content", "name", "more"])
def test_the_state_changes_with_what_is_there(tmp_path, change):
    root = _write(tmp_path, {"a/1": b"one", "a/2": b"two"})
    before = _list(root).state
    assert _list(root).state == before
    if change == "content":
        (root / "a" / "1").write_bytes(b"longer")
    elif change == "name":
        (root / "a" / "1").rename(root / "a" / "0")
    else:
        (root / "a" / "3").write_bytes(b"three")
    assert _list(root).state != before


def test_names_need_not_be_unicode_but_class_names_must(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "new\nline\U0001f600").touch()
    (tmp_path / "a" / os.fsdecode(b"caf\xe9.jpg")).touch()
    assert len(_images(_list(tmp_path))) == 2
    (tmp_path / "a").rename(tmp_path / os.fsdecode(b"caf\xe9"))
    with pytest.raises(DataError, match=r"Class name 'caf\\udce9' cannot be used"):
        _list(tmp_path)


CSV = """path,label,camera,exposure
x/2.jpg,dog,left,0.5
x/1.jpg,cat,"right, far",
"""
JSONL = [
    {"path": "x/2.jpg", "label": "dog", "camera": "left", "exposure": 0.5},
    {"path": "x/1.jpg", "label": "cat", "camera": "right, far"},
]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_manifest_gives_labels_and_features(tmp_path, kind):
    lines = "\n".join(map(json.dumps, JSONL))
    files = {"list.csv": CSV, "list.jsonl": lines, "x/1.jpg": "1", "x/2.jpg": "2"}
    listing = _list(_write(tmp_path, files), manifest=f"list.{kind}")
    assert listing.class_names == ("cat", "dog")
    assert listing.slice_features == ("camera",)
    assert listing.meta_features == ("exposure",)
    one, two = _images(listing).values()
    assert (one.name, one.labels, one.load()) == ("x/1.jpg", ("cat",), b"1")
    assert one.slices == {"camera": "right, far"}
    assert math.isnan(one.meta["exposure"])
    assert two.meta == {"exposure": 0.5}


def test_a_file_that_the_manifest_lists_and_is_not_there_is_found_when_read(tmp_path):
    listing = _list(_write(tmp_path, {"list.csv": CSV}), manifest="list.csv")
    with pytest.raises(FileNotFoundError):
        _images(listing)["x/1.jpg"].load()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.csv", "path,label\n1.jpg,b|a\n2.jpg,\n"),
        (
            "list.jsonl",
            '{"path": "1.jpg", "label": ["b", "a"]}\n{"path": "2.jpg", "label": []}',
        ),
    ],
)
def test_several_labels_or_none(tmp_path, name, content):
    root = _write(tmp_path, {name: content})
    listing = _list(root, manifest=name, multi_label=True)
    assert listing.multi_label
    assert listing.class_names == ("a", "b")
    assert [image.labels for image in _images(listing).values()] == [("b", "a"), ()]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.csv", "path,label\n1.jpg\n", r"line 2: its fields are not those"),
        ("l.csv", "path,label\n1.jpg,a,b\n", r"line 2: its fields are not those"),
        ("l.csv", "file,label\n1.jpg,a\n", r"line 2: it has no 'path'"),
        ("l.csv", "path,label\n/etc/passwd,a\n", r"does not lie below"),
        ("l.csv", "path,label\na/../../b,a\n", r"does not lie below"),
        ("l.csv", "path,label\n1.jpg,a\n1.jpg,b\n", r"lists '1.jpg' twice"),
        ("l.csv", "path,label,a/b\n1.jpg,a,x\n", r"field 'a/b' is no name"),
        ("l.csv", 'path,label\n1.jpg,"a\n', r"unexpected end of data"),
        ("l.csv", "path,label\n", r"lists no images"),
        ("l.csv", b"path,label\n\xff\xfe,a\n", r"is not UTF-8"),
        ("l.jsonl", "{", r"line 1: it is not JSON"),
        ("l.jsonl", "[1]", r"line 1: it is not a JSON object"),
        ("l.jsonl", '{"path": 3, "label": "a"}', r"line 1: it has no 'path'"),
        ("l.jsonl", '{"path": "\\ud800", "label": "a"}', r"not Unicode"),
        ("l.jsonl", '{"path": "a\\u0000", "label": "a"}', r"does not lie below"),
        ("l.txt", "", r"neither .csv nor .jsonl"),
        ("elsewhere.csv", None, r"cannot be read \(No such file"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_named(tmp_path, name, content, message):
    _write(tmp_path, {} if content is None else {name: content})
    with pytest.raises(DataError, match=message) as raised:
        _list(tmp_path, manifest=name)
    assert name in str(raised.value)


def test_a_bucket_is_a_folder_too():
    from google.cloud import storage as library

    with gcs_server() as uri:
        bucket = library.Client().bucket(uri.removeprefix("gs://"))
        for name in ("pets/cat/1.jpg", "pets/dog/2.jpg", "pets/readme", "other/x"):
            bucket.blob(name).upload_from_string(name)
        listing = _list(f"{uri}/pets")
        assert listing.class_names == ("cat", "dog")
        assert {n: i.load() for n, i in _images(listing).items()} == {
            "cat/1.jpg": b"pets/cat/1.jpg",
            "dog/2.jpg": b"pets/dog/2.jpg",
        }
        bucket.blob("pets/dog/2.jpg").upload_from_string("changed")
        assert _list(f"{uri}/pets").state != listing.state
        table = "path,label\ncat/1.jpg,x\n"
        bucket.blob("pets/list.csv").upload_from_string(table)
        listed = _list(f"{uri}/pets", manifest="list.csv")
        assert [image.labels for image in _images(listed).values()] == [("x",)]
