"""Search recipes: what ships loads, what cannot work is refused when it is read."""

import pytest

from model_code.config.load import (
    load_recipe,
    load_search_recipe,
    recipe_names,
    search_recipe_from_json,
    search_recipe_names,
)
from model_code.config.search import study_digest, to_json
from model_code.errors import ConfigError
from model_code.model.variants import resolve
from model_code.search.space import SearchSpace, backbone_table


@pytest.mark.parametrize("name", search_recipe_names())
def test_every_packaged_search_recipe_has_a_space(name: str) -> None:
    recipe = load_search_recipe(name)

    assert recipe.name == name
    assert name not in recipe_names()
    assert SearchSpace(backbone_table(resolve(recipe.model)), recipe.space).size > 1000
    assert search_recipe_from_json(to_json(recipe)) == recipe


def test_more_time_is_the_same_study_and_another_seed_is_not() -> None:
    def digest(*overrides: str) -> str:
        return study_digest(load_search_recipe("search-elpv-quick", overrides))

    assert digest("budget.trials=50", "workers.count=2") == digest()
    assert digest("seed=2") != digest()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("budget.trials=1001", "less than or equal to 1000"),
        ("sampling={kind: pareto}", "pareto has three objectives"),
        ("sampling={kind: evolution, population: 4, tournament: 5}", "at most the"),
        ("workers={heartbeat_seconds: 60.0}", "live trials would be taken for dead"),
        ("space.kernel_sizes=[3, 7]", "input should be 3 or 5"),
        ("space.kernels=[3]", "did you mean 'kernel_sizes'"),
        ("timing.repeats=2", "greater than or equal to 3"),
    ],
)
def test_what_cannot_work_is_refused(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_search_recipe("search-elpv-quick", [override])


def test_an_override_may_be_a_file(tmp_path) -> None:
    row = tmp_path / "row.yaml"
    row.write_text("{start: 32, end: 48}\n")
    key = "finetune.train.progressive.image_size"

    recipe = load_recipe("elpv-quick", [f"{key}=@{row}"])

    assert recipe.finetune.train.progressive.image_size.end == 48
    with pytest.raises(ConfigError, match=r"absent\.yaml cannot be read"):
        load_recipe("elpv-quick", [f"{key}=@{tmp_path / 'absent.yaml'}"])
