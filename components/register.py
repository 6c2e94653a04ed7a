"""Door of register: the challenger becomes a model version."""

from typing import Optional

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def register(
    recipe: str,
    tracking_uri: str,
    run_key: str,
    pipeline_run_id: str,
    code_revision: str,
    environment_lock_digest: str,
    image: str,
    dataset: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    evaluation: dsl.Input[dsl.Artifact],
    decision: dsl.Input[dsl.Artifact],
    version: dsl.Output[dsl.Artifact],
    pretrain_dataset: Optional[dsl.Input[dsl.Dataset]] = None,  # noqa: UP045
    pretrained: Optional[dsl.Input[dsl.Model]] = None,  # noqa: UP045
) -> None:
    """Store the model with its lineage, once a run, as `@challenger`.

    Args:
        recipe: Resolved recipe as JSON, or the name of a packaged one.
        tracking_uri: MLflow store to register in.
        run_key: Key of this run; a second registration of it changes nothing.
        pipeline_run_id: The orchestrator's own id of this run.
        code_revision: Revision of the source that runs.
        environment_lock_digest: SHA-256 of the environment lock.
        image: Image the tasks run in, by digest.
        dataset: Manifest of the target set.
        model: The finetuned model.
        evaluation: Its evaluation report.
        decision: The gate decision, stored on the version.
        version: Name and number of the model version.
        pretrain_dataset: Manifest of the pretrain set, where there was one.
        pretrained: The model that finetuning started from, where there was one.
    """
    from model_code.tasks import given, registry

    run = given.RunIdentity(run_key, pipeline_run_id)
    origin = registry.Origin(code_revision, environment_lock_digest, image)
    parts = {"finetune": registry.Part(dataset.path, model.path)}
    if pretrain_dataset and pretrained:
        parts["pretrain"] = registry.Part(pretrain_dataset.path, pretrained.path)
    judged = (evaluation.path, decision.path)
    places = registry.Places(parts, *judged, version.path)
    facts = registry.register_version(recipe, tracking_uri, run, origin, places)
    version.metadata.update(facts)
