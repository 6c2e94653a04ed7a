"""The model registry: versions with lineage, the champion, and its history.

The alias `champion` names the version in use, `challenger` the newest one that
is not. The registered model's tag `champion_history` lists the champions in
order, so that a rollback knows where to go; what happened to a version, when
and why, is on its own tags.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import mlflow
from mlflow.entities.model_registry import ModelVersion as Entry
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from model_code.adapters.mlflow_store import MlflowStore
from model_code.adapters.model_versions import (
    CHALLENGER,
    CHAMPION,
    ModelVersion,
    Reference,
    promoted,
    rolled_back,
)
from model_code.errors import RegistryError
from model_code.evaluation.gate import GateDecision

_HISTORY = "champion_history"


@dataclass(frozen=True)
class Promotion:
    """Whether the version is champion after the gate's decision, and why."""

    version: ModelVersion
    promoted: bool
    reason: str


@dataclass(frozen=True)
class ModelRegistry:
    """Looks up and moves versions in one MLflow store."""

    store: MlflowStore

    def models(self) -> tuple[str, ...]:
        """Names of the registered models, sorted."""
        with self.store.open() as client:
            return _names(client)

    def versions(self, model_name: str) -> tuple[ModelVersion, ...]:
        """All versions of a registered model, newest first.

        Raises:
            RegistryError: there is no such model.
        """
        with self._model(model_name) as (client, model):
            found = client.search_model_versions(f"name = '{model_name}'")
            versions = [_version(model, entry) for entry in found]
            return tuple(sorted(versions, key=lambda v: v.version, reverse=True))

    def find(self, reference: str) -> ModelVersion:
        """The version that `NAME@alias`, `NAME/version` or `NAME` refers to.

        Raises:
            RegistryError: there is no such model, alias or version; it names
                those that exist.
        """
        wanted = Reference.parse(reference)
        with self._model(wanted.model_name) as (client, model):
            number = wanted.version or _version_of_alias(model, str(wanted.alias))
            return _version(model, _entry(client, model, number))

    def champion(self, model_name: str) -> ModelVersion | None:
        """The version in use; None where the model or its champion is new."""
        with self.store.open() as client:
            if model_name not in _names(client):
                return None
        with self._model(model_name) as (client, model):
            number = _aliases(model).get(CHAMPION)
            if number is None:
                return None
            return _version(model, _entry(client, model, number))

    def fetch(self, version: ModelVersion) -> Path:
        """A local directory with the version's Model and Evaluation artifacts.

        A store on this machine is read in place.
        """
        with self.store.open():
            uri = f"models:/{version.model_name}/{version.version}"
            root = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
            return root / "artifacts"

    def act_on(self, version: ModelVersion, decision: GateDecision) -> Promotion:
        """Make the version champion if the gate decided so; repeatable.

        Raises:
            RegistryError: another version became champion since the gate
                compared.
        """
        if CHAMPION in version.aliases:
            return Promotion(version, True, f"{version} is the champion already.")
        if not decision.promote:
            return Promotion(version, False, decision.reason)
        if "rolled_back_at" in version.tags:
            return Promotion(version, False, _stays_rolled_back(version))
        self._refuse_other_champion(version, decision)
        champion = self.promote(version, decision.reason)
        return Promotion(champion, True, decision.reason)

    def promote(self, version: ModelVersion, reason: str) -> ModelVersion:
        """Move `@champion` to the version; promoting the champion changes nothing."""
        with self._model(version.model_name) as (client, model):
            aliases = _aliases(model)
            champion = aliases.get(CHAMPION)
            if champion != version.version:
                history = promoted(_history(model), champion, version.version)
                _note(client, version, promoted_at=_now(), promotion_reason=reason)
                _set_history(client, model, history)
                _set_champion(client, model, version.version)
            if aliases.get(CHALLENGER) == version.version:
                client.delete_registered_model_alias(model.name, CHALLENGER)
        return self.find(str(version))

    def roll_back(self, model_name: str, reason: str) -> ModelVersion:
        """Move `@champion` back to the version that held it before.

        Raises:
            RegistryError: there is no such model, no champion, or none before.
        """
        with self._model(model_name) as (client, model):
            champion = _version_of_alias(model, CHAMPION)
            history = rolled_back(_history(model), champion)
            if not history:
                raise RegistryError(
                    f"{model_name} has had no champion before version {champion}; "
                    "expected an earlier one to return to. Promote another version "
                    f"instead: effnetv2 registry promote {model_name}/VERSION."
                )
            leaving = self.find(f"{model_name}/{champion}")
            _note(client, leaving, rolled_back_at=_now(), rollback_reason=reason)
            _set_champion(client, model, history[-1])
            _set_history(client, model, history)
        return self.find(f"{model_name}@{CHAMPION}")

    def _refuse_other_champion(
        self, version: ModelVersion, decision: GateDecision
    ) -> None:
        current = self.champion(version.model_name)
        if current is None or current.version == decision.champion_version:
            return
        compared = decision.champion_version or "(none)"
        raise RegistryError(
            f"The gate compared {version} with champion {compared}, but version "
            f"{current.version} has become champion since; expected the same one. "
            "Run the pipeline again: evaluation and gate then see the new champion."
        )

    @contextmanager
    def _model(self, name: str) -> Iterator[tuple[MlflowClient, RegisteredModel]]:
        with self.store.open() as client:
            try:
                model = client.get_registered_model(name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                known = ", ".join(_names(client)) or "none yet"
                raise RegistryError(
                    f"There is no registered model {name!r} in "
                    f"{self.store.public_uri}; it holds: {known}. Name one of those, "
                    "or run a pipeline whose recipe feeds it."
                ) from error
            yield client, model


def _names(client: MlflowClient) -> tuple[str, ...]:
    names: list[str] = []
    token = None
    while True:
        page = client.search_registered_models(page_token=token)
        names += [model.name for model in page]
        token = page.token
        if not token:
            return tuple(sorted(names))


def _version_of_alias(model: RegisteredModel, alias: str) -> int:
    number = _aliases(model).get(alias)
    if number is None:
        known = ", ".join(f"@{name}" for name in sorted(model.aliases)) or "none"
        raise RegistryError(
            f"{model.name} has no alias @{alias}; it has: {known}. Name one of those, "
            f"or a version as {model.name}/1."
        )
    return number


def _entry(client: MlflowClient, model: RegisteredModel, number: int) -> Entry:
    found = client.search_model_versions(f"name = '{model.name}'")
    for entry in found:
        if int(entry.version) == number:
            return entry
    known = ", ".join(str(n) for n in sorted(int(e.version) for e in found)) or "none"
    raise RegistryError(
        f"{model.name} has no version {number}; it has: {known}. Name one of those."
    )


def _version(model: RegisteredModel, entry: Entry) -> ModelVersion:
    number = int(entry.version)
    aliases = [alias for alias, at in _aliases(model).items() if at == number]
    return ModelVersion(
        model_name=model.name,
        version=number,
        aliases=tuple(sorted(aliases)),
        tags=dict(entry.tags),
        created=datetime.fromtimestamp(entry.creation_timestamp / 1000, UTC),
    )


def _aliases(model: RegisteredModel) -> dict[str, int]:
    """Versions by alias; MLflow's entity has them as text or as numbers."""
    return {alias: int(number) for alias, number in model.aliases.items()}


def _set_champion(client: MlflowClient, model: RegisteredModel, number: int) -> None:
    client.set_registered_model_alias(model.name, CHAMPION, str(number))


def _history(model: RegisteredModel) -> tuple[int, ...]:
    return tuple(json.loads(model.tags.get(_HISTORY, "[]")))


def _set_history(
    client: MlflowClient, model: RegisteredModel, history: tuple[int, ...]
) -> None:
    client.set_registered_model_tag(model.name, _HISTORY, json.dumps(history))


def _note(client: MlflowClient, version: ModelVersion, **tags: str) -> None:
    for key, value in tags.items():
        number = str(version.version)
        client.set_model_version_tag(version.model_name, number, key, value)


def _stays_rolled_back(version: ModelVersion) -> str:
    return (
        f"{version} was rolled back at {version.tags['rolled_back_at']} "
        f"({version.tags['rollback_reason']}); repeating its run does not promote it "
        f"again. To do so: effnetv2 registry promote {version}."
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
