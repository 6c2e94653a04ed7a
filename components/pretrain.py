"""Door of pretrain: progressive learning on the pretrain set."""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def pretrain(
    recipe: str,
    checkpoint_root: str,
    run_key: str,
    pipeline_run_id: str,
    dataset: dsl.Input[dsl.Dataset],
    model: dsl.Output[dsl.Model],
) -> None:
    """Train the network of the recipe from scratch on its pretrain set.

    Args:
        recipe: Resolved recipe as JSON, or the name of a packaged one.
        checkpoint_root: Directory or `gs://` prefix of all checkpoints.
        run_key: Names the run's checkpoints; the same key resumes.
        pipeline_run_id: The orchestrator's own id of this run.
        dataset: Manifest of the pretrain set.
        model: Weights, history and SavedModel.
    """
    from model_code.tasks import given, training

    run = given.RunIdentity(run_key, pipeline_run_id)
    places = training.Places(dataset.path, checkpoint_root, model.path)
    model.metadata.update(training.train(recipe, "pretrain", run, places))
