"""Every published network is a point; encoding and decoding are inverse."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_code.config.model import BlockTable
from model_code.config.search import SpaceConfig
from model_code.errors import ConfigError
from model_code.model.rows import ROWS
from model_code.search.space import (
    Point,
    SearchSpace,
    backbone_table,
    decode,
    encode,
    from_parameters,
    mutate,
    random_point,
    to_parameters,
    with_operation,
)

BASE = SearchSpace(backbone_table(ROWS["efficientnetv2-b0"]), SpaceConfig())
SEEDS = st.integers(min_value=0, max_value=2**32)


def _draw(seed: int, space: SearchSpace = BASE) -> Point:
    return random_point(space, random.Random(seed))


@pytest.mark.parametrize("name", ROWS)
def test_every_published_network_is_a_point_of_its_own_space(name: str) -> None:
    table = backbone_table(ROWS[name])
    space = SearchSpace(table, SpaceConfig())

    decoded = decode(space, encode(space, table))

    assert decoded.blocks == table.blocks
    assert decoded.head_filters == table.head_filters


@pytest.mark.parametrize(
    "size", ["s", "m", "l", "xl", "b0", "b1", "b2", "b3"], ids=str.upper
)
def test_the_papers_own_networks_use_small_kernels(size: str) -> None:
    table = backbone_table(ROWS[f"efficientnetv2-{size}"])

    point = encode(SearchSpace(table, SpaceConfig()), table)

    assert {choice.kernel_size for choice in point} == {3}
    assert {choice.expansion_ratio for choice in point} <= {1, 4, 6}


@given(SEEDS)
def test_decoding_and_encoding_are_inverse(seed: int) -> None:
    point = _draw(seed)

    assert encode(BASE, decode(BASE, point)) == point
    assert from_parameters(BASE, to_parameters(point)) == point


@given(SEEDS)
def test_a_drawn_network_chooses_only_what_the_space_allows(seed: int) -> None:
    network = decode(BASE, _draw(seed))

    for stage, backbone in zip(network.blocks, BASE.backbone.blocks, strict=True):
        assert stage.operation in {"mbconv", "fused_mbconv"}
        assert stage.kernel_size in {3, 5}
        assert stage.expansion_ratio in {1, 4, 6}
        assert 0 <= abs(stage.repeats - backbone.repeats) <= 1
        assert stage.repeats >= 1
        assert stage.se_ratio == (0.25 if stage.operation == "mbconv" else 0.0)
        assert stage.input_filters == backbone.input_filters
        assert stage.output_filters == backbone.output_filters
        assert stage.stride == backbone.stride


def test_the_size_counts_every_network() -> None:
    config = SpaceConfig(kernel_sizes=(3,), expansion_ratios=(4,))
    tiny = SearchSpace(backbone_table(ROWS["tiny"]), config)

    drawn = {_draw(seed, tiny) for seed in range(2_000)}

    # Two operations and 1 to 3 layers in each of three stages.
    assert tiny.size == len(drawn) == (2 * 3) ** 3


def test_equal_seeds_draw_equal_networks() -> None:
    assert [_draw(seed) for seed in range(5)] == [_draw(seed) for seed in range(5)]


@given(SEEDS)
def test_a_mutation_changes_one_choice(seed: int) -> None:
    parent = _draw(seed)

    child = mutate(BASE, parent, random.Random(seed))

    before, after = to_parameters(parent), to_parameters(child)
    assert sum(before[name] != after[name] for name in before) == 1


def test_mutations_reach_every_choice() -> None:
    parent = _draw(1)
    before = to_parameters(parent)
    generator = random.Random(2)

    children = [to_parameters(mutate(BASE, parent, generator)) for _ in range(2000)]

    changed = {n: {c[n] for c in children} for n in before}
    assert changed == {name: set(values) for name, values in BASE.choices.items()}


def test_a_space_of_one_network_cannot_be_searched() -> None:
    single = SearchSpace(
        BASE.backbone,
        SpaceConfig(
            operations=("mbconv",),
            kernel_sizes=(3,),
            expansion_ratios=(4,),
            layer_offsets=(0,),
        ),
    )

    assert single.size == 1
    with pytest.raises(ConfigError, match="widen `space`"):
        mutate(single, _draw(0, single), random.Random(0))


def test_names_tell_networks_apart_and_fit() -> None:
    long = replace(BASE.backbone, name="x" * 63)
    space = SearchSpace(long, SpaceConfig())

    names = {decode(space, _draw(seed)).name for seed in range(50)}

    assert len(names) == 50
    assert decode(space, _draw(3)).name == decode(space, _draw(3)).name


def test_a_network_of_another_backbone_is_refused() -> None:
    other = backbone_table(ROWS["efficientnetv2-s"])

    with pytest.raises(ConfigError, match="stage 1"):
        encode(
            SearchSpace(BASE.backbone, SpaceConfig(layer_offsets=(0, 1))),
            _b0_like(other),
        )


def test_a_network_with_another_head_is_refused() -> None:
    with pytest.raises(ConfigError, match="head of 640"):
        encode(BASE, replace(BASE.backbone, head_filters=640))


def test_a_choice_outside_the_space_is_refused() -> None:
    parameters = to_parameters(_draw(0)) | {"stage2.kernel_size": 7}

    with pytest.raises(ConfigError, match=r"stage2.kernel_size is 7.*allows 3, 5"):
        from_parameters(BASE, parameters)


def test_a_missing_choice_is_refused() -> None:
    parameters = to_parameters(_draw(0))
    del parameters["stage6.repeats"]

    with pytest.raises(ConfigError, match=r"stage6\.repeats is missing or unknown"):
        from_parameters(BASE, parameters)


def test_the_mbconv_only_backbone_is_a_point() -> None:
    network = with_operation(BASE.backbone, "mbconv")

    assert {choice.operation for choice in encode(BASE, network)} == {"mbconv"}
    assert {stage.se_ratio for stage in network.blocks} == {0.25}


def _b0_like(table: BlockTable) -> BlockTable:
    """S with the base row's repeats: in range, but with filters of its own."""
    pairs = zip(table.blocks, BASE.backbone.blocks, strict=True)
    return replace(
        table, blocks=tuple(replace(own, repeats=b.repeats) for own, b in pairs)
    )
