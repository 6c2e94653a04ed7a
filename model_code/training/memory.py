"""Whether the largest progressive stage fits, before the first one starts.

Runs that grow their images are known to fail after most of the work is done
(facts 7, no. 25). The estimate is coarse and on the low side: it refuses what
cannot fit, and does not promise that the rest will.
"""

from collections.abc import Sequence
from pathlib import Path

import psutil
import tensorflow as tf

from model_code.config.model import ModelConfig
from model_code.config.training import TrainConfig
from model_code.errors import TrainingError
from model_code.model.complexity import complexity
from model_code.model.variants import resolve
from model_code.training.distribution import memories
from model_code.training.progressive import ProgressiveStage

KEPT_PER_OUTPUT = 3.5
"""Values that a step keeps for each value that a convolution puts out.

Measured for B0 on a CPU, 64 to 128 px: 3.6 to 3.9.
"""

COPIES_OF_WEIGHTS = 7
"""Network, packed, gradients twice, average, two slots."""

_CGROUP = Path("/sys/fs/cgroup")


def check_largest_stage(
    train: TrainConfig,
    model: ModelConfig,
    class_count: int,
    stages: Sequence[ProgressiveStage],
    strategy: tf.distribute.Strategy,
) -> None:
    """Refuse a run whose hungriest stage needs more memory than there is.

    Raises:
        TrainingError: it does; the message says what to lower.
    """
    spread = memories(strategy)
    needs = {
        stage: needed_bytes(train, model, class_count, stage, spread)
        for stage in stages
    }
    stage, needed = max(needs.items(), key=lambda item: item[1])
    available = available_bytes()
    if needed > available:
        raise TrainingError(
            f"Stage {stage.index + 1} trains on {stage.global_batch_size} images of "
            f"{stage.image_size} px over {spread} device memories and needs at least "
            f"{needed / 1e9:.1f} GB of each; {available / 1e9:.1f} GB are free. Lower "
            "progressive.image_size.end or the stage's batch (stage_batch_sizes, "
            "global_batch_size), or use more devices."
        )


def needed_bytes(
    train: TrainConfig,
    model: ModelConfig,
    class_count: int,
    stage: ProgressiveStage,
    memories: int,
) -> float:
    """What training takes at least in each memory that shares the global batch.

    Activations are counted as Radosavovic et al. 2020 do, times
    `KEPT_PER_OUTPUT`; the rest are copies of the weights.
    """
    cost = complexity(resolve(model), stage.image_size, class_count).total
    width = 4 if train.distribution.precision == "float32" else 2
    images = stage.global_batch_size / memories
    activations = images * cost.activations * KEPT_PER_OUTPUT * width
    return activations + cost.parameters * COPIES_OF_WEIGHTS * 4


def available_bytes() -> float:
    """Free bytes of the smallest accelerator, or of the host where there is none.

    A container's limit counts: the kernel kills what exceeds it.
    """
    from tensorflow.python.client import device_lib  # the only place of the limit

    if tf.config.list_logical_devices("GPU"):
        devices = device_lib.list_local_devices()
        return min(d.memory_limit for d in devices if d.device_type == "GPU")
    free = float(psutil.virtual_memory().available)
    limit = _CGROUP / "memory.max"
    if limit.is_file() and limit.read_text().strip() != "max":
        used = int((_CGROUP / "memory.current").read_text())
        free = min(free, int(limit.read_text()) - used)
    return free
