"""The search pipeline on this machine: killed workers, a winner that trains."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml
from optuna.trial import TrialState

from model_code.config.load import load_recipe, load_search_recipe
from model_code.search.store import open_store
from model_code.search.study import Search, open_search

pytestmark = pytest.mark.full

TRIALS = 4
RECIPE = {
    "name": "search-tiny",
    "description": "Tiny networks on a few formula images.",
    "seed": 1,
    "data": {
        "name": "fractal-tiny",
        "source": {
            "kind": "fractal",
            "classes": 2,
            "images_per_class": 24,
            "image_size": 32,
            "seed": 1,
        },
        "splits": {"test": 0.0, "validation": 0.25},
    },
    "model": {"variant": "tiny"},
    "train": {
        "seed": 1,
        "epochs": 1,
        "global_batch_size": 8,
        "progressive": {
            "rule": "fixed",
            "stages": 1,
            "image_size": {"start": 32, "end": 32},
        },
        "augmentation": {"crop": "resize", "policy": "none"},
        "evaluation_image_size": 32,
    },
    "sampling": {"kind": "random"},
    "timing": {"warmup_steps": 1, "repeats": 3, "maximum_spread": 5.0, "attempts": 1},
    "budget": {"trials": TRIALS},
    "workers": {"count": 2, "heartbeat_seconds": 1.0, "grace_seconds": 15.0},
    "searched_as": "b0",
}


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    recipe = tmp_path / "search-tiny.yaml"
    recipe.write_text(yaml.safe_dump(RECIPE))
    effnetv2 = str(Path(sys.executable).with_name("effnetv2"))
    workspace = str(tmp_path / "workspace")
    return [effnetv2, "search", "--recipe", str(recipe), "--workspace", workspace]


def test_killed_workers_lose_no_trial_and_the_winner_is_a_variant(
    command: list[str], tmp_path: Path
) -> None:
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE) as desk:
        try:
            search = _when_two_trials_run(tmp_path)
            for worker in _workers(desk.pid):
                os.kill(worker.pid, signal.SIGKILL)
            printed, _ = desk.communicate(timeout=550)
        finally:
            desk.kill()

    assert desk.returncode == 0
    facts = json.loads(printed)
    complete = [t for t in search.trials if t.state == TrialState.COMPLETE]
    assert facts["complete"] == len(search.slots) == len(complete) == TRIALS
    assert len(search.trials) == TRIALS + 2
    winner = load_recipe(
        "elpv-quick", [f"model.variant=@{facts['variant_row']}"]
    ).model.variant
    assert winner.name == facts["winner"]


def _when_two_trials_run(tmp_path: Path) -> Search:
    recipe = load_search_recipe(str(tmp_path / "search-tiny.yaml"))
    study = tmp_path / "workspace" / "searches" / "search-tiny" / "study.log"
    for _ in _until(300):
        if study.exists():
            search = open_search(recipe, open_store(str(study)))
            states = [slot.last.state for slot in search.slots]
            if states == [TrialState.RUNNING] * 2:
                return search
    raise AssertionError("unreachable")


def _workers(desk: int) -> list[psutil.Process]:
    """Leaves of the process tree that run the worker's door."""
    found = [
        process
        for process in psutil.Process(desk).children(recursive=True)
        if "search_worker" in process.cmdline() and not process.children()
    ]
    assert len(found) == 2
    return found


def _until(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)
    raise TimeoutError(f"not within {seconds} s")
