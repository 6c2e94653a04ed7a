"""The registry: one version a run, aliases, promotion, rollback, errors."""

import sqlite3

import pytest

from model_code.adapters.mlflow_store import MlflowStore
from model_code.adapters.registration import register
from model_code.adapters.registry import ModelRegistry
from model_code.config.recipe import GateConfig
from model_code.errors import RegistryError
from model_code.evaluation.gate import Incumbent, decide
from tests.helpers.reports import evaluation_report

NAME = "elpv-defects"


@pytest.fixture
def registry(store):
    return ModelRegistry(store)


@pytest.fixture
def files(tmp_path):
    saved_model = tmp_path / "finetune" / "saved_model"
    saved_model.mkdir(parents=True)
    (saved_model / "saved_model.pb").write_bytes(b"graph")
    card = tmp_path / "finetune" / "model.json"
    card.write_text("{}")
    return [saved_model, card]


@pytest.fixture
def add(store, files):
    def add_version(run_key: str, name: str = NAME):
        return register(
            store,
            name,
            files=files,
            class_names=("defective", "functional"),
            tags={"run_key": run_key, "recipe": "elpv-quick"},
            metrics={"test/top1": 0.9},
            tracking_run_id=None,
        )

    return add_version


def decision(new: float, old: float | None, version: int = 1):
    champion = (
        None
        if old is None
        else Incumbent(version=version, report=evaluation_report(old))
    )
    return decide(evaluation_report(new), champion, GateConfig())


def test_a_version_is_registered_as_challenger_with_its_tags_and_files(
    registry, add, files
):
    version = add("run-1")
    assert (version.version, version.aliases) == (1, ("challenger",))
    assert version.tags == {"run_key": "run-1", "recipe": "elpv-quick"}
    assert registry.models() == (NAME,)
    fetched = registry.fetch(version)
    assert (fetched / "saved_model" / "saved_model.pb").read_bytes() == b"graph"
    assert (fetched / "model.json").read_text() == "{}"


def test_registering_a_run_twice_gives_the_same_version(registry, add):
    first = add("run-1")
    assert add("run-1") == first
    second = add("run-2")
    assert second.version == 2
    assert [v.version for v in registry.versions(NAME)] == [2, 1]
    # The older run is found again, but the newest stays the challenger.
    assert add("run-1").aliases == ()
    assert registry.find(f"{NAME}@challenger").version == 2


def test_a_run_killed_before_its_alias_moved_gets_it_when_repeated(store, add):
    version = add("run-1")
    with store.open() as client:
        client.delete_registered_model_alias(NAME, "challenger")
    assert add("run-1") == version


def test_the_first_model_becomes_champion(registry, add):
    assert registry.champion(NAME) is None
    version = add("run-1")
    assert registry.champion(NAME) is None
    promotion = registry.act_on(version, decision(0.8, None))
    assert promotion.promoted
    champion = registry.champion(NAME)
    assert champion == promotion.version
    assert (champion.version, champion.aliases) == (1, ("champion",))
    assert champion.tags["promotion_reason"] == promotion.reason
    assert "promoted_at" in champion.tags


def test_the_gate_decides_who_is_champion(registry, add):
    registry.act_on(add("run-1"), decision(0.8, None))
    refused = registry.act_on(add("run-2"), decision(0.7, 0.8))
    assert not refused.promoted
    assert "does not beat" in refused.reason
    assert registry.champion(NAME).version == 1
    assert registry.find(f"{NAME}@challenger").version == 2
    accepted = registry.act_on(add("run-3"), decision(0.9, 0.8))
    assert accepted.promoted
    assert registry.find(NAME).version == 3
    with pytest.raises(RegistryError, match=r"no alias @challenger; it has: @champion"):
        registry.find(f"{NAME}@challenger")


def test_acting_twice_on_a_decision_changes_nothing(registry, add):
    verdict = decision(0.8, None)
    once = registry.act_on(add("run-1"), verdict)
    twice = registry.act_on(once.version, verdict)
    assert twice.promoted
    assert twice.version == once.version
    with pytest.raises(RegistryError, match="no champion before version 1"):
        registry.roll_back(NAME, "it was never there")


def test_a_decision_against_a_former_champion_is_refused(registry, add):
    registry.act_on(add("run-1"), decision(0.8, None))
    late = add("run-2")
    registry.promote(add("run-3"), "by hand")
    with pytest.raises(RegistryError, match="version 3 has become champion since"):
        registry.act_on(late, decision(0.9, 0.8, version=1))
    assert registry.champion(NAME).version == 3


