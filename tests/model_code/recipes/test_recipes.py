"""The published recipes equal what was published."""

from importlib import resources

import pytest

from model_code.config.load import load_recipe, recipe_names
from model_code.data.cropping import evaluation_crop
from model_code.model.variants import find_variant
from model_code.training.progressive import plan_stages
from model_code.training.schedules import learning_rate_schedule
from tests.model_code.recipes.stage_tables import (
    GOLDEN,
    TRAIN_EXAMPLES,
    published_names,
    table,
)

NAMES = published_names()
MIXED = (0, 0.0667, 0.1333, 0.2)
# Table 3.3 of the facts: sizes, RandAugment, mixup, CutMix, dropout.
PUBLISHED = {
    "paper-imagenet1k-s": (
        (128, 185, 243, 300), (5, 8.3333, 11.6667, 15),
        (0,) * 4, (0,) * 4, (0.1, 0.1667, 0.2333, 0.3),
    ),
    "paper-imagenet1k-m": (
        (128, 212, 296, 380), (5, 10, 15, 20), MIXED, (0,) * 4, (0.1, 0.2, 0.3, 0.4),
    ),
    "paper-imagenet1k-l": (
        (128, 212, 296, 380), (5, 11.6667, 18.3333, 25),
        (0, 0.1333, 0.2667, 0.4), (0,) * 4, (0.1, 0.2333, 0.3667, 0.5),
    ),
    "released-imagenet1k-s": (
        (171, 214, 257, 300), (5, 6.6667, 8.3333, 10), (0,) * 4, (0,) * 4, (0.2,) * 4,
    ),
    "released-imagenet1k-m": (
        (192, 256, 320, 384), (5, 8.3333, 11.6667, 15), MIXED, MIXED, (0.3,) * 4,
    ),
    "released-imagenet1k-l": (
        (192, 256, 320, 384), (5, 10, 15, 20),
        (0, 0.1667, 0.3333, 0.5), (0, 0.1667, 0.3333, 0.5), (0.4,) * 4,
    ),
    "released-imagenet1k-b0": ((144, 160, 176, 192), *([(0,) * 4] * 3), (0.2,) * 4),
    "released-imagenet1k-b1": ((144, 160, 176, 192), *([(0,) * 4] * 3), (0.2,) * 4),
    "released-imagenet1k-b2": ((148, 168, 188, 208), *([(0,) * 4] * 3), (0.3,) * 4),
    "released-imagenet1k-b3": ((156, 184, 212, 240), *([(0,) * 4] * 3), (0.3,) * 4),
    "nvidia-imagenet1k-s": (
        (171, 214, 257, 300), (5, 8.3333, 11.6667, 15), (0,) * 4, (0,) * 4, (0.2,) * 4,
    ),
}  # fmt: skip


def _train(name):
    return load_recipe(name).finetune.train


def test_the_golden_stages_of_every_published_recipe():
    # After a wanted change: python -m tests.model_code.recipes.stage_tables
    assert table() == GOLDEN.read_text()


@pytest.mark.parametrize("name", PUBLISHED)
def test_stages_are_the_published_ones(name):
    stages = plan_stages(_train(name), TRAIN_EXAMPLES["imagenet1k"])
    sizes, *strengths = PUBLISHED[name]
    assert tuple(stage.image_size for stage in stages) == sizes
    actual = [
        [stage.randaugment_magnitude for stage in stages],
        [stage.mixup_alpha for stage in stages],
        [stage.cutmix_alpha for stage in stages],
        [stage.dropout_rate for stage in stages],
    ]
    for row, expected in zip(actual, strengths, strict=True):
        assert row == pytest.approx(list(expected), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "task", "steps"),
    [
        ("paper-imagenet1k-s", "finetune", 107_336),
        ("released-imagenet1k-b3", "finetune", 107_336),
        ("paper-imagenet21k-xl", "pretrain", 186_332),
        ("released-imagenet21k-s", "pretrain", 186_332),
        ("released-imagenet21k-s", "finetune", 36_801),
        ("paper-transfer-flowers", "finetune", 10_000),
        ("released-transfer-cars", "finetune", 10_000),
    ],
)
def test_published_numbers_of_steps(name, task, steps):
    settings = getattr(load_recipe(name), task)
    stages = plan_stages(settings.train, TRAIN_EXAMPLES[settings.data.name])
    assert stages[-1].last_step == steps


