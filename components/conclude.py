"""Door of conclude: the span is done."""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def conclude(
    recipe: str,
    data_root: str,
    run_key: str,
    pipeline_run_id: str,
    plan: dsl.Input[dsl.Artifact],
    decision: dsl.Input[dsl.Artifact],
    conclusion: dsl.Output[dsl.Artifact],
) -> None:
    """Remember that the span has been trained on, promoted or not, and why.

    Args:
        recipe: Recipe that names the registered model.
        data_root: Where retraining remembers what it has done.
        run_key: Key of this run.
        pipeline_run_id: The orchestrator's own id of this run.
        plan: The plan of find_span.
        decision: The gate decision, acted on.
        conclusion: Carries the outcome and its reason.
    """
    from model_code.tasks import given, retraining

    run = given.RunIdentity(run_key, pipeline_run_id)
    facts = retraining.conclude(recipe, data_root, run, plan.path, decision.path)
    conclusion.metadata.update(facts)
