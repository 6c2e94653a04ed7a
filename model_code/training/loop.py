"""Progressive learning, start to finish: read this file first.

A run starts where it can (`start.py`), then calls one compiled loop
(`steps.py`) for each progressive stage (`progressive.py`): image size and
regularisation change; weights, optimizer, average and step carry on. It ends
with a Model artifact of the averaged weights.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from model_code.adapters import storage
from model_code.config.model import ModelConfig
from model_code.config.training import TrainConfig
from model_code.data.input_pipeline import InputShard, training_batches
from model_code.data.manifest import DatasetManifest
from model_code.errors import PreemptedError
from model_code.model.efficientnet import set_dropout_rate
from model_code.model_card import Task
from model_code.training.checkpoints import CheckpointStore
from model_code.training.distribution import (
    is_chief,
    is_xla,
    make_strategy,
    per_replica,
)
from model_code.training.failures import explained
from model_code.training.journal import Journal
from model_code.training.memory import check_largest_stage
from model_code.training.plan import Plan
from model_code.training.progressive import ProgressiveStage
from model_code.training.result import (
    TrainingResult,
    card_of,
    final_metrics,
    write_model,
)
from model_code.training.saving import Saver
from model_code.training.start import Start, settings_of, start_training
from model_code.training.state import TrainingState
from model_code.training.steps import TrainSteps, any_size, compile_steps
from model_code.training.stopping import sole_writer, stop_requests
from model_code.training.validation import Validation, make_validation
from model_code.training.watch import LossWatch

OnEvaluation = Callable[[Mapping[str, float]], None]
"""Hears each validation; what it raises ends the run, as a search does early."""


def go_on(metrics: Mapping[str, float]) -> None:
    """Train to the end, whatever a validation says."""
    del metrics


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of training and everything it works with."""

    train: TrainConfig
    manifest: DatasetManifest
    plan: Plan
    strategy: tf.distribute.Strategy
    state: TrainingState
    start: Start
    train_steps: TrainSteps
    validation: Validation | None
    watch: LossWatch
    journal: Journal
    saver: Saver
    asked_to_stop: Callable[[], bool]
    on_evaluation: OnEvaluation


