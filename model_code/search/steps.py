"""A real training step of a network, for its time to be measured."""

from dataclasses import dataclass

import tensorflow as tf

from model_code.config.model import ModelConfig
from model_code.config.training import TrainConfig
from model_code.data.input_pipeline import InputShard
from model_code.search.timing import Step
from model_code.training.distribution import make_strategy, per_replica
from model_code.training.progressive import ProgressiveStage
from model_code.training.state import TrainingState
from model_code.training.steps import compile_steps


@dataclass(frozen=True)
class StepBench:
    """Makes training steps of any network on this device.

    Batch size and image size are those of the last progressive stage. The batch
    stays the same: reading and augmenting cost every network alike.
    """

    train: TrainConfig
    stage: ProgressiveStage
    class_count: int

    def step(self, model: ModelConfig) -> Step:
        """The network's training step, compiled as the training loop does it."""
        strategy = make_strategy(self.train.distribution)
        with strategy.scope():
            state = TrainingState(self.train, model, self.class_count)
        steps = compile_steps(strategy, state, self.train)
        size = self.stage.global_batch_size
        batches = iter(per_replica(strategy, size, self._batches))
        # Step, learning rate and EMA share: their values cost no time.
        schedule = tf.constant([[0.0, 1e-6, 0.0]])
        one, go_on = tf.constant(1), tf.constant(0.0)

        def step() -> None:
            losses, _ = steps(batches, schedule, one, go_on)
            losses.numpy()  # waits for the device

        return step

    def _batches(self, input_shard: InputShard) -> tf.data.Dataset:
        _, hosts = input_shard
        size, count = self.stage.image_size, self.stage.global_batch_size // hosts
        generator = tf.random.Generator.from_seed(self.train.seed)
        images = generator.uniform([count, size, size, 3], 0, 255)
        labels = tf.one_hot(tf.range(count) % self.class_count, self.class_count)
        return tf.data.Dataset.from_tensors((images, labels)).repeat()
