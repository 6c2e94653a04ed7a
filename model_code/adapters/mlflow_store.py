"""Opens an MLflow store: address, quiet logging, errors a user can act on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import mlflow
from mlflow.environment_variables import MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import DatabaseError

from model_code.errors import ProductError, RegistryError, UnavailableError

_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class MlflowStore:
    """Where runs, models and their artifacts are recorded.

    Attributes:
        uri: `sqlite:///FILE`, the `http(s)://` address of a server, or the URL
            of a database.
        artifact_root: directory or bucket of the artifacts. Beside the SQLite
            file where None; a server decides for itself.
    """

    uri: str
    artifact_root: str | None = None

    @contextmanager
    def open(self) -> Iterator[MlflowClient]:
        """A client of this store, and this store as MLflow's current one.

        Raises:
            RegistryError: the database is locked or cannot be used.
            UnavailableError: the server does not answer.
        """
        _quieten()
        try:
            # MLflow resolves `models:/` addresses through its global address,
            # whatever client asks.
            mlflow.set_tracking_uri(self.uri)
            mlflow.set_registry_uri(self.uri)
            yield MlflowClient(self.uri, self.uri)
        except (MlflowException, DatabaseError) as error:
            explained = self._explain(error)
            if explained is None:
                raise
            raise explained from error

    def require(self) -> None:
        """Refuse a SQLite file that is not there; opening would create it.

        Raises:
            RegistryError: there is no such file.
        """
        path = Path(self.uri.removeprefix(_SQLITE))
        if self.uri.startswith(_SQLITE) and not path.exists():
            raise RegistryError(
                f"There is no tracking store {path}; expected the one that a run "
                "left. Name the workspace of a run with --workspace, or the store with "
                "--tracking-uri."
            )

    def experiment_id(self, client: MlflowClient, name: str) -> str:
        """The tracking experiment of that name, created where it is new."""
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        location = self._artifact_location(name)
        return str(client.create_experiment(name, location))

    def _artifact_location(self, experiment: str) -> str | None:
        if self.artifact_root is not None:
            return f"{self.artifact_root.rstrip('/')}/{experiment}"
        if self.uri.startswith(_SQLITE):
            database = Path(self.uri.removeprefix(_SQLITE)).resolve()
            return str(database.parent / "mlartifacts" / experiment)
        if urlsplit(self.uri).scheme in {"http", "https"}:
            return None
        raise RegistryError(
            f"The tracking store {self.public_uri} is a database without an artifact "
            "root; MLflow would write below the current directory. Name a directory "
            "or bucket for the artifacts, or the address of an MLflow server."
        )

    @property
    def public_uri(self) -> str:
        """The address without a password."""
        parts = urlsplit(self.uri)
        return self.uri.replace(f":{parts.password}@", ":***@", 1)

    def _explain(self, error: MlflowException | DatabaseError) -> ProductError | None:
        message = str(error)
        if "database is locked" in message:
            return RegistryError(
                f"The tracking store {self.public_uri} is locked by another process "
                "and did not come free while MLflow waited; expected a database that "
                "can be written. End or wait for the other writer (a second run, or "
                "`mlflow server`), then run this command again: it goes on where it "
                "stopped."
            )
        if isinstance(error, DatabaseError):
            return RegistryError(
                f"The tracking store {self.public_uri} cannot be used ({error.orig}); "
                "expected an MLflow database. Name another file or address, or move "
                "this one away to start a new one."
            )
        if "API request to" in message and "failed with exception" in message:
            return UnavailableError(
                f"The MLflow server {self.public_uri} does not answer; expected a "
                "running `mlflow server` there. Start it, or correct the tracking URI."
            )
        return None


def _quieten() -> None:
    """Warnings only; MLflow reports each migration, copy and registration.

    A failing statement is logged with its traceback and then raised; raising is
    enough. An environment made by uv has no pip, whose version MLflow misses.
    """
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR.set(False)  # type: ignore[no-untyped-call]
    for name, level in (
        ("mlflow", logging.WARNING),
        ("alembic", logging.WARNING),
        ("mlflow.store.db.utils", logging.CRITICAL),
        ("mlflow.utils.environment", logging.ERROR),
    ):
        logging.getLogger(name).setLevel(level)
