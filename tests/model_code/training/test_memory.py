"""A stage that cannot fit is refused before the first step."""

from dataclasses import replace
from typing import Any

import pytest
import tensorflow as tf

from model_code.config.model import ModelConfig
from model_code.config.training import DistributionConfig
from model_code.errors import TrainingError
from model_code.training import memory
from model_code.training.progressive import plan_stages
from tests.model_code.training.recipes import IMAGENET_TRAIN, progressive, train_config

S = ModelConfig(variant="efficientnetv2-s")


def check(available: float, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: available)
    train = train_config(global_batch_size=64, **changes)
    stages = plan_stages(train, IMAGENET_TRAIN)
    strategy = tf.distribute.OneDeviceStrategy("/CPU:0")
    memory.check_largest_stage(train, S, 1000, stages, strategy)


def test_what_fits_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    check(40e9, monkeypatch)


def test_the_largest_stage_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        TrainingError,
        match=r"Stage 4 trains on 64 images of 300 px .* 6\.0 GB are free",
    ):
        check(6e9, monkeypatch)
    check(6e9, monkeypatch, progressive=progressive(128, 128))


def test_a_growing_batch_may_make_the_first_stage_the_largest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    growing = progressive(128, 300, stage_batch_sizes=(1024, 64, 64, 64))
    with pytest.raises(TrainingError, match="Stage 1 trains on 1024 images of 128 px"):
        check(20e9, monkeypatch, progressive=growing)


def test_needs_shrink_with_replicas_and_precision() -> None:
    train = train_config(global_batch_size=64)
    stage = plan_stages(train, IMAGENET_TRAIN)[-1]
    whole = memory.needed_bytes(train, S, 1000, stage, 1)
    weights = memory.needed_bytes(
        train, S, 1000, replace(stage, global_batch_size=0), 1
    )
    halves = memory.needed_bytes(train, S, 1000, stage, 2)
    assert halves - weights == pytest.approx((whole - weights) / 2)
    mixed = replace(train, distribution=DistributionConfig(precision="mixed_bfloat16"))
    assert memory.needed_bytes(mixed, S, 1000, stage, 1) == pytest.approx(halves)


def test_this_host_has_memory() -> None:
    assert 1e8 < memory.available_bytes() < 1e14
