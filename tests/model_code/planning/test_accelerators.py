"""A TPU or GPU request is checked whole, since nothing else checks it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_code.errors import ConfigError
from model_code.planning.accelerators import TPUS, gpu, peak_flops, tpu_slice


@pytest.mark.parametrize(
    ("name", "topology", "chips", "hosts"),
    [
        ("v5e", "1x1", 1, 1),
        ("v5e", "2x4", 8, 1),
        ("v5e", "4x4", 16, 4),
        ("v5e", "16x16", 256, 64),
        ("v6e", "4x8", 32, 8),
        ("v4", "2x2x1", 4, 1),
        ("v4", "2x2x2", 8, 2),
        ("v4", "4x4x8", 128, 32),
        ("v5p", "2x4x4", 32, 8),
    ],
)
def test_slices_that_exist(name, topology, chips, hosts):
    found = tpu_slice(name, topology, chips)
    assert (found.chips, found.hosts) == (chips, hosts)
    assert found.hosts * found.chips_per_host == chips
    assert found.multi_host == (hosts > 1)


@pytest.mark.parametrize(
    ("name", "topology", "chips"),
    [
        ("bogus", "2x4", 8),
        ("v5e", "2x4", 4),
        ("v5e", "2x4", 3),
        ("v5e", "3x3", None),
        ("v5e", "2x2x1", None),
        ("v5e", "4x2", None),
        ("v5e", "32x32", None),
        ("v4", "2x4", None),
        ("v4", "2x3x4", None),
        ("v5e", "", None),
        ("v5e", "axb", None),
    ],
)
def test_slices_that_do_not_exist(name, topology, chips):
    with pytest.raises(ConfigError, match=r"expected|has"):
        tpu_slice(name, topology, chips)


@given(
    name=st.sampled_from(sorted(TPUS)),
    sides=st.lists(st.sampled_from([1, 2, 4, 8, 16]), min_size=2, max_size=3),
)
def test_whatever_is_accepted_adds_up(name, sides):
    topology = "x".join(map(str, sides))
    try:
        found = tpu_slice(name, topology)
    except ConfigError:
        return
    assert found.chips == math.prod(sides) <= found.tpu.largest
    assert found.hosts * found.chips_per_host == found.chips


def test_a_node_has_only_so_many_gpus():
    assert gpu("l4", 8).selector == "nvidia-l4"
    with pytest.raises(ConfigError, match="a node has 1 to 8"):
        gpu("l4", 9)
    with pytest.raises(ConfigError, match="'v100' is not known"):
        gpu("v100", 1)


def test_machines_by_name():
    assert peak_flops("v5e:2x4") == 8 * 197e12
    assert peak_flops("l4:2") == 2 * 121e12
    assert peak_flops("cpu:16") == 16 * peak_flops("cpu:1")
    for wrong in ("l4", "cpu:many", "abacus:1", "v5e:3x3", "l4:9"):
        with pytest.raises(ConfigError):
            peak_flops(wrong)
