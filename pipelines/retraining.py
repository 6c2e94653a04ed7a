"""The graph of retraining: from a new span of data to a promoted or kept model.

The one graph with a condition. It is on the single, unnamed, boolean output of
find_span: kfp 2.17's local runner skips a condition on a named output and one
on a text that holds a quote (ADR 11, kfp-facts section 1).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from kfp import dsl, kubernetes

import components
from components._image import RUNTIME_IMAGE
from pipelines.resources import furnish
from pipelines.training import PIPELINE_RUN_ID

WEBHOOK_SECRET = "effnetv2-webhook"
"""Kubernetes Secret with the key `url`; a run without it notifies nobody."""


@cache
def retraining() -> Any:
    """The pipeline `retraining`: find, plan, train from the champion, gate, notify."""
    return dsl.pipeline(
        _draw,
        name="retraining",
        description="Retrain the champion on a new span of data, if there is one.",
    )


def _draw(  # noqa: PLR0917 - kfp passes the parameters by position
    recipe: str = "elpv-quick",
    spans: str = "/workspace/spans",
    span: str = "newest",
    data_root: str = "/workspace/data",
    checkpoint_root: str = "/workspace/checkpoints",
    tracking_uri: str = "sqlite:////workspace/mlflow.db",
    run_key: str = PIPELINE_RUN_ID,
    code_revision: str = "unknown",
    environment_lock_digest: str = "unknown",
    image: str = RUNTIME_IMAGE,
    beam_options: str = "--runner=FnApiRunner",
    peak_teraflops: float = 1.0,
    utilisation: float = 0.3,
    usd_per_hour: float = 0.0,
    cap_usd: float = 0.0,
) -> None:
    identity = {
        "run_key": run_key,
        # The backend fills this in only as the whole value of an input.
        "pipeline_run_id": dsl.PIPELINE_JOB_ID_PLACEHOLDER,
    }
    told = components.notify(recipe=recipe, data_root=data_root, **identity)
    furnish(told, image)
    kubernetes.use_secret_as_env(
        told, WEBHOOK_SECRET, {"url": "EFFNETV2_WEBHOOK"}, optional=True
    )
    with dsl.ExitHandler(told, name="retrain"):
        found = components.find_span(
            recipe=recipe, spans=spans, span=span, data_root=data_root, **identity
        )
        furnish(found, image)
        with dsl.If(found.outputs["Output"] == True, name="new-span"):  # noqa: E712
            planned = components.retraining_recipe(
                recipe=recipe,
                spans=spans,
                data_root=data_root,
                peak_teraflops=peak_teraflops,
                utilisation=utilisation,
                usd_per_hour=usd_per_hour,
                cap_usd=cap_usd,
                plan=found.outputs["plan"],
            )
            furnish(planned, image)
            origin = {
                "code_revision": code_revision,
                "environment_lock_digest": environment_lock_digest,
                "image": image,
            }
            places = {
                "data_root": data_root,
                "checkpoint_root": checkpoint_root,
                "tracking_uri": tracking_uri,
                "beam_options": beam_options,
            }
            line = _Line(
                planned.output, found.outputs["plan"], identity, origin, places
            )
            line.draw()


@dataclass(frozen=True)
class _Line:
    """The tasks after the decision to train: one after the other."""

    recipe: Any
    plan: Any
    identity: dict[str, Any]
    origin: dict[str, Any]
    places: dict[str, Any]

    def draw(self) -> None:
        """From ingest to the conclusion."""
        dataset, checked = self._data()
        model, evaluation = self._model(dataset, checked)
        self._publish(dataset, model, evaluation)

    def _data(self) -> tuple[Any, dsl.PipelineTask]:
        ingested = components.ingest(
            recipe=self.recipe,
            task="finetune",
            data_root=self.places["data_root"],
            beam_options=self.places["beam_options"],
        )
        checked = components.validate_span(
            recipe=self.recipe,
            data_root=self.places["data_root"],
            plan=self.plan,
            dataset=ingested.outputs["dataset"],
            **self.identity,
        )
        self._furnish(ingested, checked)
        return ingested.outputs["dataset"], checked

    def _model(self, dataset: Any, checked: dsl.PipelineTask) -> tuple[Any, Any]:
        champion = components.fetch_champion(
            recipe=self.recipe, tracking_uri=self.places["tracking_uri"]
        ).after(checked)
        trained = components.finetune(
            recipe=self.recipe,
            checkpoint_root=self.places["checkpoint_root"],
            dataset=dataset,
            pretrained=champion.outputs["champion"],
            **self.identity,
        )
        judged = components.evaluate(
            recipe=self.recipe,
            tracking_uri=self.places["tracking_uri"],
            code_revision=self.origin["code_revision"],
            dataset=dataset,
            model=trained.outputs["model"],
            **self.identity,
        )
        self._furnish(champion, trained, judged)
        return trained.outputs["model"], judged.outputs["evaluation"]

    def _publish(self, dataset: Any, model: Any, evaluation: Any) -> None:
        decided = components.gate(recipe=self.recipe, evaluation=evaluation)
        registered = components.register(
            recipe=self.recipe,
            tracking_uri=self.places["tracking_uri"],
            dataset=dataset,
            model=model,
            evaluation=evaluation,
            decision=decided.outputs["decision"],
            **self.identity,
            **self.origin,
        )
        promoted = components.promote(
            tracking_uri=self.places["tracking_uri"],
            decision=decided.outputs["decision"],
            version=registered.outputs["version"],
        )
        concluded = components.conclude(
            recipe=self.recipe,
            data_root=self.places["data_root"],
            plan=self.plan,
            decision=decided.outputs["decision"],
            **self.identity,
        ).after(promoted)
        self._furnish(decided, registered, promoted, concluded)

    def _furnish(self, *tasks: dsl.PipelineTask) -> None:
        for task in tasks:
            furnish(task, self.origin["image"])