def train_and_evaluate(
    train: TrainConfig,
    model: ModelConfig,
    manifest: DatasetManifest,
    workdir: str,
    output: Path,
    *,
    task: Task = "finetune",
    warm_start: Path | None = None,
    on_evaluation: OnEvaluation = go_on,
) -> TrainingResult:
    """Train a network on a dataset, resuming what `workdir` holds.

    Args:
        train: Length, progressive stages, optimizer, devices.
        model: The network.
        manifest: The dataset; its shards are read where they lie.
        workdir: Directory or `gs://` prefix of checkpoints and summaries.
        output: Directory of the Model artifact: card, weights, history.
        task: Which part of a recipe this is, for the card.
        warm_start: Model artifact to start from; `train.initial_weights` if None.
        on_evaluation: Hears each validation.

    Raises:
        PreemptedError: SIGTERM came; a checkpoint was saved, run again.
        TrainingError: the loss is lost, memory is short, another process trains
            in `workdir`, or its checkpoints are damaged or of another run.
        ConfigError: settings, dataset and devices do not fit together.
        UnavailableError: the strategy's devices are not there.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        weights = warm_start or train.initial_weights
        run = prepare(
            stack,
            train,
            model,
            manifest,
            workdir=workdir,
            weights=weights,
            on_evaluation=on_evaluation,
        )
        for stage in run.plan.stages:
            run_stage(run, stage)
        run.saver.finish()
        metrics = final_metrics(run.journal.history)
        if is_chief(run.strategy):
            card = card_of(
                task, train, model, manifest, steps=run.plan.steps, metrics=metrics
            )
            write_model(output, run.state, run.journal.history, card)
    return TrainingResult(
        origin=run.start.origin,
        first_step=run.start.step,
        steps=run.plan.steps,
        seconds=time.monotonic() - began,
        images_per_second=run.journal.images_per_second,
        metrics=metrics,
    )


def prepare(
    stack: ExitStack,
    train: TrainConfig,
    model: ModelConfig,
    manifest: DatasetManifest,
    *,
    workdir: str,
    weights: Path | str | None,
    on_evaluation: OnEvaluation,
) -> Run:
    """Bring everything to where the first step can be made; `stack` undoes it."""
    if train.deterministic:
        tf.config.experimental.enable_op_determinism()
    strategy = make_strategy(train.distribution)
    chief = is_chief(strategy)
    asked_to_stop = stack.enter_context(stop_requests())
    if chief:
        stack.enter_context(sole_writer(workdir))
    classes = len(manifest.class_names)
    plan = Plan.of(train, manifest)
    check_largest_stage(train, model, classes, plan.stages, strategy)
    with strategy.scope():
        state = TrainingState(train, model, classes)
    settings = settings_of(train, model, manifest, weights)
    store = CheckpointStore(storage.join(workdir, "checkpoints"), train.checkpoint.keep)
    start = start_training(state, store, settings, weights)
    journal = Journal(
        plan, start.history, storage.join(workdir, "tensorboard") if chief else None
    )
    stack.callback(journal.close)
    return Run(
        train=train,
        manifest=manifest,
        plan=plan,
        strategy=strategy,
        state=state,
        start=start,
        train_steps=compile_steps(strategy, state, train),
        validation=make_validation(strategy, state, train, manifest),
        watch=LossWatch(train.loss, classes),
        journal=journal,
        saver=Saver(store, train.checkpoint, settings, writes=chief),
        asked_to_stop=asked_to_stop,
        on_evaluation=on_evaluation,
    )


def run_stage(run: Run, stage: ProgressiveStage) -> None:
    """Train what is left of one progressive stage.

    Raises:
        PreemptedError: asked to stop; the state is saved.
        TrainingError: the loss is lost, or memory ran out.
    """
    step = max(stage.first_step, run.start.step)
    if step >= stage.last_step:
        return
    set_dropout_rate(run.state.model, stage.dropout_rate)
    batches = iter(stage_batches(run, stage, step))
    while step < stage.last_step:
        until = next_stop(run, stage, step)
        stop = make_steps(run, stage, batches, step, until)
        step = until
        if run.validation and step in run.plan.evaluations:
            metrics = run.validation.metrics()
            run.journal.evaluated(stage, step, metrics)
            run.on_evaluation(metrics)
        if stop or step == run.plan.steps or run.saver.is_due(step):
            run.saver.save(run.state, step, run.journal.history)
        if stop:
            run.saver.finish()
            raise PreemptedError(
                f"Training was asked to stop and saved itself after step {step} of "
                f"{run.plan.steps}; run it again to go on from there."
            )


def next_stop(run: Run, stage: ProgressiveStage, step: int) -> int:
    """How far one call of the compiled steps goes."""
    return min(
        step + run.train.distribution.steps_per_call,
        stage.last_step,
        run.plan.next_evaluation(step),
        run.saver.next_due(step),
    )


def make_steps(
    run: Run, stage: ProgressiveStage, batches: Iterator[Any], step: int, until: int
) -> bool:
    """Make the steps from `step` to `until`; whether any worker wants to stop."""
    schedule = run.plan.schedule(step, until, run.train.distribution.steps_per_call)
    began = time.monotonic()
    with explained(run.manifest, stage):
        losses, stopping = run.train_steps(
            batches,
            tf.constant(schedule),
            tf.constant(until - step),
            tf.constant(float(run.asked_to_stop())),
        )
        found = losses.numpy().tolist()
    run.watch.check(step, found, run.saver.store.last_good)
    run.journal.trained(stage, step, found, time.monotonic() - began)
    return bool(stopping.numpy() > 0)


def stage_batches(run: Run, stage: ProgressiveStage, step: int) -> Any:
    """Batches of a stage from `step` on, for all replicas."""

    def of_host(host: InputShard) -> tf.data.Dataset:
        batches = training_batches(
            run.manifest, stage, run.train, first_step=step, input_shard=host
        )
        return batches if is_xla(run.train.distribution) else batches.map(any_size)

    return per_replica(run.strategy, stage.global_batch_size, of_host)
