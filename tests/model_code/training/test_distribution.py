"""Strategies by name, and who reads and writes what under them."""

from types import SimpleNamespace
from typing import Any

import pytest
import tensorflow as tf

from model_code.config.training import DistributionConfig
from model_code.errors import ConfigError, UnavailableError
from model_code.training.distribution import (
    is_chief,
    is_xla,
    make_strategy,
    memories,
    per_replica,
)


def batches(host: tuple[int, int]) -> tf.data.Dataset:
    index, hosts = host
    return tf.data.Dataset.range(12).shard(hosts, index).batch(4 // hosts)


def test_one_device_takes_batches_as_they_are() -> None:
    strategy = make_strategy(DistributionConfig())
    assert strategy.num_replicas_in_sync == 1
    assert is_chief(strategy)
    assert memories(strategy) == 1
    found = [batch.numpy().tolist() for batch in per_replica(strategy, 4, batches)]
    assert found == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_a_batch_that_does_not_divide_is_refused() -> None:
    strategy = SimpleNamespace(num_replicas_in_sync=3)
    with pytest.raises(
        ConfigError, match="batch of 4 does not divide among 3 replicas"
    ):
        per_replica(strategy, 4, batches)


def test_workers_without_a_cluster_are_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(UnavailableError, match="no cluster in TF_CONFIG"):
        make_strategy(DistributionConfig(strategy="multi_worker"))


def test_xla_and_shared_statistics_exclude_each_other() -> None:
    both = DistributionConfig(jit_compile=True, synchronize_batch_norm=True)
    with pytest.raises(ConfigError, match="Choose one"):
        make_strategy(both)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (DistributionConfig(), False),
        (DistributionConfig(jit_compile=True), True),
        (DistributionConfig(strategy="tpu"), True),
    ],
)
def test_xla_wants_to_know_sizes(config: DistributionConfig, expected: bool) -> None:
    assert is_xla(config) is expected


@pytest.mark.parametrize(
    ("jobs", "kind", "index", "expected"),
    [
        (["worker"], "worker", 0, True),
        (["worker"], "worker", 1, False),
        (["chief", "worker"], "chief", 0, True),
        (["chief", "worker"], "worker", 0, False),
    ],
)
def test_one_worker_of_a_cluster_is_the_chief(
    jobs: list[str], kind: str, index: int, expected: bool
) -> None:
    spec = SimpleNamespace(jobs=jobs)
    resolver = SimpleNamespace(task_type=kind, task_id=index, cluster_spec=lambda: spec)
    strategy: Any = SimpleNamespace(cluster_resolver=resolver)
    assert is_chief(strategy) is expected
