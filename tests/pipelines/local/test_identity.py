import subprocess
from pathlib import Path

import pytest

from pipelines.local import identity

STATED = "EFFNETV2_CODE_REVISION"


def git(checkout: Path, *arguments: str) -> str:
    identity_options = ["-c", "user.name=T", "-c", "user.email=t@example.test"]
    ran = subprocess.run(
        ["git", *identity_options, *arguments],
        cwd=checkout,
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout.strip()


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    monkeypatch.delenv(STATED, raising=False)
    (tmp_path / "uv.lock").write_text("version = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_a_checkout_is_its_commit(checkout):
    assert identity.code_revision(checkout) == git(checkout, "rev-parse", "HEAD")


def test_changed_code_is_not_the_commit(checkout):
    (checkout / "uv.lock").write_text("version = 2\n")

    revision = identity.code_revision(checkout)

    assert revision == git(checkout, "rev-parse", "HEAD") + "-dirty"


def test_a_tag_does_not_hide_the_commit(checkout):
    git(checkout, "tag", "v1")

    assert identity.code_revision(checkout) == git(checkout, "rev-parse", "HEAD")


def test_an_image_states_its_revision(checkout, monkeypatch):
    monkeypatch.setenv(STATED, "abc")

    assert identity.code_revision(checkout) == "abc"


def test_an_installed_package_is_its_version(tmp_path, monkeypatch):
    monkeypatch.delenv(STATED, raising=False)

    assert identity.code_revision(tmp_path).startswith("effnetv2-pipelines==")


def test_the_lock_file_is_the_environment(checkout):
    first = identity.environment_lock_digest(checkout)
    (checkout / "uv.lock").write_text("version = 2\n")

    assert first.startswith("lock:")
    assert identity.environment_lock_digest(checkout) != first


def test_without_a_lock_file_what_is_installed_is(tmp_path):
    digest = identity.environment_lock_digest(tmp_path)

    assert digest.startswith("installed:")
    assert identity.environment_lock_digest(tmp_path) == digest
