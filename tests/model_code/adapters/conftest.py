"""An MLflow store on SQLite, migrated once and copied for each test."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory) -> Path:
    from model_code.adapters.mlflow_store import MlflowStore

    database = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with MlflowStore(f"sqlite:///{database}").open() as client:
        client.search_registered_models()
    return database


@pytest.fixture
def store(migrated_database, tmp_path):
    from model_code.adapters.mlflow_store import MlflowStore

    database = tmp_path / "store" / "mlflow.db"
    database.parent.mkdir()
    shutil.copy(migrated_database, database)
    return MlflowStore(f"sqlite:///{database}")
