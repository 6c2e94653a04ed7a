"""Rows, inline tables, scaling (facts 6, checks 12 to 16 without a network)."""

import dataclasses
import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_code.config.model import BlockSpec, BlockTable, ModelConfig
from model_code.errors import ConfigError
from model_code.model.architecture import Row, drop_path_rates
from model_code.model.variants import find_variant, resolve, variant_names
from tests.model_code.model import facts

GOLDEN = Path(__file__).parents[2] / "golden" / "model"


def table(*filters):
    """Stages of one block each through these filters."""
    return BlockTable(
        name="searched",
        blocks=tuple(
            BlockSpec(
                operation="mbconv",
                kernel_size=3,
                stride=1,
                expansion_ratio=4,
                input_filters=entering,
                output_filters=leaving,
                repeats=1,
            )
            for entering, leaving in filters
        ),
        head_filters=64,
    )


@pytest.mark.parametrize("name", facts.V2)
def test_blocks_skips_and_squeezes(name):
    blocks = find_variant(name).blocks
    assert len(blocks) == facts.V2[name].blocks
    assert sum(block.has_skip for block in blocks) == facts.V2[name].skips
    assert sum(block.se_filters > 0 for block in blocks) == facts.V2[name].squeezes


def test_se_is_relative_to_what_enters_the_block():
    blocks = find_variant("efficientnetv2-s").blocks
    squeezed = {
        stage: [block.se_filters for block in blocks if block.stage == stage]
        for stage in (4, 6)
    }
    assert squeezed == {4: [16] + 5 * [32], 6: [40] + 14 * [64]}


def test_only_the_first_block_of_a_stage_strides_and_widens():
    for name in variant_names():
        for block in find_variant(name).blocks:
            if block.position > 1:
                assert block.stride == 1
                assert block.input_filters == block.output_filters


def test_drop_path_rate_of_every_block_of_every_row():
    rates = {
        name: [round(rate, 9) for rate in drop_path_rates(find_variant(name), 0.2)]
        for name in variant_names()
    }
    assert rates == json.loads((GOLDEN / "drop_path_rates.json").read_text())


@pytest.mark.parametrize(
    ("name", "block", "survival"),
    [
        ("efficientnetv2-s", 0, 1.0),
        ("efficientnetv2-s", 1, 0.995),
        ("efficientnetv2-s", 20, 0.9),
        ("efficientnetv2-s", 39, 0.805),
        ("efficientnetv2-b0", -1, 0.809523810),
        ("efficientnetv2-b1", -1, 0.807407407),
        ("efficientnetv2-b2", -1, 0.807142857),
        ("efficientnetv2-b3", -1, 0.80625),
        ("efficientnetv2-m", -1, 0.803508772),
        ("efficientnetv2-l", -1, 0.802531646),
        ("efficientnetv2-xl", -1, 0.802),
    ],
)
def test_survival_probabilities(name, block, survival):
    rate = drop_path_rates(find_variant(name), 0.2)[block]
    assert 1 - rate == pytest.approx(survival, abs=1e-9)


def test_an_unknown_name_is_refused_and_the_nearest_named():
    with pytest.raises(ConfigError, match="did you mean 'efficientnetv2-s'"):
        find_variant("efficientnetv2s")


def test_a_row_cannot_be_changed():
    row = find_variant("efficientnetv2-s")
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.head_filters = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.stages[0].repeats = 1


def test_resolving_without_coefficients_is_the_row_itself():
    row = find_variant("efficientnetv2-b2")
    assert resolve(ModelConfig(variant="efficientnetv2-b2")) is row


def test_coefficients_multiply_those_of_the_row():
    config = ModelConfig(
        variant="efficientnetv2-b0", width_coefficient=1.2, depth_coefficient=1.4
    )
    scaled = resolve(config)
    assert scaled.blocks == find_variant("efficientnetv2-b3").blocks
    assert scaled.feature_filters == 1536
    assert not isinstance(scaled, Row)


def test_scaling_leaves_the_row_as_it_was():
    before = find_variant("efficientnetv2-s").blocks
    resolve(ModelConfig(variant="efficientnetv2-s", width_coefficient=2.0))
    assert find_variant("efficientnetv2-s").blocks == before


def test_a_block_table_given_inline():
    variant = resolve(ModelConfig(variant=table((8, 16), (16, 24))))
    assert variant.name == "searched"
    assert [block.output_filters for block in variant.blocks] == [16, 24]
    assert (variant.stem_filters, variant.feature_filters) == (8, 64)


def test_a_block_table_whose_stages_do_not_fit_is_refused():
    with pytest.raises(ConfigError, match="stage 1 gives 16 filters and stage 2 takes"):
        resolve(ModelConfig(variant=table((8, 16), (32, 24))))


@given(st.sampled_from(variant_names()), st.floats(0.25, 3.0), st.floats(0.25, 3.0))
def test_scaled_stages_always_fit(name, width, depth):
    blocks = resolve(
        ModelConfig(variant=name, width_coefficient=width, depth_coefficient=depth)
    ).blocks
    assert [block.index for block in blocks] == list(range(len(blocks)))
    for before, after in pairwise(blocks):
        assert before.output_filters == after.input_filters
