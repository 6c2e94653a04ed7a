"""How fast a training step is, against keras.applications and timm.

    python benchmarks/bench_model.py
    python benchmarks/bench_model.py --timm-python TIMM_ENVIRONMENT/bin/python

Ours and Keras's network take turns step by step in one process, so that a busy
machine slows both alike. timm runs on PyTorch, in an environment of its own and
so in processes of its own; rounds alternate with ours (see
`bench_model_timm.py`). The ratio is the median over rounds of their time by
ours: above one, ours is faster.
"""

import argparse
import json
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from model_code.config.model import ModelConfig
from model_code.model.efficientnet import build_model

CLASSES = 10
TIMM = {"b0": "tf_efficientnetv2_b0", "s": "tf_efficientnetv2_s"}

Step = Callable[[], float]


@dataclass(frozen=True)
class Case:
    """A network, an image size and a batch size."""

    variant: str
    image_size: int
    batch_size: int

    def __str__(self) -> str:
        name = f"efficientnetv2-{self.variant}"
        return f"{name}, {self.image_size} px, batch {self.batch_size}"


CASES = (
    Case("b0", 96, 32),
    Case("b0", 160, 32),
    Case("s", 96, 16),
    Case("s", 160, 16),
)


@dataclass(frozen=True)
class Timing:
    """Seconds of each round, ours and theirs, in the order they were measured."""

    contestant: str
    work: str
    ours: list[float]
    theirs: list[float]

    def row(self, case: Case) -> str:
        """One line of the table in docs/benchmarks.md."""
        pairs = zip(self.ours, self.theirs, strict=True)
        ratio = statistics.median(theirs / ours for ours, theirs in pairs)
        best = min(self.theirs) / min(self.ours)
        rate = case.batch_size / statistics.median(self.ours)
        return (
            f"| {case} | {self.contestant} | {self.work} | {rate:.0f} "
            f"| {ratio:.2f} | {best:.2f} |"
        )


def our_model(case: Case) -> keras.Model:
    """Ours, with the dropout and drop-path rates of the released code."""
    config = ModelConfig(variant=f"efficientnetv2-{case.variant}")
    return build_model(config, CLASSES, dropout_rate=0.2, seed=1)


def keras_model(case: Case) -> keras.Model:
    """Keras's, whose defaults are the same rates."""
    build = getattr(keras.applications, f"EfficientNetV2{case.variant.upper()}")
    return build(
        weights=None,
        classes=CLASSES,
        classifier_activation=None,
        input_shape=(case.image_size, case.image_size, 3),
    )


def step_of(model: keras.Model, case: Case, *, update: bool) -> Step:
    """A compiled step on one fixed batch; `update` also runs the optimizer."""
    random = np.random.default_rng(0)
    shape = (case.batch_size, case.image_size, case.image_size, 3)
    images = tf.constant(random.uniform(0, 255, shape).astype("float32"))
    labels = tf.constant(random.integers(0, CLASSES, case.batch_size))
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    variables = model.trainable_variables
    optimizer = keras.optimizers.SGD(1e-3, momentum=0.9)
    optimizer.build(variables)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(images, training=True))
        gradients = tape.gradient(loss, variables)
        if update:
            optimizer.apply_gradients(zip(gradients, variables, strict=True))
            return loss
        # Read every gradient, or the graph would not compute it.
        return loss + tf.add_n([tf.reduce_sum(gradient) for gradient in gradients])

    def run() -> float:
        started = time.perf_counter()
        float(step())
        return time.perf_counter() - started

    return run


def against_keras(case: Case, rounds: int) -> list[Timing]:
    """Gradients alone, and the whole step, ours and Keras's in turn."""
    timings = []
    for work, update in (("gradients", False), ("step with SGD", True)):
        ours = step_of(our_model(case), case, update=update)
        theirs = step_of(keras_model(case), case, update=update)
        for warm_up in (ours, theirs, ours, theirs):
            warm_up()
        pairs = [(ours(), theirs()) for _ in range(rounds)]
        mine, others = map(list, zip(*pairs, strict=True))
        timings.append(Timing("keras.applications", work, mine, others))
        keras.backend.clear_session()
    return timings


def against_timm(case: Case, rounds: int, python: Path) -> Timing:
    """The whole step; timm answers in seconds, a line a round."""
    ours = step_of(our_model(case), case, update=True)
    program = Path(__file__).with_name("bench_model_timm.py")
    arguments = [TIMM[case.variant], case.image_size, case.batch_size, CLASSES]
    with subprocess.Popen(
        [str(python), str(program), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as timm:
        if timm.stdin is None or timm.stdout is None:
            raise RuntimeError("timm's process has no pipes")

        def theirs() -> float:
            timm.stdin.write("step\n")
            timm.stdin.flush()
            return float(json.loads(timm.stdout.readline()))

        for warm_up in (ours, theirs, ours, theirs):
            warm_up()
        pairs = [(ours(), theirs()) for _ in range(rounds)]
        timm.stdin.close()
    mine, others = map(list, zip(*pairs, strict=True))
    return Timing("timm, PyTorch", "step with SGD", mine, others)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--timm-python", type=Path)
    arguments = parser.parse_args()
    print("| network | against | work | images/s, ours | ratio | ratio of best |")
    print("|---|---|---|---|---|---|")
    for case in CASES:
        timings = against_keras(case, arguments.rounds)
        if arguments.timm_python is not None:
            timm = against_timm(case, arguments.rounds, arguments.timm_python)
            timings.append(timm)
        for timing in timings:
            print(timing.row(case), flush=True)


if __name__ == "__main__":
    main()
