"""TLS, redirects and addresses: what stands between the desk and the backend."""

import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from model_code.errors import ConfigError, UnavailableError
from pipelines.client import KfpClient
from pipelines.connection import Connection, Patience
from pipelines.failures import AccessError, NotFoundError
from tests.helpers.kfp_server import kfp_server

QUICK = Patience(
    connect=2.0, read=1.0, attempts=2, first_retry=0.001, slowest_retry=0.01
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    directory = tmp_path_factory.mktemp("tls")
    key, certificate = directory / "key.pem", directory / "ca.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return key, certificate


def test_a_private_authority_is_trusted_only_when_given(certificate):
    key, authority = certificate
    with kfp_server(ssl_keyfile=str(key), ssl_certfile=str(authority)) as server:
        trusting = Connection(
            host=server.url, ca_certificate=str(authority), patience=QUICK
        )
        assert list(KfpClient(trusting, {}).list_runs()) == []
        with pytest.raises(UnavailableError, match=r"(?i)certificate"):
            list(KfpClient(Connection(host=server.url, patience=QUICK), {}).list_runs())


def test_a_login_page_is_an_access_error():
    with kfp_server() as server:
        server.fail("GET", "/runs", "status", status=302, times=9)
        with pytest.raises(AccessError, match="a login page answered"):
            list(KfpClient(Connection(host=server.url), {}).list_runs())


def test_an_unknown_run_is_not_found():
    with (
        kfp_server() as server,
        pytest.raises(NotFoundError, match="Run nope not found"),
    ):
        KfpClient(Connection(host=server.url), {}).get_run("nope")


def test_a_missing_certificate_file_is_named(tmp_path):
    connection = Connection(
        host="https://kfp.example", ca_certificate=str(tmp_path / "ca.pem")
    )
    with pytest.raises(ConfigError, match=r"ca_certificate is .*ca\.pem"):
        KfpClient(connection, {})


def test_a_host_needs_its_scheme():
    with pytest.raises(ValidationError, match="host"):
        Connection(host="kfp.example")


def test_a_secret_value_has_no_place_in_the_settings():
    with pytest.raises(ValidationError, match="variable"):
        Connection(
            host="https://kfp.example",
            credentials={"kind": "token", "variable": "ey.a-real-token"},
        )
