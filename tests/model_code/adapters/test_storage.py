"""The same promises, kept by a local directory and by a real object server."""

import errno
import os
from pathlib import Path

import pytest

from model_code.adapters import storage
from model_code.adapters.storage import FileInfo
from tests.helpers.gcs_server import gcs_server


@pytest.fixture(scope="module")
def bucket():
    with gcs_server() as uri:
        yield uri


@pytest.fixture(params=["local", "gcs"])
def root(request, tmp_path):
    if request.param == "local":
        return str(tmp_path)
    return storage.join(request.getfixturevalue("bucket"), tmp_path.name)


def test_what_is_written_is_read(root):
    uri = storage.join(root, "a", "b.bin")
    storage.write_bytes(uri, b"0123456789")
    assert storage.read_bytes(uri) == b"0123456789"
    assert storage.read_bytes(uri, 3) == b"3456789"
    assert storage.read_bytes(uri, 3, 4) == b"3456"
    assert storage.read_bytes(uri, 3, 0) == b""
    assert storage.size(uri) == 10


def test_a_large_file_goes_through_a_resumable_upload(root):
    uri = storage.join(root, "large.bin")
    data = os.urandom(1 << 20) * 20
    storage.write_bytes(uri, data)
    assert storage.read_bytes(uri) == data
    assert storage.read_bytes(uri, 19_000_000, 1000) == data[19_000_000:19_001_000]


def test_a_stream_reads_on_and_seeks(root):
    uri = storage.join(root, "stream")
    data = bytes(range(256)) * 40_000
    storage.write_bytes(uri, data)
    with storage.open_reader(uri) as stream:
        assert stream.read(5) == data[:5]
        stream.seek(9_000_001)
        assert stream.read(10) == data[9_000_001:9_000_011]
        stream.seek(len(data) - 3)
        assert stream.read() == data[-3:]


def test_a_file_is_copied_and_replaces(root):
    source, target = storage.join(root, "a"), storage.join(root, "deep", "b")
    storage.write_bytes(source, b"content")
    storage.write_bytes(target, b"old")
    storage.copy(source, target)
    assert storage.read_bytes(target) == b"content"
    storage.write_bytes(source, b"changed")
    assert storage.read_bytes(target) == b"content"
    with pytest.raises(FileNotFoundError):
        storage.copy(storage.join(root, "nowhere"), target)


def test_a_file_is_copied_where_links_are_not_to_be_had(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a").write_bytes(b"content")
    storage.copy(str(tmp_path / "a"), str(tmp_path / "b"))
    assert (tmp_path / "b").read_bytes() == b"content"
    assert storage.list_names(str(tmp_path)) == ["a", "b"]


def test_a_write_that_fails_leaves_the_old_file(root):
    uri = storage.join(root, "file")
    storage.write_bytes(uri, b"old")

    def write_and_fail():
        with storage.open_writer(uri) as stream:
            stream.write(b"new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert storage.read_bytes(uri) == b"old"
    assert storage.list_names(root) == ["file"]


def test_a_missing_file_is_missing(root):
    uri = storage.join(root, "nowhere", "file")
    with pytest.raises(FileNotFoundError):
        storage.read_bytes(uri)
    with pytest.raises(FileNotFoundError), storage.open_reader(uri):
        pass
    assert storage.size(uri) is None
    assert storage.stat(uri) is None
    assert storage.list_names(storage.join(root, "nowhere")) == []
    assert not storage.is_directory(storage.join(root, "nowhere"))
    storage.delete(uri)
    storage.delete_tree(storage.join(root, "nowhere"))


def test_names_are_listed_in_order_and_trees_walked(root):
    for name in ("b", "a", "sub/d", "sub/c", ".hidden", ".git/config"):
        storage.write_bytes(storage.join(root, *name.split("/")), b"x")
    assert storage.list_names(root) == [".hidden", "a", "b"]
    assert sorted(info.name for info in storage.walk(root)) == [
        "a",
        "b",
        "sub/c",
        "sub/d",
    ]
    assert storage.list_directories(root) == ["sub"]
    assert storage.is_directory(storage.join(root, "sub"))
    assert not storage.is_directory(storage.join(root, "su"))


def test_a_stamp_changes_with_the_content(root):
    uri = storage.join(root, "file")
    storage.write_bytes(uri, b"one")
    before = storage.stat(uri)
    storage.write_bytes(uri, b"two!")
    after = storage.stat(uri)
    assert before is not None
    assert after is not None
    assert before.stamp != after.stamp
    assert list(storage.walk(root)) == [after]


def test_a_tree_is_deleted_and_its_neighbour_is_not(root):
    storage.write_bytes(storage.join(root, "tree", "deep", "file"), b"x")
    storage.write_bytes(storage.join(root, "tree-too", "file"), b"x")
    storage.delete_tree(storage.join(root, "tree"))
    assert not storage.is_directory(storage.join(root, "tree"))
    assert storage.is_directory(storage.join(root, "tree-too"))
    storage.delete(storage.join(root, "tree-too", "file"))
    assert storage.list_names(storage.join(root, "tree-too")) == []


def test_names_with_odd_characters_are_kept(root):
    name = "sch\u00f6n \U0001f600 new\nline#?.jpg"
    storage.write_bytes(storage.join(root, name), b"x")
    assert storage.list_names(root) == [name]
    assert storage.read_bytes(storage.join(root, name)) == b"x"


def test_links_are_followed_and_loops_are_named(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_bytes(b"x")
    (tmp_path / "real" / "up").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "real")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    os.mkfifo(tmp_path / "pipe")
    found = list(storage.walk(str(tmp_path)))
    assert [info.name for info in found if not info.problem] == [
        "again/file",
        "real/file",
    ]
    assert [info for info in found if info.problem] == [
        FileInfo("again/up", "", 0, "a link to a directory that contains it"),
        FileInfo("broken", "", 0, "No such file or directory"),
        FileInfo("pipe", "", 0, "neither a file nor a directory"),
        FileInfo("real/up", "", 0, "a link to a directory that contains it"),
        FileInfo("self", "", 0, "Too many levels of symbolic links"),
    ]


def test_a_bucket_that_is_not_there_is_missing(bucket):
    with pytest.raises(FileNotFoundError):
        storage.read_bytes("gs://no-such-bucket/file")
    with pytest.raises(FileNotFoundError):
        list(storage.walk("gs://no-such-bucket/below"))


def test_uris_are_joined_and_compared():
    assert storage.join("gs://bucket/", "a", "b") == "gs://bucket/a/b"
    assert storage.parent("gs://bucket/a/b/") == "gs://bucket/a"
    assert storage.parent("file") == "."
    assert storage.same("gs://bucket/a", "gs://bucket/a/")
    assert not storage.same("gs://bucket/a", "gs://bucket/b")
    assert storage.same("a/b", str(Path.cwd() / "a" / "b"))
