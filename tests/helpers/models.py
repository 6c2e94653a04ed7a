"""A tiny untrained Model artifact, as training would leave it."""

import json
from pathlib import Path

from model_code import artifacts, model_card
from model_code.config.model import ModelConfig
from model_code.model_card import ModelCard

HISTORY = [
    {"step": 1, "time": 1.0, "image_size": 32, "train/loss": 0.9},
    {"step": 2, "time": 2.0, "image_size": 32, "val/loss": 0.9, "val/top1": 0.5},
    {"step": 3, "time": 3.0, "image_size": 40, "train/loss": 0.7},
    {"step": 4, "time": 4.0, "image_size": 40, "val/loss": 0.8, "val/top1": 0.6},
]


def write_model(
    directory: Path,
    class_names: tuple[str, ...],
    *,
    seed: int = 1,
    image_size: int = 40,
    **card: object,
) -> ModelCard:
    """Card, random weights, history and SavedModel of the variant `tiny`."""
    from model_code.model.efficientnet import build_model
    from model_code.model.weights import save_weights
    from model_code.serving.export import export_saved_model

    directory.mkdir(parents=True)
    settings: dict[str, object] = {
        "task": "finetune",
        "model": ModelConfig(variant="tiny"),
        "class_names": class_names,
        "image_size": image_size,
        "crop": None,
        "interpolation": "bilinear",
        "loss": "softmax",
        "seed": seed,
        "steps": 4,
        "dataset": "tiny",
        "dataset_fingerprint": "0" * 64,
        "metrics": {},
    }
    written = ModelCard(**{**settings, **card})  # type: ignore[arg-type]
    model_card.write(written, directory)
    model = build_model(written.model, len(class_names), seed=seed)
    save_weights(model, directory / artifacts.WEIGHTS)
    lines = [json.dumps(row) + "\n" for row in HISTORY]
    (directory / artifacts.HISTORY).write_text("".join(lines))
    export_saved_model(directory)
    return written
