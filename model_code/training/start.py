"""Where a training run starts: resume, else warm start, else scratch."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from model_code.config.model import ModelConfig
from model_code.config.training import (
    CheckpointConfig,
    DistributionConfig,
    TrainConfig,
)
from model_code.data.manifest import DatasetManifest
from model_code.errors import TrainingError
from model_code.model.weights import load_weights
from model_code.progress import logger
from model_code.training.checkpoints import Checkpoint, CheckpointStore
from model_code.training.journal import Row
from model_code.training.state import TrainingState

Origin = Literal["resumed", "warm start", "scratch"]

_TRAIN = TypeAdapter(TrainConfig)
_MODEL = TypeAdapter(ModelConfig)


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where a run began, and what it had said until then."""

    origin: Origin
    step: int
    history: tuple[Row, ...]


def start_training(
    state: TrainingState,
    checkpoints: CheckpointStore,
    settings: Mapping[str, Any],
    weights: Path | str | None,
) -> Start:
    """Bring `state` to where the run starts, in this order.

    1. Resume: the newest sound checkpoint of this very run.
    2. Warm start: weights of another model, where the run was given any; the
       classifier starts anew if it answers for other classes. The optimizer and
       the step start from nothing.
    3. Scratch: as the seed initialised the network.

    Raises:
        TrainingError: the checkpoints belong to a run with other settings.
        ConfigError: the weights do not fit the network.
    """
    checkpoint = checkpoints.newest()
    if checkpoint is not None:
        _check_settings(checkpoint, settings, checkpoints.directory)
        state.restore(checkpoint.arrays)
        logger.info("resuming after step %d", checkpoint.step)
        history = tuple(checkpoint.notes["history"])
        return Start(origin="resumed", step=checkpoint.step, history=history)
    if weights is not None:
        logger.info("warm start: %s", load_weights(state.model, weights))
        state.load()
        return Start(origin="warm start", step=0, history=())
    logger.info("starting from scratch")
    return Start(origin="scratch", step=0, history=())


def settings_of(
    train: TrainConfig,
    model: ModelConfig,
    manifest: DatasetManifest,
    weights: Path | str | None,
) -> dict[str, Any]:
    """What must not change between a checkpoint and its resumption, by name.

    Devices and checkpoint intervals may: they do not decide what is learned.
    """
    precision = train.distribution.precision
    same = replace(
        train,
        distribution=DistributionConfig(precision=precision),
        checkpoint=CheckpointConfig(),
    )
    return {
        **_flat("train", _TRAIN.dump_python(same, mode="json")),
        **_flat("model", _MODEL.dump_python(model, mode="json")),
        "dataset": manifest.fingerprint,
        "warm_start": weights is not None,
    }


def _flat(prefix: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, each in value.items():
        flat |= _flat(f"{prefix}.{key}", each)
    return flat


def _check_settings(
    checkpoint: Checkpoint, settings: Mapping[str, Any], directory: str
) -> None:
    saved = checkpoint.notes["settings"]
    changed = [
        f"{name} was {saved.get(name)} and is {settings.get(name)}"
        for name in sorted(saved.keys() | settings.keys())
        if saved.get(name) != settings.get(name)
    ]
    if changed:
        raise TrainingError(
            f"The checkpoints in {directory} belong to a run with other settings: "
            f"{'; '.join(changed[:5])}. Restore the settings to resume, or train "
            "under another run key."
        )