@pytest.mark.parametrize(
    ("name", "task", "peak", "schedule"),
    [
        ("paper-imagenet1k-s", "finetune", 0.256, "exponential"),
        ("paper-imagenet21k-l", "pretrain", 0.128, "cosine"),
        ("released-imagenet21k-l", "pretrain", 0.128, "cosine"),
        ("paper-imagenet21k-l", "finetune", 0.001, "cosine"),
        ("released-imagenet21k-l", "finetune", 0.001, "constant"),
        ("paper-transfer-cifar100", "finetune", 0.001, "cosine"),
        ("released-transfer-cifar100", "finetune", 0.001, "constant"),
        ("nvidia-imagenet1k-s", "finetune", 0.14375, "cosine"),
    ],
)
def test_published_learning_rates(name, task, peak, schedule):
    settings = getattr(load_recipe(name), task)
    examples = TRAIN_EXAMPLES[settings.data.name]
    assert learning_rate_schedule(settings.train, examples).peak == pytest.approx(peak)
    assert settings.train.learning_rate.schedule == schedule


@pytest.mark.parametrize("name", NAMES)
def test_the_network_is_evaluated_as_published(name):
    recipe = load_recipe(name)
    published = find_variant(str(recipe.model.variant)).published
    train = recipe.finetune.train
    assert train.evaluation_image_size == published.evaluation_image_size
    if not name.startswith("nvidia-"):  # mean and deviation for S too
        assert recipe.model.preprocessing == published.preprocessing


@pytest.mark.parametrize("name", NAMES)
def test_what_tells_paper_and_released_apart(name):
    recipe = load_recipe(name)
    momentum = 0.9 if name.startswith("released-") else 0.99
    assert recipe.model.batch_norm_momentum == momentum
    assert recipe.name == name
    decay = recipe.finetune.train.optimizer.weight_decay
    expected = {"paper-transfer": 0.0, "nvidia-imagenet1k": 5e-6}
    assert decay == expected.get("-".join(name.split("-")[:2]), 1e-5)


@pytest.mark.parametrize("number", range(4))
def test_small_networks_use_autoaugment_and_always_crop(number):
    for origin in ("paper", "released"):
        train = _train(f"{origin}-imagenet1k-b{number}")
        augmentation = train.augmentation
        assert augmentation.policy == "autoaugment"
        assert augmentation.interpolation == "bicubic"
        assert augmentation.crop_area == (0.08, 1.0)
        assert augmentation.crop_attempts == 10
        size = train.evaluation_image_size
        assert evaluation_crop(size, augmentation) == size / (size + 32)


@pytest.mark.parametrize(
    "name", [name for name in NAMES if "21k" in name or "transfer" in name]
)
def test_finetuning_squashes_and_erases(name):
    train = _train(name)
    assert train.augmentation.cutout
    assert train.augmentation.policy == "none"
    assert evaluation_crop(train.evaluation_image_size, train.augmentation) is None
    assert train.ema_decay == 0.9996


def test_published_test_sets_and_hold_outs():
    imagenet = load_recipe("released-imagenet1k-m").finetune.data
    assert imagenet.source.test is not None
    assert imagenet.splits.validation_examples == 25_000  # minival
    pretrain = load_recipe("released-imagenet21k-m").pretrain.data
    assert pretrain.splits.validation_examples == 100_000
    for name, library in (("cars", "cars196"), ("flowers", "oxford_flowers102")):
        data = load_recipe(f"released-transfer-{name}").finetune.data
        assert (data.source.name, data.source.test_split) == (library, "test")
        assert data.splits.test == data.splits.validation == 0.0


def test_pretraining_was_released_without_regularisation():
    train = load_recipe("released-imagenet21k-m").pretrain.train
    assert train.drop_path_rate == 0.0
    assert train.progressive.dropout_rate.end == 0.0
    assert train.augmentation.policy == "none"
    assert train.loss.label_smoothing == 0.0


@pytest.mark.parametrize("name", recipe_names())
def test_a_header_states_what_to_expect(name):
    text = (resources.files("model_code") / "recipes" / f"{name}.yaml").read_text()
    header = [line for line in text.splitlines() if line.startswith("#")]
    assert any(line.startswith("# Expected:") for line in header)
    if name in NAMES:
        for word in ("# Steps:", "Cost:", "# Source:"):
            assert any(word in line for line in header), word
