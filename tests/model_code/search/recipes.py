"""A search recipe in miniature, and evaluations that need no training."""

import json
import time
from pathlib import Path
from typing import Any

from optuna.storages import BaseStorage

from model_code.config.load import search_recipe_from_json
from model_code.config.model import BlockTable
from model_code.config.search import SearchRecipe
from model_code.search.objective import Measured
from model_code.search.store import open_store
from model_code.search.study import Search, open_search
from model_code.search.worker import Evaluated, Report

SAMPLINGS: dict[str, dict[str, Any]] = {
    "random": {"kind": "random"},
    "tpe": {"kind": "tpe", "startup_trials": 4},
    "evolution": {"kind": "evolution", "population": 4, "tournament": 2},
    "pareto": {"kind": "pareto", "population": 4},
}


def search_recipe(**changes: Any) -> SearchRecipe:
    """Over the tiny variant; `changes` replace top-level settings."""
    settings = {
        "name": "search-test",
        "description": "Tiny networks, evaluated by a formula.",
        "seed": 7,
        "data": {
            "name": "fractal-tiny",
            "source": {
                "kind": "fractal",
                "classes": 3,
                "images_per_class": 16,
                "image_size": 32,
                "seed": 1,
            },
        },
        "model": {"variant": "tiny"},
        "train": {
            "seed": 1,
            "epochs": 1.0,
            "global_batch_size": 8,
            "evaluation_image_size": 32,
            "progressive": {
                "rule": "fixed",
                "stages": 1,
                "image_size": {"start": 32, "end": 32},
            },
        },
        "sampling": SAMPLINGS["random"],
        "budget": {"trials": 6},
        "workers": {"heartbeat_seconds": 0.05, "grace_seconds": 1.0, "retries": 2},
    }
    return search_recipe_from_json(json.dumps(settings | changes))


def open_at(store: Path | str | BaseStorage, **changes: Any) -> Search:
    """The search of `search_recipe(**changes)`, in that store."""
    storage = store if isinstance(store, BaseStorage) else open_store(str(store))
    return open_search(search_recipe(**changes), storage)


def by_formula(network: BlockTable, report: Report) -> Evaluated:
    """Fused stages are accurate and fast, layers are slow; nothing is random."""
    del report
    fused = sum(stage.operation == "fused_mbconv" for stage in network.blocks)
    layers = sum(stage.repeats for stage in network.blocks)
    measured = Measured(0.5 + 0.1 * fused, 1.0 + 0.1 * layers, 1.0 + 0.2 * layers)
    return Evaluated(measured, {"network": network.name})


def slowly(network: BlockTable, report: Report) -> Evaluated:
    """As `by_formula`, after long enough to be interrupted."""
    time.sleep(0.02)
    return by_formula(network, report)
