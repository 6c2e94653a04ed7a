"""Every published recipe trains here once it is shrunk with overrides."""

import pytest

from model_code.config.load import load_recipe
from model_code.training.loop import train_and_evaluate
from tests.helpers.datasets import examples, write_dataset
from tests.model_code.recipes.stage_tables import published_names, tasks

STEPS = 4
SAMPLE = ("paper-imagenet1k-m", "released-imagenet21k-s")
SHRUNK = (
    "epochs=0.25",
    f"minimum_steps={STEPS}",
    "global_batch_size=4",
    "progressive.image_size={start: 16, end: 32}",
    "evaluation_image_size=32",
    "evaluate_every_epochs=100",
    "initial_weights=null",
    "shuffle_buffer=16",
    "distribution={strategy: one_device, precision: float32, steps_per_call: 1}",
    "distribution.jit_compile=false",
    "distribution.synchronize_batch_norm=false",
)


# A sample in the usual run, all of them in the full one.
NAMES = [
    pytest.param(name, marks=() if name in SAMPLE else pytest.mark.full)
    for name in published_names()
]


@pytest.mark.parametrize("name", NAMES)
def test_a_shrunk_recipe_trains(name, tmp_path):
    whole = load_recipe(name)
    overrides = ["model.variant=tiny"] + [
        f"{task}.train.{override}" for task in tasks(whole) for override in SHRUNK
    ]
    recipe = load_recipe(name, overrides)
    rows = examples(16, classes=2)
    splits = {"train": rows, "validation": rows[:4]}
    manifest = write_dataset(tmp_path, splits, classes=2)
    warm_start = None
    for task, settings in tasks(recipe).items():
        output = tmp_path / task
        result = train_and_evaluate(
            settings.train,
            recipe.model,
            manifest,
            str(tmp_path / f"{task}-work"),
            output,
            task=task,
            warm_start=warm_start,
        )
        assert result.steps == STEPS
        assert result.origin == ("warm start" if warm_start else "scratch")
        warm_start = output
