"""A trial with real training: timed, trained, judged, pruned, failed."""

from dataclasses import replace
from pathlib import Path

import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from model_code.config.model import ModelConfig
from model_code.data.manifest import DatasetManifest
from model_code.model.complexity import complexity
from model_code.model.variants import resolve
from model_code.search.objective import Measured
from model_code.search.slots import FACTS, MEASURED, REASON
from model_code.search.space import backbone_table
from model_code.search.trial import Trials
from model_code.search.worker import work
from tests.model_code.search.recipes import open_at, search_recipe
from tests.model_code.training.runs import tiny_dataset

TIMING = {"warmup_steps": 1, "repeats": 3, "maximum_spread": 10.0, "attempts": 1}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return tiny_dataset(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trials(manifest: DatasetManifest) -> Trials:
    return Trials(search_recipe(timing=TIMING), manifest)


def _parameters(model: ModelConfig, classes: int) -> int:
    return complexity(resolve(model), 32, classes).total.trainable


def test_a_search_trains_its_networks(
    trials: Trials, manifest: DatasetManifest
) -> None:
    search = open_at(InMemoryStorage(), budget={"trials": 1}, timing=TIMING)

    assert work(search, trials.evaluate) == 1

    last = search.slots[0].last
    assert last.state == TrialState.COMPLETE, last.user_attrs
    measured, facts = last.user_attrs[MEASURED], last.user_attrs[FACTS]
    assert facts["metrics"]["val/top1"] == measured["accuracy"]
    assert measured["step_time"] == facts["step_time"]["relative"] > 0
    assert facts["step_time"]["backbone_seconds"] > 0
    backbone = _parameters(search.recipe.model, len(manifest.class_names))
    assert facts["parameters"] == pytest.approx(measured["parameters"] * backbone)


def test_the_backbone_costs_what_the_backbone_costs(trials: Trials) -> None:
    reports: list[Measured] = []

    class HopelessError(Exception):
        pass

    def report(measured: Measured) -> None:
        reports.append(measured)
        raise HopelessError

    backbone = backbone_table(resolve(ModelConfig(variant="tiny")))
    with pytest.raises(HopelessError):
        trials.evaluate(backbone, report)

    (measured,) = reports
    assert measured.parameters == 1
    assert 0.3 < measured.step_time < 3
    assert 0 <= measured.accuracy <= 1


def test_what_training_refuses_is_a_failed_trial(
    manifest: DatasetManifest, tmp_path: Path
) -> None:
    search = open_at(InMemoryStorage(), budget={"trials": 1}, timing=TIMING)
    missing = str(tmp_path / "absent.weights.h5")
    train = replace(search.recipe.train, initial_weights=missing)

    work(search, Trials(replace(search.recipe, train=train), manifest).evaluate)

    last = search.slots[0].last
    assert last.state == TrialState.FAIL
    assert "absent.weights.h5" in last.user_attrs[REASON]
