import os
from pathlib import Path

import pytest

from model_code.errors import ConfigError
from pipelines import settings


def test_local_needs_nothing_from_the_shell():
    environment = settings.load_environment("local")

    assert environment.connection is None
    assert environment.tracking_uri is None


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_a_cluster_takes_its_places_from_the_shell(name, monkeypatch):
    prefix = f"EFFNETV2_{name.upper()}"
    monkeypatch.setenv(f"{prefix}_KFP_HOST", "https://kfp.test")
    monkeypatch.setenv(f"{prefix}_BUCKET", "bucket")
    monkeypatch.setenv(f"{prefix}_MLFLOW_URI", "https://mlflow.test")

    environment = settings.load_environment(name)

    assert environment.name == name
    assert environment.connection is not None
    assert environment.connection.host == "https://kfp.test"
    assert environment.connection.namespace == f"effnetv2-{name}"
    assert environment.data_root == "gs://bucket/data"


def test_a_missing_variable_is_named(monkeypatch):
    monkeypatch.delenv("EFFNETV2_DEV_KFP_HOST", raising=False)

    with pytest.raises(ConfigError, match="EFFNETV2_DEV_KFP_HOST, which is not set"):
        settings.load_environment("dev")


def test_an_unknown_environment_lists_the_known():
    with pytest.raises(ConfigError, match="expected one of dev, local, prod"):
        settings.load_environment("stage")


def test_an_unknown_setting_is_refused(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nbucket: x\n")

    with pytest.raises(ConfigError, match=r"bucket.*expected only name, connection"):
        settings.load_environment(str(path))


def test_broken_yaml_is_refused(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: [\n")

    with pytest.raises(ConfigError, match="not valid YAML"):
        settings.load_environment(str(path))


def test_applied_variables_are_taken_back(monkeypatch):
    monkeypatch.setenv("EFFNETV2_TEST_OLD", "old")
    monkeypatch.delenv("EFFNETV2_TEST_NEW", raising=False)

    with settings.applied({"EFFNETV2_TEST_OLD": "new", "EFFNETV2_TEST_NEW": "1"}):
        assert settings.variable("EFFNETV2_TEST_OLD") == "new"
        assert settings.variable("EFFNETV2_TEST_NEW") == "1"

    assert os.environ["EFFNETV2_TEST_OLD"] == "old"
    assert "EFFNETV2_TEST_NEW" not in os.environ


def test_an_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("EFFNETV2_TEST_EMPTY", "")

    assert settings.variable("EFFNETV2_TEST_EMPTY") is None
