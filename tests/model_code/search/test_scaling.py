"""A found network scales as the paper's own did (facts 6, checks 56 and 57)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_code.config.model import BlockTable, ModelConfig
from model_code.config.search import SpaceConfig
from model_code.model.rows import ROWS
from model_code.model.variants import resolve
from model_code.search.scaling import SIZES, Size, family, inference_size, scale
from model_code.search.space import SearchSpace, backbone_table

BASE = backbone_table(ROWS["efficientnetv2-b0"])
S = backbone_table(ROWS["efficientnetv2-s"])


@pytest.fixture(scope="module")
def from_base() -> dict[str, BlockTable]:
    return {member.size: member.table for member in family(BASE, "b0")}


@pytest.mark.parametrize("name", ["b0", "b1", "b2", "b3", "l"])
def test_the_base_row_scales_to_the_published_one(
    name: str, from_base: dict[str, BlockTable]
) -> None:
    published = backbone_table(ROWS[f"efficientnetv2-{name}"])

    assert from_base[name].blocks == published.blocks
    assert from_base[name].head_filters == published.head_filters


@pytest.mark.parametrize(
    ("name", "filters"),
    [
        # Released: 24, 48, 64, 128, 160, 256; the paper's first version has 272.
        ("s", [24, 48, 64, 136, 160, 272]),
        # Released: 24, 48, 80, 160, 176, 304, 512.
        ("m", [24, 48, 80, 152, 176, 304, 512]),
    ],
)
def test_s_and_m_have_the_published_depth_and_nearly_its_filters(
    name: str, filters: list[int], from_base: dict[str, BlockTable]
) -> None:
    published = ROWS[f"efficientnetv2-{name}"].stages

    found = from_base[name].blocks

    assert [s.repeats for s in found] == [s.repeats for s in published]
    assert [s.output_filters for s in found] == filters
    assert found[0].input_filters == published[0].input_filters


def test_s_shrinks_to_the_depth_of_the_base_row() -> None:
    members = {member.size: member.table for member in family(S, "s")}

    for name in ("b0", "b1", "b2", "b3"):
        blocks = backbone_table(ROWS[f"efficientnetv2-{name}"]).blocks
        assert [s.repeats for s in members[name].blocks] == [s.repeats for s in blocks]
    # The base row has 96 and 192 where S / 1.4 gives 88 and 184.
    filters = [stage.output_filters for stage in members["b0"].blocks]
    assert filters == [16, 32, 48, 88, 112, 184]
    assert members["b0"].blocks[0].input_filters == 32


@pytest.mark.parametrize(("table", "name"), [(BASE, "b0"), (S, "s")])
def test_the_searched_size_is_the_network_itself(table: BlockTable, name: str) -> None:
    members = {member.size: member.table for member in family(table, name)}

    assert members[name] == table


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
def test_published_inference_sizes(size: Size) -> None:
    published = ROWS[f"efficientnetv2-{size.name}"].published

    assert published is not None
    assert inference_size(size) == published.evaluation_image_size


SIZE = st.builds(
    Size,
    name=st.just("x"),
    width=st.floats(min_value=1.0, max_value=4.0),
    depth=st.floats(min_value=1.0, max_value=5.0),
    resolution=st.integers(min_value=32, max_value=2000),
    later_layers=st.integers(min_value=0, max_value=4),
)
REPEATS = st.lists(st.integers(min_value=1, max_value=20), min_size=6, max_size=6)


@given(SIZE)
def test_no_size_is_larger_than_480(size: Size) -> None:
    assert inference_size(size) <= 480


@given(SIZE, REPEATS)
def test_later_stages_gain_at_least_as_many_layers(
    size: Size, repeats: list[int]
) -> None:
    base = _with_repeats(repeats)

    blocks = scale(base, size).table.blocks

    gained = [
        after.repeats - before for after, before in zip(blocks, repeats, strict=True)
    ]
    assert min(gained) >= 0
    assert sum(gained[4:6]) >= sum(gained[:3])


@given(REPEATS)
def test_the_family_never_shrinks_with_size(repeats: list[int]) -> None:
    depths = [
        sum(stage.repeats for stage in member.table.blocks)
        for member in family(_with_repeats(repeats), "b0")
    ]

    assert depths == sorted(depths)


def test_every_member_can_be_built_and_searched() -> None:
    for member in family(S, "s"):
        variant = resolve(ModelConfig(variant=member.table))

        assert SearchSpace(backbone_table(variant), SpaceConfig()).size > 1


def _with_repeats(repeats: list[int]) -> BlockTable:
    pairs = zip(BASE.blocks, repeats, strict=True)
    return replace(
        BASE, blocks=tuple(replace(stage, repeats=number) for stage, number in pairs)
    )
