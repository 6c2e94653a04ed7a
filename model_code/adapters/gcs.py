"""Google Cloud Storage; the functions of `storage` for `gs://` URIs.

The only importer of google-cloud-storage. Credentials are the application
default ones. The client retries with backoff: every operation here may be
repeated safely, since a write replaces the whole object. Uploads above 8 MB
are resumable, and every upload and whole download is checked by CRC32C.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import BinaryIO, NoReturn

from google.api_core import exceptions as api
from google.auth.exceptions import DefaultCredentialsError, TransportError
from google.cloud import storage as library
from google.cloud.storage.retry import DEFAULT_RETRY

from model_code.adapters.storage import FileInfo
from model_code.errors import UnavailableError

_IN_MEMORY = 16_000_000
"""Bytes of an upload that are kept in memory before they go to a file."""

_READ_AHEAD = 4_000_000
"""Bytes that one request of a reading stream fetches."""

_TRANSPORT = (api.GoogleAPIError, TransportError, ConnectionError)


def read_bytes(uri: str, offset: int, length: int | None) -> bytes:
    """See `storage.read_bytes`."""
    if length == 0:
        return b""
    whole = offset == 0 and length is None
    with _translated(uri):
        data: bytes = _blob(uri).download_as_bytes(
            start=None if whole else offset,
            end=None if length is None else offset + length - 1,
            # A checksum covers whole objects only.
            checksum="auto" if whole else None,
            retry=DEFAULT_RETRY,
        )
    return data


@contextmanager
def open_reader(uri: str) -> Iterator[BinaryIO]:
    """See `storage.open_reader`."""
    with _translated(uri):
        blob = _find(uri)
        if blob is None:
            raise FileNotFoundError(2, "No such object", uri)
        with blob.open("rb", chunk_size=_READ_AHEAD, retry=DEFAULT_RETRY) as stream:
            yield stream


@contextmanager
def open_writer(uri: str) -> Iterator[BinaryIO]:
    """See `storage.open_writer`."""
    blob = _blob(uri)
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as stream:
        yield stream  # type: ignore[misc]
        size = stream.tell()
        with _translated(uri):
            blob.upload_from_file(
                stream, rewind=True, size=size, checksum="crc32c", retry=DEFAULT_RETRY
            )


def copy(source: str, target: str) -> None:
    """See `storage.copy`."""
    origin = _blob(source)
    token = None
    with _translated(source):
        while True:
            token, _, _ = _blob(target).rewrite(origin, token, retry=DEFAULT_RETRY)
            if token is None:
                return


def stat(uri: str) -> FileInfo | None:
    """See `storage.stat`."""
    blob = _find(uri)
    return None if blob is None else _info(str(blob.name).rpartition("/")[2], blob)


def size(uri: str) -> int | None:
    """See `storage.size`."""
    blob = _find(uri)
    return None if blob is None else int(blob.size)


def is_directory(uri: str) -> bool:
    """See `storage.is_directory`."""
    return next(_list(uri, max_results=1), None) is not None


def list_names(uri: str) -> list[str]:
    """See `storage.list_names`."""
    skip = len(_prefix(uri))
    names = [blob.name[skip:] for blob in _list(uri, delimiter="/")]
    return sorted(name for name in names if name)


def list_directories(uri: str) -> list[str]:
    """See `storage.list_directories`."""
    skip = len(_prefix(uri))
    with _translated(uri):
        found = _client().list_blobs(
            _split(uri)[0], prefix=_prefix(uri), delimiter="/", retry=DEFAULT_RETRY
        )
        # The prefixes of a page are known once its objects were read.
        prefixes = [prefix for page in found.pages for prefix in page.prefixes]
    names = {prefix[skip:].rstrip("/") for prefix in prefixes}
    return sorted(name for name in names if not name.startswith("."))


def walk(uri: str) -> Iterator[FileInfo]:
    """See `storage.walk`."""
    skip = len(_prefix(uri))
    for blob in _list(uri):
        name = blob.name[skip:]
        hidden = any(part.startswith(".") for part in name.split("/"))
        # Consoles create empty objects named like directories.
        if not hidden and not name.endswith("/") and name:
            yield _info(name, blob)


def delete(uri: str) -> None:
    """See `storage.delete`."""
    blob = _find(uri)
    if blob is not None:
        with _translated(uri):
            blob.delete(retry=DEFAULT_RETRY)


def delete_tree(uri: str) -> None:
    """See `storage.delete_tree`."""
    for blob in _list(uri):
        with _translated(uri):
            blob.delete(retry=DEFAULT_RETRY)


@cache
def _client() -> library.Client:
    try:
        return library.Client()
    except DefaultCredentialsError as error:
        raise UnavailableError(
            "Google Cloud Storage needs application default credentials and there "
            "are none; run `gcloud auth application-default login`, or give the "
            "task a service account."
        ) from error


def _split(uri: str) -> tuple[str, str]:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    return bucket, name


def _prefix(uri: str) -> str:
    name = _split(uri)[1].rstrip("/")
    return f"{name}/" if name else ""


def _blob(uri: str) -> library.Blob:
    bucket, name = _split(uri)
    return _client().bucket(bucket).blob(name)


def _find(uri: str) -> library.Blob | None:
    bucket, name = _split(uri)
    with _translated(uri):
        return _client().bucket(bucket).get_blob(name, retry=DEFAULT_RETRY)


def _list(
    uri: str, *, delimiter: str | None = None, max_results: int | None = None
) -> Iterator[library.Blob]:
    bucket = _split(uri)[0]
    with _translated(uri):
        yield from _client().list_blobs(
            bucket,
            prefix=_prefix(uri),
            delimiter=delimiter,
            max_results=max_results,
            retry=DEFAULT_RETRY,
        )


def _info(name: str, blob: library.Blob) -> FileInfo:
    stamp = f"{blob.size}-{blob.crc32c}-{blob.generation}"
    return FileInfo(name, stamp, blob.size)


@contextmanager
def _translated(uri: str) -> Iterator[None]:
    """Errors of the service as those of an operating system."""
    try:
        yield
    except _TRANSPORT as error:
        _raise_as_os_error(uri, error)


def _raise_as_os_error(uri: str, error: Exception) -> NoReturn:
    if isinstance(error, api.NotFound):
        raise FileNotFoundError(2, "No such object", uri) from error
    if isinstance(error, (api.Forbidden, api.Unauthorized)):
        raise PermissionError(13, "Permission denied", uri) from error
    raise OSError(5, f"Google Cloud Storage: {error}", uri) from error
