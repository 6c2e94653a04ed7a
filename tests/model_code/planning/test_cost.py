"""What a recipe costs before it runs."""

import pytest

from model_code.config.load import load_recipe
from model_code.errors import ConfigError
from model_code.model.complexity import complexity
from model_code.model.variants import resolve
from model_code.planning.cost import Machine, recipe_cost, refuse_overspending

MACHINE = Machine(name="one", peak_flops=1e12, price=2.0, utilisation=0.5)


def cost(*overrides: str):
    recipe = load_recipe("elpv-quick", overrides)
    return recipe_cost(recipe, MACHINE, finetune_examples=1771, pretrain_examples=1152)


def test_a_fixed_size_run_is_images_times_three_forward_passes():
    found = cost(
        "finetune.train.progressive={rule: fixed, image_size: {start: 96, end: 96}}",
        "finetune.train.epochs=2",
    ).finetune
    network = resolve(load_recipe("elpv-quick").model)
    forward = complexity(network, 96).total.multiply_adds
    assert found.images == found.steps * 32
    assert found.operations == found.images * forward * 6
    assert found.hours == pytest.approx(found.operations / 0.5e12 / 3600)
    assert found.price == pytest.approx(2 * found.hours)


def test_progressive_learning_costs_less_than_the_final_size_throughout():
    progressive = cost().finetune
    fixed = cost("finetune.train.progressive.rule=fixed").finetune
    assert progressive.steps == fixed.steps
    assert progressive.operations < 0.9 * fixed.operations


def test_both_tasks_add_up_and_the_cap_refuses():
    found = cost()
    assert found.pretrain is not None
    assert found.price == pytest.approx(found.pretrain.price + found.finetune.price)
    refuse_overspending(found, cap=found.price)
    with pytest.raises(ConfigError, match=r"the cap is"):
        refuse_overspending(found, cap=found.price / 2)


def test_a_pretrain_set_of_unknown_size_is_asked_for():
    with pytest.raises(ConfigError, match="give pretrain_examples"):
        recipe_cost(load_recipe("elpv-quick"), MACHINE, finetune_examples=100)
