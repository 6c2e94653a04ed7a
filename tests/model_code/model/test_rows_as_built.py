"""Every row as a built network (facts 6, checks 1, 2, 5, 6, 11, 13, 15, 16)."""

import json
from pathlib import Path

import keras
import pytest

from model_code.config.model import ModelConfig
from model_code.model.complexity import complexity
from model_code.model.depth import room_for_depth
from model_code.model.drop import DropPath
from model_code.model.efficientnet import build_model
from model_code.model.variants import find_variant, variant_names
from tests.model_code.model import facts
from tests.model_code.model.networks import count, of_kind

GOLDEN = Path(__file__).parents[2] / "golden" / "model"
# The others take seconds each to build; the largest need gigabytes.
QUICK = {"efficientnetv2-b0", "efficientnetv2-b3", "efficientnet-b0", "tiny"}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[] if name in QUICK else [pytest.mark.full])
        for name in variant_names()
    ],
)
def network(request):
    model = build_model(ModelConfig(variant=request.param), 1000, seed=1)
    yield model
    keras.backend.clear_session()


def test_its_parameters_are_those_counted(network):
    counted = complexity(find_variant(network.name), 224).total
    assert count(network.trainable_weights) == counted.trainable
    assert count(network.non_trainable_weights) == counted.non_trainable
    assert network.count_params() == counted.parameters


def test_its_drop_path_rates_are_the_golden_ones(network):
    golden = json.loads((GOLDEN / "drop_path_rates.json").read_text())[network.name]
    blocks = find_variant(network.name).blocks
    expected = {
        f"{block.name}_drop_path": rate
        for block, rate in zip(blocks, golden, strict=True)
        if block.has_skip and rate > 0
    }
    rates = {layer.name: layer.rate for layer in of_kind(network, DropPath)}
    assert rates == pytest.approx(expected, abs=1e-7)


def test_its_blocks_put_out_the_shapes_counted(network):
    size = find_variant(network.name).published.evaluation_image_size
    blocks = {
        part.block.name: (1, part.output_size, part.output_size, part.output_filters)
        for part in complexity(find_variant(network.name), size).parts
        if part.block
    }
    ends = [network.get_layer(f"{name}_project_norm").output for name in blocks]
    with room_for_depth(len(blocks)):
        outline = keras.Model(network.input, ends)
    specs = outline.compute_output_spec(keras.KerasTensor((1, size, size, 3)))
    assert [spec.shape for spec in specs] == [*blocks.values()]


def test_its_squeezes_have_the_width_counted(network):
    squeezed = {
        layer.name: layer.filters
        for layer in network.layers
        if layer.name.endswith("_se_reduce")
    }
    assert squeezed == {
        f"{block.name}_se_reduce": block.se_filters
        for block in find_variant(network.name).blocks
        if block.se_filters
    }


def test_it_has_the_norms_and_squeezes_of_the_facts(network):
    known = facts.V2.get(network.name)
    norms = len(of_kind(network, keras.layers.BatchNormalization))
    depthwise = len(of_kind(network, keras.layers.DepthwiseConv2D))
    if known is None:  # V1 and tiny: three norms a block, two where nothing expands
        blocks = find_variant(network.name).blocks
        assert norms == 2 + sum(_norms(block) for block in blocks)
    else:
        assert (norms, depthwise) == (known.norms, known.squeezes)


def _norms(block):
    wide = block.expansion_ratio != 1
    return 1 + wide + (block.operation == "mbconv")
