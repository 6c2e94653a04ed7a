"""Names that follow from what decides the content of a dataset."""

import hashlib
import json
from typing import Any

from pydantic import TypeAdapter

from model_code.config.dataset import DatasetConfig
from model_code.data.manifest import FORMAT_VERSION
from model_code.data.sources.base import Listing

_CONFIG = TypeAdapter(DatasetConfig)


def dataset_key(config: DatasetConfig, listing: Listing) -> str:
    """Names the directory of a dataset: recipe and state of the source.

    Limits that only judge the result are left out.
    """
    return _digest([FORMAT_VERSION, _settings(config), listing.state])


def series_key(config: DatasetConfig) -> str:
    """What spans of one growing dataset have in common.

    All that decides how an image is split, checked and stored; of the source
    only its kind and path, so that each span may have a manifest of its own.
    """
    settings = _settings(config)
    source = settings.pop("source")
    return _digest([FORMAT_VERSION, settings, source["kind"], source.get("path")])


def _settings(config: DatasetConfig) -> dict[str, Any]:
    settings: dict[str, Any] = _CONFIG.dump_python(config, mode="json")
    del settings["validation"], settings["maximum_dead_letters"]
    del settings["splits"]["minimum_per_class"]
    return settings


def _digest(facts: list[Any]) -> str:
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
