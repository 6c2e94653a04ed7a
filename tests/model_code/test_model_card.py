"""The card survives its file, and a bad file is explained."""

import dataclasses
from pathlib import Path

import pytest

from model_code import artifacts, model_card
from model_code.config.model import BlockSpec, BlockTable, ModelConfig
from model_code.errors import ConfigError
from model_code.model_card import ModelCard

CARD = ModelCard(
    task="finetune",
    model=ModelConfig(variant="tiny"),
    class_names=("functional", "defective"),
    image_size=96,
    crop=0.75,
    interpolation="bilinear",
    loss="softmax",
    seed=1,
    steps=100,
    dataset="elpv",
    dataset_fingerprint="f" * 64,
    metrics={"val/top1": 0.5},
)
TABLE = BlockTable(
    name="found",
    blocks=(
        BlockSpec(
            operation="mbconv",
            kernel_size=3,
            stride=2,
            expansion_ratio=4,
            input_filters=8,
            output_filters=16,
            repeats=1,
            se_ratio=0.25,
        ),
    ),
)


@pytest.mark.parametrize("variant", ["tiny", TABLE])
def test_what_is_written_is_read(tmp_path: Path, variant: str | BlockTable) -> None:
    card = dataclasses.replace(CARD, model=ModelConfig(variant=variant), crop=None)
    model_card.write(card, tmp_path)
    assert model_card.read(tmp_path) == card


def test_a_directory_without_a_card_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"No model.json in .* expected a Model"):
        model_card.read(tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the file: Invalid JSON"),
        ("{}", "task: Field required"),
        ('{"task": "finetune", "steps": 0}', "model: Field required"),
    ],
)
def test_a_bad_card_is_explained(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / artifacts.MODEL_CARD).write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        model_card.read(tmp_path)