def test_rolling_back_walks_through_the_champions_before(registry, add):
    for run, reason in (("a", "first"), ("b", "better"), ("c", "best")):
        registry.promote(add(run), reason)
    registry.promote(registry.find(f"{NAME}/1"), "the first after all")
    walked = [registry.roll_back(NAME, "wrong").version for _ in range(3)]
    assert walked == [3, 2, 1]
    with pytest.raises(RegistryError, match="no champion before version 1"):
        registry.roll_back(NAME, "further")
    left = registry.find(f"{NAME}/3").tags
    assert left["promotion_reason"] == "best"
    assert left["rollback_reason"] == "wrong"


def test_repeating_a_run_does_not_undo_a_rollback(registry, add):
    registry.act_on(add("run-1"), decision(0.8, None))
    verdict = decision(0.9, 0.8)
    registry.act_on(add("run-2"), verdict)
    registry.roll_back(NAME, "it fails on poly cells")
    again = registry.act_on(add("run-2"), verdict)
    assert not again.promoted
    assert "it fails on poly cells" in again.reason
    assert registry.champion(NAME).version == 1


def test_what_does_not_exist_is_answered_with_what_does(registry, add):
    with pytest.raises(RegistryError, match=r"'nothing'.*it holds: none yet"):
        registry.find("nothing@champion")
    add("run-1")
    add("run-1", name="flowers")
    with pytest.raises(RegistryError, match="it holds: elpv-defects, flowers"):
        registry.versions("elpv-defect")
    with pytest.raises(RegistryError, match=r"no alias @champion; it has: @challenger"):
        registry.find(NAME)
    with pytest.raises(RegistryError, match=r"no version 7; it has: 1\."):
        registry.find(f"{NAME}/7")
    with pytest.raises(RegistryError, match="expected NAME@alias"):
        registry.find("a@b@c")


def test_a_locked_database_is_one_paragraph(registry, add, store):
    add("run-1")
    blocker = sqlite3.connect(store.uri.removeprefix("sqlite:///"))
    blocker.execute("BEGIN EXCLUSIVE")
    fresh = MlflowStore(store.uri.replace("/store/", "/store/../store/"))
    with pytest.raises(RegistryError, match="locked by another process") as caught:
        ModelRegistry(fresh).models()
    blocker.close()
    assert "\n" not in str(caught.value)
    assert ModelRegistry(fresh).models() == (NAME,)


@pytest.mark.full
def test_a_database_locked_for_writing_is_one_paragraph(registry, add, store):
    """MLflow waits 20 s for the writer before it gives up."""
    version = add("run-1")
    blocker = sqlite3.connect(store.uri.removeprefix("sqlite:///"))
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(RegistryError, match="locked by another process"):
        registry.promote(version, "now")
    blocker.close()
    assert registry.promote(version, "now").aliases == ("champion",)


def test_a_file_that_is_no_database_is_one_paragraph(tmp_path):
    path = tmp_path / "mlflow.db"
    path.write_text("this is a text file, not a database " * 10)
    with pytest.raises(RegistryError, match="expected an MLflow database"):
        ModelRegistry(MlflowStore(f"sqlite:///{path}")).models()


def test_a_database_without_a_place_for_artifacts_is_refused(monkeypatch):
    store = MlflowStore("postgresql://user:secret@db/mlflow")
    with pytest.raises(RegistryError, match="without an artifact root") as caught:
        store.experiment_id(_NoExperiments(), "elpv")
    assert "secret" not in str(caught.value)


class _NoExperiments:
    def get_experiment_by_name(self, name):
        return None


def test_nothing_is_printed_and_nothing_lands_in_the_current_directory(
    add, registry, capfd, tmp_path, monkeypatch
):
    somewhere = tmp_path / "cwd"
    somewhere.mkdir()
    (somewhere / "uv.lock").write_text("")
    (somewhere / "pyproject.toml").write_text("")
    monkeypatch.chdir(somewhere)
    version = add("run-1")
    registry.promote(version, "good")
    assert capfd.readouterr() == ("", "")
    assert sorted(p.name for p in somewhere.iterdir()) == ["pyproject.toml", "uv.lock"]
    assert not (registry.fetch(version).parent / "uv.lock").exists()
