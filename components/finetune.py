"""Door of finetune: progressive learning on the target set."""

from typing import Optional

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def finetune(
    recipe: str,
    checkpoint_root: str,
    run_key: str,
    pipeline_run_id: str,
    dataset: dsl.Input[dsl.Dataset],
    model: dsl.Output[dsl.Model],
    pretrained: Optional[dsl.Input[dsl.Model]] = None,  # noqa: UP045
) -> None:
    """Train on the target set, from the pretrained weights where there are any.

    Args:
        recipe: Resolved recipe as JSON, or the name of a packaged one.
        checkpoint_root: Directory or `gs://` prefix of all checkpoints.
        run_key: Names the run's checkpoints; the same key resumes.
        pipeline_run_id: The orchestrator's own id of this run.
        dataset: Manifest of the target set.
        model: Weights, history and SavedModel.
        pretrained: Where to warm start from; without it, from scratch.
    """
    from model_code.tasks import given, training

    run = given.RunIdentity(run_key, pipeline_run_id)
    start = pretrained.path if pretrained else None
    places = training.Places(dataset.path, checkpoint_root, model.path, start)
    model.metadata.update(training.train(recipe, "finetune", run, places))
