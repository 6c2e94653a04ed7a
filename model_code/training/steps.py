"""The compiled part of training: several steps a call, on all replicas."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from model_code.config.training import TrainConfig
from model_code.training.distribution import mean_over_replicas, sum_over_replicas
from model_code.training.losses import example_losses
from model_code.training.optimizer import clip
from model_code.training.packing import concatenated, scatter
from model_code.training.state import TrainingState

TrainSteps = Callable[[Any, Any, Any, Any], tuple[Any, Any]]
"""(iterator, schedule [n, 3], count, stop) -> (losses [count], stop)."""


def compile_steps(
    strategy: tf.distribute.Strategy, state: TrainingState, train: TrainConfig
) -> TrainSteps:
    """A function that trains for some steps, traced once a shape of batch.

    It takes an iterator over batches; a float32 [n, 3] with step, learning rate
    and EMA share of at most n steps; their count; and whether this worker wants
    to stop, as 0.0 or 1.0. It returns the losses, as means over the global batch
    and without weight decay, and how many replicas want to stop: workers must
    leave together, or the others wait for their gradients for ever.
    """
    step = replica_step(state, train, strategy.num_replicas_in_sync)

    def total(tensor: Any) -> Any:
        return strategy.reduce(tf.distribute.ReduceOp.SUM, tensor, axis=None)

    @tf.function
    def train_steps(
        iterator: Any, schedule: Any, count: Any, stop: Any
    ) -> tuple[Any, Any]:
        losses = tf.TensorArray(tf.float32, size=count)
        for index in tf.range(count):
            images, labels = next(iterator)
            loss = strategy.run(step, args=(images, labels, schedule[index]))
            losses = losses.write(index, total(loss))
        return losses.stack(), total(strategy.run(tf.identity, args=(stop,)))

    return train_steps


def replica_step(
    state: TrainingState, train: TrainConfig, replicas: int
) -> Callable[[Any, Any, Any], Any]:
    """One optimizer update, as one of several replicas makes it."""

    def gradients(images: Any, labels: Any) -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            logits = state.model(images, training=True)
            loss = tf.reduce_mean(example_losses(train.loss, labels, logits)) / replicas
            scaled = loss * state.loss_scale.scale if state.loss_scale else loss
        found = tape.gradient(scaled, state.weights.groups)
        return loss, state.weights.pack(found)

    # Only this part is compiled by XLA: exchange between replicas stays outside.
    compiled = gradients
    if train.distribution.jit_compile:
        compiled = tf.function(gradients, jit_compile=True, autograph=False)

    # Autograph would rewrite every function below: 1.4 of 10 s of tracing B0.
    @tf.autograph.experimental.do_not_convert
    def step(images: Any, labels: Any, schedule: Any) -> Any:
        number, learning_rate, ema_share = tf.unstack(schedule, num=3)
        loss, found = compiled(images, labels)

        def apply(gradients: Sequence[Any]) -> None:
            clipped = clip(train.optimizer, gradients)
            state.optimizer.apply(clipped, learning_rate, number)

        summed = sum_over_replicas(found)
        if state.loss_scale:
            state.loss_scale.update(summed, apply)
        else:
            apply(summed)
        if replicas > 1:
            agree_on_moments(state)
        state.update_average(ema_share)
        return loss

    return step


def agree_on_moments(state: TrainingState) -> None:
    """Give every replica the mean of all replicas' batch-norm moments.

    Each replica normalises by its own slice; without this, the moments that are
    saved and evaluated would be those of one replica alone.
    """
    moments = concatenated(state.moments)
    scatter(mean_over_replicas(moments), state.moments)


def any_size(images: Any, labels: Any) -> tuple[Any, Any]:
    """For `Dataset.map`: forget the image size, so that one trace serves all.

    Tracing B0 costs 10 s of CPU, and a program for any size runs as fast as one
    for a single size (docs/benchmarks.md). XLA wants sizes; do not map then.
    """
    shape = [images.shape[0], None, None, 3]
    return tf.compat.v1.placeholder_with_default(images, shape), labels
