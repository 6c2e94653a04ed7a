"""Learning rate, EMA decay and evaluation points against published numbers."""

import pytest

from model_code.config.training import LearningRateConfig
from model_code.training.progressive import plan_stages
from model_code.training.schedules import (
    LearningRateSchedule,
    ema_decay,
    evaluation_steps,
    learning_rate_schedule,
    learning_rates,
)
from tests.model_code.training.recipes import (
    IMAGENET_21K,
    IMAGENET_21K_TRAIN,
    IMAGENET_TRAIN,
    TRANSFER,
    progressive,
    train_config,
)


def schedule(
    steps_per_epoch: float, total: float, **rate: object
) -> LearningRateSchedule:
    config = LearningRateConfig(**({"warmup_epochs": 0.0} | rate))  # type: ignore[arg-type]
    return LearningRateSchedule(
        config=config, peak=1.0, steps_per_epoch=steps_per_epoch, total_steps=total
    )


@pytest.mark.parametrize(
    ("settings", "images", "peak"),
    [
        pytest.param({}, IMAGENET_TRAIN, 0.256, id="ImageNet-1k"),
        pytest.param(IMAGENET_21K, IMAGENET_21K_TRAIN, 0.128, id="ImageNet-21k"),
        pytest.param(TRANSFER, 50_000, 0.001, id="transfer"),
    ],
)
def test_peak(settings: dict[str, object], images: int, peak: float) -> None:
    made = learning_rate_schedule(train_config(**settings), images)
    assert made.peak == pytest.approx(peak, abs=1e-9)


@pytest.mark.parametrize(
    ("step", "rate"),
    [
        (0, 0.0),
        (1, 0.000166993),
        (500, 0.083496412),
        (1532, 0.255833007),
        (1533, 0.240870400),
        (2208, 0.240870400),
        (2209, 0.233644288),
        (26_834, 0.085511081),
        (53_668, 0.028563067),
        (80_502, 0.009254629),
        (107_335, 0.003091302),
    ],
)
def test_imagenet_staircase(step: int, rate: float) -> None:
    made = learning_rate_schedule(train_config(), IMAGENET_TRAIN)
    # The published values have nine decimals.
    assert made(step) == pytest.approx(rate, rel=1e-7, abs=5e-10)


@pytest.mark.parametrize(
    ("step", "rate"),
    [
        (1552, 0.063979388),
        (3105, 0.127912320),
        (46_583, 0.109254834),
        (93_166, 0.064),
        (139_749, 0.018745166),
        (186_332, 0.0),
    ],
)
def test_imagenet_21k_cosine(step: int, rate: float) -> None:
    made = learning_rate_schedule(train_config(**IMAGENET_21K), IMAGENET_21K_TRAIN)
    assert made(step) == pytest.approx(rate, abs=1e-6)


@pytest.mark.parametrize(
    ("step", "rate"), [(2_500, 0.000853553), (5_000, 0.0005), (7_500, 0.000146447)]
)
def test_transfer_cosine(step: int, rate: float) -> None:
    made = learning_rate_schedule(train_config(**TRANSFER), 50_000)
    assert made(step) == pytest.approx(rate, abs=1e-9)


@pytest.mark.parametrize(
    ("made", "rates"),
    [
        pytest.param(
            schedule(1.0, 10.0, schedule="cosine"),
            {4: 0.654508, 5: 0.5, 6: 0.345491},
            id="cosine",
        ),
        pytest.param(
            schedule(1.0, 10.0, schedule="linear"), {0: 1, 5: 0.5, 10: 0}, id="linear"
        ),
        pytest.param(
            schedule(
                10.0, 100.0, schedule="exponential", decay_epochs=2.0, decay_rate=0.5
            ),
            {5: 1.0, 25: 0.5, 70: 0.125},
            id="exponential",
        ),
        pytest.param(
            schedule(10.0, 100.0, schedule="constant", warmup_epochs=2.0),
            {5: 0.25, 35: 1.0},
            id="warm-up",
        ),
        pytest.param(
            schedule(1.0, 10.0, schedule="cosine", minimum=0.4),
            {4: 0.654508, 6: 0.4, 10: 0.4},
            id="minimum",
        ),
    ],
)
def test_unit_values_of_the_released_tests(
    made: LearningRateSchedule, rates: dict[int, float]
) -> None:
    assert {step: made(step) for step in rates} == pytest.approx(rates, abs=1e-6)


def test_every_step_of_a_plan_has_its_rate() -> None:
    config = train_config(epochs=4.0, global_batch_size=100)
    plan = plan_stages(config, 1_000)
    made = learning_rate_schedule(config, 1_000)
    assert learning_rates(config, plan, 1_000) == [made(step) for step in range(40)]


def test_a_stage_boundary_does_not_disturb_the_rate() -> None:
    settings = {"epochs": 4.0, "global_batch_size": 100}
    rates = []
    for stages in (1, 4):
        config = train_config(
            progressive=progressive(128, 300, stages=stages), **settings
        )
        rates.append(learning_rates(config, plan_stages(config, 1_000), 1_000))
    assert rates[0] == rates[1]


@pytest.mark.parametrize(("scale_by_batch", "factor"), [(True, 4.0), (False, 1.0)])
def test_a_larger_stage_batch_scales_the_rate_and_keeps_the_epochs(
    scale_by_batch: bool, factor: float
) -> None:
    config = train_config(
        epochs=4.0,
        global_batch_size=10,
        learning_rate=LearningRateConfig(
            schedule="cosine", scale_by_batch=scale_by_batch, warmup_epochs=0.0
        ),
        progressive=progressive(64, 96, stages=2, stage_batch_sizes=(40, 10)),
    )
    made = learning_rate_schedule(config, 1_000)
    rates = learning_rates(config, plan_stages(config, 1_000), 1_000)
    assert len(rates) == 250
    assert rates[25] == pytest.approx(made(100) * factor)  # one epoch seen
    assert rates[50] == pytest.approx(made(200))  # two epochs seen, recipe's batch


@pytest.mark.parametrize(
    ("updates", "decay"),
    [
        (0, 0.1),
        (10, 0.55),
        (100, 0.918182),
        (1000, 0.991089),
        (10_000, 0.999101),
        (89_989, 0.99989999889),
        (89_990, 0.9999),
        (1_000_000, 0.9999),
    ],
)
def test_ema_ramp(updates: int, decay: float) -> None:
    assert ema_decay(0.9999, updates) == pytest.approx(decay, abs=5e-7)
    assert ema_decay(0.9999, updates) <= 0.9999


def test_ema_reaches_its_nominal_decay_at_89_990_updates() -> None:
    assert ema_decay(0.9999, 89_989) == pytest.approx(0.99989999889, abs=1e-11)
    assert ema_decay(0.9999, 89_990) == 0.9999


@pytest.mark.parametrize(
    ("every", "expected"),
    [(1.0, [10, 20, 30, 35]), (1.75, [18, 35]), (9.0, [35]), (0.5, [*range(5, 36, 5)])],
)
def test_evaluation_points(every: float, expected: list[int]) -> None:
    config = train_config(
        epochs=3.5, global_batch_size=100, evaluate_every_epochs=every
    )
    assert evaluation_steps(config, plan_stages(config, 1_000), 1_000) == expected
