"""A training may replace the network's drop-path rate."""

import pytest

from model_code.config.model import ModelConfig
from model_code.model.drop import DropPath
from model_code.training.state import TrainingState
from tests.model_code.training.runs import MODEL, tiny_config


def _largest_rate(**changes):
    state = TrainingState(tiny_config(**changes), MODEL, 3)
    layers = [each for each in state.model.layers if isinstance(each, DropPath)]
    return max(float(layer.rate) for layer in layers)


@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_a_rate_of_the_training_replaces_the_networks(rate):
    assert ModelConfig(variant="tiny", drop_path_rate=rate) != MODEL
    usual = _largest_rate()
    assert _largest_rate(drop_path_rate=rate) == pytest.approx(
        usual * rate / MODEL.drop_path_rate
    )
