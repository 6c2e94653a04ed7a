"""How well the averaged weights do on the validation split while training."""

from typing import Any

import tensorflow as tf

from model_code.config.training import LossConfig, TrainConfig
from model_code.data.input_pipeline import EvaluationBatch, evaluation_batches
from model_code.data.manifest import DatasetManifest
from model_code.progress import logger
from model_code.training.distribution import per_replica
from model_code.training.losses import example_losses, is_right
from model_code.training.state import TrainingState

SPLIT = "validation"
_FIRST_FIVE = 5


class Validation:
    """Evaluates on the validation split; compiled once, used many times."""

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        state: TrainingState,
        train: TrainConfig,
        manifest: DatasetManifest,
    ) -> None:
        """Prepare batches of the recipe's evaluation size; nothing runs yet."""
        self._state = state
        self._classes = len(manifest.class_names)
        self._sums = _compile_sums(strategy, state, train.loss, self._classes)
        batch_size = train.global_batch_size
        self._batches = per_replica(
            strategy,
            batch_size,
            lambda host: evaluation_batches(
                manifest,
                SPLIT,
                train.evaluation_image_size,
                batch_size // host[1],
                augmentation=train.augmentation,
                input_shard=host,
            ).map(_what_counts),
        )

    def metrics(self) -> dict[str, float]:
        """Loss and accuracy over the whole split, by metric name."""
        with self._state.averaged():
            sums = sum(self._sums(batch) for batch in self._batches)
        loss, first, first_five, examples = (float(each) for each in sums)
        found = {"val/loss": loss / examples, "val/top1": first / examples}
        if self._classes > _FIRST_FIVE:
            found["val/top5"] = first_five / examples
        return found


def make_validation(
    strategy: tf.distribute.Strategy,
    state: TrainingState,
    train: TrainConfig,
    manifest: DatasetManifest,
) -> Validation | None:
    """A validation, or None, which is said, where no images are held out."""
    split = manifest.splits.get(SPLIT)
    if train.train_on != "train" or split is None or not split.examples:
        logger.info("no images are held out: training is not evaluated on the way")
        return None
    return Validation(strategy, state, train, manifest)


def _what_counts(batch: EvaluationBatch) -> tuple[Any, Any, Any]:
    return batch.images, batch.labels, batch.weights


def _compile_sums(
    strategy: tf.distribute.Strategy,
    state: TrainingState,
    loss: LossConfig,
    classes: int,
) -> Any:
    """Batches of all replicas to sums of loss, top-1, top-5 and weight, [4]."""
    plain = LossConfig(kind=loss.kind, label_smoothing=0.0)

    @tf.autograph.experimental.do_not_convert
    def replica_sums(images: Any, labels: Any, weights: Any) -> Any:
        logits = state.model(images, training=False)
        rows = tf.reduce_sum(labels, axis=-1, keepdims=True)
        targets = tf.math.divide_no_nan(labels, rows)
        losses = example_losses(
            plain, labels if loss.kind == "sigmoid" else targets, logits
        )
        first = is_right(labels, logits, 1)
        first_five = is_right(labels, logits, min(_FIRST_FIVE, classes))
        each = tf.stack([losses, first, first_five, tf.ones_like(weights)])
        return tf.linalg.matvec(each, weights)

    @tf.function
    def sums(batch: tuple[Any, Any, Any]) -> Any:
        found = strategy.run(replica_sums, args=batch)
        return strategy.reduce(tf.distribute.ReduceOp.SUM, found, axis=None)

    return sums
