"""What TensorFlow raises in the middle of training, in words one can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from model_code.data.manifest import DatasetManifest
from model_code.errors import DataError, TrainingError
from model_code.training.progressive import ProgressiveStage


@contextmanager
def explained(manifest: DatasetManifest, stage: ProgressiveStage) -> Iterator[None]:
    """Turn errors whose cause is known into ours; others pass.

    Raises:
        TrainingError: a device ran out of memory.
        DataError: a shard is damaged or gone.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise TrainingError(
            f"Memory ran out in stage {stage.index + 1}, with "
            f"{stage.global_batch_size} images of {stage.image_size} px a step "
            f"({_first_line(error)}). Lower progressive.image_size.end or the "
            "stage's batch (stage_batch_sizes, global_batch_size), or use more "
            "devices; training resumes from its last checkpoint only with the same "
            "settings, so use a new run key."
        ) from error
    except (tf.errors.DataLossError, tf.errors.NotFoundError) as error:
        raise DataError(
            f"A shard of dataset {manifest.name} at {manifest.location} cannot be "
            f"read ({_first_line(error)}). Ingest the dataset again, then run "
            "again: training resumes."
        ) from error


def _first_line(error: tf.errors.OpError) -> str:
    return str(error.message).strip().splitlines()[0]
