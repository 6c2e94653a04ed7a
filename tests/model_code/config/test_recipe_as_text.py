"""A task receives its recipe as text and must see what the desk saw."""

import pytest

from model_code.config.load import load_recipe, recipe_from_json, recipe_names
from model_code.config.recipe import digest, to_json
from model_code.errors import ConfigError

# The API server of KFP refuses parameters beyond this (kfp-facts 5).
MAXIMUM_PARAMETER_BYTES = 10_000


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_survives_the_way_to_its_task(name):
    recipe = load_recipe(name)
    text = to_json(recipe)

    assert recipe_from_json(text) == recipe
    assert digest(recipe_from_json(text)) == digest(recipe)
    assert len(text.encode()) < MAXIMUM_PARAMETER_BYTES


def test_small_numbers_stay_numbers():
    # YAML 1.1 reads 1e-07, as json writes it, as a text.
    recipe = load_recipe("elpv-quick", ["finetune.train.optimizer.epsilon=1.0e-7"])

    assert "1e-07" in to_json(recipe)
    assert recipe_from_json(to_json(recipe)) == recipe


@pytest.mark.parametrize("text", ["", "{", "[]", '"name"'])
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(ConfigError, match="given as JSON"):
        recipe_from_json(text)
