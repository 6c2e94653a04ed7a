"""Door of notify: tell the operators how a run ended."""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def notify(
    recipe: str,
    data_root: str,
    run_key: str,
    pipeline_run_id: str,
    status: dsl.PipelineTaskFinalStatus,
) -> None:
    """Post outcome and reason to the webhook in EFFNETV2_WEBHOOK, if there is one.

    Args:
        recipe: Recipe that names the registered model.
        data_root: Where retraining remembers what it has done.
        run_key: Key of this run.
        pipeline_run_id: The orchestrator's own id of this run.
        status: How the run ended.
    """
    import os

    from model_code.adapters import webhook
    from model_code.tasks import given, retraining

    run = given.RunIdentity(run_key, pipeline_run_id)
    error = status.error_message or ""
    end = retraining.describe_end(recipe, data_root, run, status.state, error)
    print(end)
    # A secret, so it comes by reference and not as a parameter.
    if address := os.environ.get("EFFNETV2_WEBHOOK"):
        webhook.post(address, end)
