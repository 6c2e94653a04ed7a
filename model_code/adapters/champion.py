"""Fetches the champion for an evaluation to compare with."""

from model_code.adapters.mlflow_store import MlflowStore
from model_code.adapters.registry import ModelRegistry
from model_code.evaluation.champion import Champion


def find_champion(tracking_uri: str, model_name: str) -> Champion | None:
    """The champion and its artifacts; None where there is none yet.

    Raises:
        RegistryError: the store is locked or cannot be used.
    """
    registry = ModelRegistry(MlflowStore(tracking_uri))
    version = registry.champion(model_name)
    if version is None:
        return None
    return Champion(version=version.version, directory=registry.fetch(version))
