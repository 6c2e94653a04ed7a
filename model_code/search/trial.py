"""What a trial does with a network: time its step, train it shortly, judge it.

The time comes first: it decides, with the parameters, what every later accuracy
is worth, so that a hopeless network can be pruned at its first evaluation.
Training is `training/loop.py` on the recipe's shortened settings.
"""

import gc
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path

from model_code.config.model import BlockTable, ModelConfig
from model_code.config.search import SearchRecipe
from model_code.data.manifest import DatasetManifest
from model_code.model.complexity import complexity
from model_code.model.variants import resolve
from model_code.search.objective import Measured
from model_code.search.space import backbone_table
from model_code.search.steps import StepBench
from model_code.search.timing import Step, StepTime, measure
from model_code.search.worker import Evaluated, Report
from model_code.training.loop import train_and_evaluate
from model_code.training.plan import Plan

_ACCURACY = "val/top1"


class Trials:
    """Evaluates networks of one search on this device.

    The backbone's step is compiled once and stands beside every candidate.
    """

    def __init__(self, recipe: SearchRecipe, manifest: DatasetManifest) -> None:
        self._recipe = recipe
        self._manifest = manifest

    def evaluate(self, network: BlockTable, report: Report) -> Evaluated:
        """Time, train and judge a network.

        Raises:
            ProductError: as `train_and_evaluate`; also whatever `report` raises.
        """
        model = self._model(network)
        time = self._time(model)
        share = self._parameters(model) / self._parameters(self._backbone)

        def measured(metrics: Mapping[str, float]) -> Measured:
            return Measured(metrics[_ACCURACY], time.relative, share)

        with tempfile.TemporaryDirectory(prefix="trial-") as directory:
            result = train_and_evaluate(
                self._recipe.train,
                model,
                self._manifest,
                f"{directory}/work",
                Path(directory) / "model",
                on_evaluation=lambda metrics: report(measured(metrics)),
            )
        return Evaluated(
            measured(result.metrics),
            {
                "network": network.name,
                "parameters": self._parameters(model),
                "step_time": asdict(time),
                "training_seconds": result.seconds,
                "metrics": dict(result.metrics),
            },
        )

    def _time(self, model: ModelConfig) -> StepTime:
        candidate = self._bench.step(model)
        try:
            return measure(candidate, self._backbone_step, self._recipe.timing)
        finally:
            del candidate
            gc.collect()  # a compiled step and its variables refer to each other

    @cached_property
    def _bench(self) -> StepBench:
        last = Plan.of(self._recipe.train, self._manifest).stages[-1]
        return StepBench(self._recipe.train, last, len(self._manifest.class_names))

    @cached_property
    def _backbone_step(self) -> Step:
        return self._bench.step(self._backbone)

    @cached_property
    def _backbone(self) -> ModelConfig:
        return self._model(backbone_table(resolve(self._recipe.model)))

    def _model(self, network: BlockTable) -> ModelConfig:
        """The network as it stands: its table has the coefficients worked in."""
        return replace(
            self._recipe.model,
            variant=network,
            width_coefficient=1.0,
            depth_coefficient=1.0,
        )

    def _parameters(self, model: ModelConfig) -> int:
        size = self._recipe.train.evaluation_image_size
        classes = len(self._manifest.class_names)
        return complexity(resolve(model), size, classes).total.trainable
