"""Plans against the paper, the released code, and laws that hold for any plan."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_code.config.training import ProgressiveConfig, Ramp, SizeRamp
from model_code.errors import ConfigError
from model_code.model.complexity import complexity
from model_code.model.variants import find_variant
from model_code.training.progressive import (
    plan_stages,
    stage_at,
    training_images,
)
from tests.model_code.training.recipes import (
    IMAGENET_21K,
    IMAGENET_21K_TRAIN,
    IMAGENET_TRAIN,
    TRANSFER,
    adaptive,
    progressive,
    train_config,
)


@pytest.mark.parametrize(
    ("start", "end", "sizes"),
    [(128, 300, [128, 185, 243, 300]), (128, 380, [128, 212, 296, 380])],
)
def test_algorithm_1_sizes_equal_the_paper(
    start: int, end: int, sizes: list[int]
) -> None:
    plan = plan_stages(
        train_config(progressive=progressive(start, end)), IMAGENET_TRAIN
    )
    assert [stage.image_size for stage in plan] == sizes


@pytest.mark.parametrize(
    ("start", "end", "sizes"),
    [
        pytest.param(128, 300, [171, 214, 257, 300], id="S"),
        pytest.param(128, 384, [192, 256, 320, 384], id="M, L, XL"),
        pytest.param(128, 192, [144, 160, 176, 192], id="B0, B1"),
        pytest.param(128, 208, [148, 168, 188, 208], id="B2"),
        pytest.param(128, 240, [156, 184, 212, 240], id="B3"),
    ],
)
def test_released_sizes_never_train_at_the_start(
    start: int, end: int, sizes: list[int]
) -> None:
    config = train_config(progressive=progressive(start, end, rule="released"))
    plan = plan_stages(config, IMAGENET_TRAIN)
    assert [stage.image_size for stage in plan] == sizes


@pytest.mark.parametrize(
    ("column", "randaugment", "mixup", "dropout"),
    [
        pytest.param(
            adaptive(128, 300, 15.0, 0.0, 0.3),
            [5, 8.3333, 11.6667, 15],
            [0, 0, 0, 0],
            [0.1, 0.1667, 0.2333, 0.3],
            id="S",
        ),
        pytest.param(
            adaptive(128, 380, 20.0, 0.2, 0.4),
            [5, 10, 15, 20],
            [0, 0.0667, 0.1333, 0.2],
            [0.1, 0.2, 0.3, 0.4],
            id="M",
        ),
        pytest.param(
            adaptive(128, 380, 25.0, 0.5, 0.5),
            [5, 11.6667, 18.3333, 25],
            [0, 0.1667, 0.3333, 0.5],
            [0.1, 0.2333, 0.3667, 0.5],
            id="L",
        ),
    ],
)
def test_strengths_equal_table_6(
    column: ProgressiveConfig,
    randaugment: list[float],
    mixup: list[float],
    dropout: list[float],
) -> None:
    plan = plan_stages(train_config(progressive=column), IMAGENET_TRAIN)
    assert [s.randaugment_magnitude for s in plan] == pytest.approx(
        randaugment, abs=1e-4
    )
    assert [s.mixup_alpha for s in plan] == pytest.approx(mixup, abs=1e-4)
    assert [s.dropout_rate for s in plan] == pytest.approx(dropout, abs=1e-4)


def test_released_strengths_start_at_their_start() -> None:
    config = progressive(
        128,
        384,
        rule="released",
        randaugment_magnitude=Ramp(start=5.0, end=20.0),
        cutmix_alpha=Ramp(end=0.5),
        dropout_rate=Ramp(start=0.4, end=0.4),
    )
    plan = plan_stages(train_config(progressive=config), IMAGENET_TRAIN)
    assert [s.randaugment_magnitude for s in plan] == pytest.approx([5, 10, 15, 20])
    assert [s.cutmix_alpha for s in plan] == pytest.approx(
        [0, 0.1667, 0.3333, 0.5], abs=1e-4
    )
    assert {s.dropout_rate for s in plan} == {0.4}


def test_stage_boundaries_of_imagenet() -> None:
    plan = plan_stages(train_config(), IMAGENET_TRAIN)
    assert [stage.last_step for stage in plan] == [26_834, 53_668, 80_502, 107_336]


@pytest.mark.parametrize(
    ("epoch", "stage"), [(0, 1), (87.4, 1), (87.5, 2), (174.9, 2), (175, 3), (349, 4)]
)
def test_stage_of_an_epoch(epoch: float, stage: int) -> None:
    # 1,024,000 images make 250 steps an epoch, so that every epoch is a step.
    plan = plan_stages(train_config(), 1_024_000)
    assert stage_at(plan, int(epoch * 250)).index + 1 == stage


@pytest.mark.parametrize(
    ("settings", "images", "steps"),
    [
        pytest.param({}, IMAGENET_TRAIN, 107_336, id="ImageNet-1k"),
        pytest.param(IMAGENET_21K, IMAGENET_21K_TRAIN, 186_332, id="ImageNet-21k"),
        pytest.param(TRANSFER, IMAGENET_TRAIN, 36_801, id="finetune on ImageNet-1k"),
        pytest.param(TRANSFER, 50_000, 10_000, id="CIFAR"),
        pytest.param(TRANSFER, 1_020, 10_000, id="Flowers"),
        pytest.param(TRANSFER, 8_144, 10_000, id="Cars"),
    ],
)
def test_total_steps(settings: dict[str, object], images: int, steps: int) -> None:
    assert plan_stages(train_config(**settings), images)[-1].last_step == steps


@pytest.mark.parametrize(
    ("settings", "images", "steps"),
    [(TRANSFER, 50_000, 1_464), (TRANSFER, 1_020, 29), (TRANSFER, 8_144, 238)],
)
def test_total_steps_without_a_minimum(
    settings: dict[str, object], images: int, steps: int
) -> None:
    config = train_config(**(settings | {"minimum_steps": 0}))
    assert plan_stages(config, images)[-1].last_step == steps


@pytest.mark.parametrize("epoch_share", [0, 1, 99, 100, 250, 399])
def test_resume_at_any_step_finds_the_stage_of_an_uninterrupted_run(
    epoch_share: int,
) -> None:
    plan = plan_stages(train_config(epochs=4.0, global_batch_size=10), 1_000)
    assert stage_at(plan, epoch_share) is plan[epoch_share // 100]


@pytest.mark.parametrize("step", [-1, 107_336])
def test_a_step_outside_the_plan_is_refused(step: int) -> None:
    with pytest.raises(ValueError, match="outside 0 to 107335"):
        stage_at(plan_stages(train_config(), IMAGENET_TRAIN), step)


def test_a_run_without_a_step_is_refused() -> None:
    with pytest.raises(ConfigError, match="make no full batch of 4096"):
        plan_stages(train_config(epochs=1.0), 100)


def test_fractional_epochs_are_exact() -> None:
    # 0.3 * 1000 is 299.99... in binary; three full batches of 100 fit.
    config = train_config(epochs=0.3, global_batch_size=100)
    assert plan_stages(config, 1_000)[-1].last_step == 3


def test_fixed_trains_at_the_end_of_every_ramp() -> None:
    config = progressive(
        128, 300, rule="fixed", randaugment_magnitude=Ramp(start=5.0, end=15.0)
    )
    plan = plan_stages(train_config(progressive=config), IMAGENET_TRAIN)
    assert {(s.image_size, s.randaugment_magnitude) for s in plan} == {(300, 15.0)}


def test_without_adaptation_only_the_size_grows() -> None:
    config = progressive(
        128, 300, adaptive=False, randaugment_magnitude=Ramp(start=5.0, end=15.0)
    )
    plan = plan_stages(train_config(progressive=config), IMAGENET_TRAIN)
    assert [s.image_size for s in plan] == [128, 185, 243, 300]
    assert {s.randaugment_magnitude for s in plan} == {15.0}


def test_random_resize_draws_a_size_every_eight_epochs() -> None:
    config = train_config(
        epochs=30.0,
        global_batch_size=10,
        progressive=progressive(
            128,
            300,
            rule="random_resize",
            randaugment_magnitude=Ramp(start=5.0, end=15.0),
        ),
    )
    plan = plan_stages(config, 100)
    assert [stage.last_step for stage in plan] == [80, 160, 240, 300]
    strengths = {128: 5.0, 185: 8.333, 243: 11.667, 300: 15.0}
    for stage in plan:
        expected = strengths[stage.image_size]
        assert stage.randaugment_magnitude == pytest.approx(expected, abs=1e-3)


def test_random_resize_follows_from_the_seed_and_visits_every_size() -> None:
    config = progressive(128, 300, rule="random_resize", resize_every_epochs=1)
    sizes = {
        seed: [
            stage.image_size
            for stage in plan_stages(
                train_config(seed=seed, epochs=100.0, progressive=config), 50_000
            )
        ]
        for seed in (1, 2)
    }
    again = plan_stages(train_config(seed=1, epochs=100.0, progressive=config), 50_000)
    assert sizes[1] == [stage.image_size for stage in again]
    assert sizes[1] != sizes[2]
    assert set(sizes[1]) == {128, 185, 243, 300}


def test_a_growing_batch_keeps_the_images_of_each_stage() -> None:
    config = train_config(
        epochs=4.0,
        global_batch_size=10,
        progressive=progressive(
            64, 96, stages=2, rule="released", stage_batch_sizes=(40, 10)
        ),
    )
    plan = plan_stages(config, 1_000)
    assert [(s.steps, s.global_batch_size) for s in plan] == [(50, 40), (200, 10)]


@pytest.mark.parametrize(
    ("variant", "end", "rule", "expected"),
    [
        pytest.param("efficientnetv2-s", 300, "released", 0.6579, id="S released"),
        pytest.param("efficientnetv2-s", 300, "algorithm1", 0.5584, id="S paper"),
        pytest.param("efficientnetv2-m", 384, "released", 0.5975, id="M released"),
        pytest.param("efficientnetv2-m", 380, "algorithm1", 0.5197, id="M paper"),
    ],
)
def test_cost_relative_to_training_at_full_size(
    variant: str, end: int, rule: str, expected: float
) -> None:
    config = train_config(progressive=progressive(128, end, rule=rule))
    row = find_variant(variant)
    costs = [
        complexity(row, stage.image_size).total.multiply_adds
        for stage in plan_stages(config, IMAGENET_TRAIN)
    ]
    assert sum(costs) / 4 / costs[-1] == pytest.approx(expected, rel=0.005)


@given(
    stages=st.integers(1, 8),
    examples=st.integers(1, 5_000),
    batch=st.integers(1, 64),
    tenths=st.integers(1, 300),
    start=st.integers(8, 300),
    growth=st.integers(0, 200),
    rule=st.sampled_from(["algorithm1", "released", "random_resize", "fixed"]),
)
def test_laws_of_every_plan(
    *,
    stages: int,
    examples: int,
    batch: int,
    tenths: int,
    start: int,
    growth: int,
    rule: str,
) -> None:
    config = train_config(
        epochs=tenths / 10,
        minimum_steps=1,
        global_batch_size=batch,
        progressive=ProgressiveConfig(
            rule=rule,  # type: ignore[arg-type]
            stages=stages,
            image_size=SizeRamp(start=start, end=start + growth),
            mixup_alpha=Ramp(end=0.5),
            resize_every_epochs=1,
        ),
    )
    plan = plan_stages(config, examples)
    assert plan[0].first_step == 0
    assert plan[-1].last_step == training_images(config, examples) // batch
    for earlier, later in itertools.pairwise(plan):
        assert earlier.last_step == later.first_step
        assert rule == "random_resize" or earlier.image_size <= later.image_size
        assert rule == "random_resize" or earlier.mixup_alpha <= later.mixup_alpha
    assert all(start <= s.image_size <= start + growth for s in plan)
    assert all(0 <= s.mixup_alpha <= 0.5 for s in plan)
