"""The graph: a straight line from source images to `@champion`.

One function draws two pipelines, and the desk chooses by the recipe's shape:
`training` pretrains first, `training-from-scratch` does not. Neither branches
at run time (ADR 11): `promote` acts on the gate's decision.

Drawing costs kfp half a second (it walks the call stack for each setting of each
task), so that a graph is drawn when it is asked for, and once.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from kfp import dsl

import components
from components._image import RUNTIME_IMAGE
from pipelines.resources import furnish

PIPELINE_RUN_ID = "pipeline-run-id"
"""As `run_key`: the orchestrator's own run id keys checkpoints and versions."""


@dataclass(frozen=True)
class _Parameters:
    """The pipeline's parameters while it is drawn: channels, not values."""

    recipe: str
    data_root: str
    checkpoint_root: str
    tracking_uri: str
    run_key: str
    code_revision: str
    environment_lock_digest: str
    image: str
    beam_options: str


def _draw(name: str, description: str, *, pretrains: bool) -> Any:
    @dsl.pipeline(name=name, description=description)
    def graph(  # noqa: PLR0917 - kfp passes the parameters by position
        recipe: str = "elpv-quick",
        data_root: str = "/workspace/data",
        checkpoint_root: str = "/workspace/checkpoints",
        tracking_uri: str = "sqlite:////workspace/mlflow.db",
        run_key: str = PIPELINE_RUN_ID,
        code_revision: str = "unknown",
        environment_lock_digest: str = "unknown",
        image: str = RUNTIME_IMAGE,
        beam_options: str = "--runner=FnApiRunner",
    ) -> None:
        given = _Parameters(
            recipe=recipe,
            data_root=data_root,
            checkpoint_root=checkpoint_root,
            tracking_uri=tracking_uri,
            run_key=run_key,
            code_revision=code_revision,
            environment_lock_digest=environment_lock_digest,
            image=image,
            beam_options=beam_options,
        )
        _Line(given).draw(pretrains=pretrains)

    return graph


class _Line:
    """Tasks one after the other: also on this machine, the order is the same.

    kfp's local runner orders what does not depend on each other by a protobuf
    map, whose order changes from run to run.
    """

    def __init__(self, given: _Parameters) -> None:
        self._given = given
        self._last: dsl.PipelineTask | None = None

    def draw(self, *, pretrains: bool) -> None:
        """All data first, so that no training starts on sets that do not pass."""
        sets = {"pretrain": "pretrain set"} if pretrains else {}
        sets["finetune"] = "target set"
        datasets = {task: self._ingest(task, title) for task, title in sets.items()}
        for task, title in sets.items():
            self._validate(task, title, datasets[task])
        target = datasets["finetune"]
        before = self._pretrain(datasets["pretrain"]) if pretrains else {}
        model = self._finetune(target, before)
        evaluation = self._evaluate(target, model)
        self._publish(target, model, evaluation, before)

    def _ingest(self, task: str, title: str) -> Any:
        return self._then(
            components.ingest(
                recipe=self._given.recipe,
                task=task,
                data_root=self._given.data_root,
                beam_options=self._given.beam_options,
            ).set_display_name(f"ingest {title}")
        ).outputs["dataset"]

    def _validate(self, task: str, title: str, dataset: Any) -> None:
        self._then(
            components.validate(
                recipe=self._given.recipe, task=task, dataset=dataset
            ).set_display_name(f"validate {title}")
        )

    def _pretrain(self, corpus: Any) -> dict[str, Any]:
        """What later tasks want of pretraining, by the name of their input."""
        pretrained = self._then(
            components.pretrain(dataset=corpus, **self._training_arguments())
        )
        return {"pretrain_dataset": corpus, "pretrained": pretrained.outputs["model"]}

    def _finetune(self, target: Any, before: dict[str, Any]) -> Any:
        start = {"pretrained": before["pretrained"]} if before else {}
        return self._then(
            components.finetune(dataset=target, **start, **self._training_arguments())
        ).outputs["model"]

    def _training_arguments(self) -> dict[str, Any]:
        return {
            "recipe": self._given.recipe,
            "checkpoint_root": self._given.checkpoint_root,
            **self._run_identity(),
        }

    def _evaluate(self, target: Any, model: Any) -> Any:
        return self._then(
            components.evaluate(
                recipe=self._given.recipe,
                tracking_uri=self._given.tracking_uri,
                code_revision=self._given.code_revision,
                dataset=target,
                model=model,
                **self._run_identity(),
            )
        ).outputs["evaluation"]

    def _publish(
        self, target: Any, model: Any, evaluation: Any, before: dict[str, Any]
    ) -> None:
        """Gate, register and promote."""
        decision = self._then(
            components.gate(recipe=self._given.recipe, evaluation=evaluation)
        ).outputs["decision"]
        version = self._then(
            components.register(
                recipe=self._given.recipe,
                tracking_uri=self._given.tracking_uri,
                code_revision=self._given.code_revision,
                environment_lock_digest=self._given.environment_lock_digest,
                image=self._given.image,
                dataset=target,
                model=model,
                evaluation=evaluation,
                decision=decision,
                **self._run_identity(),
                **before,
            )
        ).outputs["version"]
        self._then(
            components.promote(
                tracking_uri=self._given.tracking_uri,
                decision=decision,
                version=version,
            )
        )

    def _run_identity(self) -> dict[str, Any]:
        return {
            "run_key": self._given.run_key,
            # The backend fills this in only as the whole value of an input.
            "pipeline_run_id": dsl.PIPELINE_JOB_ID_PLACEHOLDER,
        }

    def _then(self, task: dsl.PipelineTask) -> dsl.PipelineTask:
        furnish(task, self._given.image)
        if self._last is not None:
            task.after(self._last)
        self._last = task
        return task


@cache
def training() -> Any:
    """The pipeline `training`: pretrain, finetune and all that follows."""
    return _draw(
        "training",
        "Pretrain, finetune, evaluate, gate, register and promote.",
        pretrains=True,
    )


@cache
def training_from_scratch() -> Any:
    """The pipeline `training-from-scratch`: the same without pretraining."""
    return _draw(
        "training-from-scratch",
        "Train without pretraining, evaluate, gate, register and promote.",
        pretrains=False,
    )
