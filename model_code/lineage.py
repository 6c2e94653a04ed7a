"""What made a model: the answer that a champion gives to "where are you from?"."""

import dataclasses
from collections.abc import Mapping

from pydantic.dataclasses import dataclass

from model_code.config.base import STRICT
from model_code.config.recipe import Recipe, digest


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Lineage:
    """Everything a run used, as it is stored on the model version.

    Attributes:
        run_key: names the run across its restarts; one version a key.
        pipeline_run_id: the orchestrator's id of the run that registered.
        tracking_run_id: the MLflow run with the curves.
        recipe: name of the recipe.
        recipe_digest: SHA-256 of the resolved recipe.
        dataset_fingerprints: by task, `pretrain` and `finetune`.
        seeds: by task.
        code_revision: revision of the source that ran.
        environment_lock_digest: SHA-256 of the lock file of the environment.
        image_digest: the image of the tasks, None outside a container.
    """

    run_key: str
    pipeline_run_id: str
    tracking_run_id: str | None
    recipe: str
    recipe_digest: str
    dataset_fingerprints: dict[str, str]
    seeds: dict[str, int]
    code_revision: str
    environment_lock_digest: str
    image_digest: str | None = None


def trace(
    recipe: Recipe,
    *,
    run_key: str,
    pipeline_run_id: str,
    tracking_run_id: str | None,
    dataset_fingerprints: Mapping[str, str],
    code_revision: str,
    environment_lock_digest: str,
    image_digest: str | None = None,
) -> Lineage:
    """The lineage of a run of that recipe; seeds and digest follow from it."""
    tasks = {"pretrain": recipe.pretrain, "finetune": recipe.finetune}
    return Lineage(
        run_key=run_key,
        pipeline_run_id=pipeline_run_id,
        tracking_run_id=tracking_run_id,
        recipe=recipe.name,
        recipe_digest=digest(recipe),
        dataset_fingerprints=dict(dataset_fingerprints),
        seeds={name: task.train.seed for name, task in tasks.items() if task},
        code_revision=code_revision,
        environment_lock_digest=environment_lock_digest,
        image_digest=image_digest,
    )


def as_tags(lineage: Lineage) -> dict[str, str]:
    """Flat text by key; `seeds` becomes `seed.finetune` and so on."""
    tags: dict[str, str] = {}
    for field in dataclasses.fields(lineage):
        value = getattr(lineage, field.name)
        if isinstance(value, dict):
            prefix = field.name.removesuffix("s")
            tags |= {f"{prefix}.{key}": str(item) for key, item in value.items()}
        elif value is not None:
            tags[field.name] = str(value)
    return tags
