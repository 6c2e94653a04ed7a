"""The winner leaves as a row that a training recipe takes as it is."""

from pathlib import Path

import pytest
from optuna.storages import InMemoryStorage

from model_code import artifacts
from model_code.config.load import load_recipe
from model_code.config.model import BlockTable
from model_code.search.outcome import write_outcome
from model_code.search.summary import StudySummary, from_plain, summarise
from model_code.search.worker import work
from tests.model_code.search.recipes import by_formula, open_at


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudySummary]:
    search = open_at(InMemoryStorage(), model={"variant": "efficientnetv2-s"})
    work(search, by_formula)
    summary = summarise(search)
    output = tmp_path_factory.mktemp("search")
    write_outcome(summary, search.recipe, output)
    return output, summary


def test_the_winner_is_a_training_recipes_variant(
    outcome: tuple[Path, StudySummary],
) -> None:
    output, summary = outcome
    row = output / artifacts.WINNER

    recipe = load_recipe("elpv-quick", [f"model.variant=@{row}"])

    assert recipe.model.variant == summary.network
    comment = row.read_text().splitlines()[0]
    assert comment.startswith("# Winner of search search-test")
    assert f"trial {summary.winner + 1} of 6" in comment


def test_the_family_has_every_size(outcome: tuple[Path, StudySummary]) -> None:
    output, summary = outcome
    rows = sorted((output / artifacts.FAMILY).glob("*.yaml"))

    tables = {
        row.stem: load_recipe("elpv-quick", [f"model.variant=@{row}"]).model.variant
        for row in rows
    }

    assert sorted(tables) == ["b0", "b1", "b2", "b3", "l", "m", "s"]
    assert tables["s"] == summary.network
    assert all(isinstance(table, BlockTable) for table in tables.values())
    large = (output / artifacts.FAMILY / "l.yaml").read_text()
    assert "inference at 480 px" in large


def test_the_study_can_be_read_again(outcome: tuple[Path, StudySummary]) -> None:
    output, summary = outcome

    assert from_plain(artifacts.read_json(output / artifacts.STUDY)) == summary
    assert "<html" in (output / artifacts.REPORT).read_text()
