"""Door of validate_span: the dataset, and how far its newest span drifted."""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def validate_span(
    recipe: str,
    data_root: str,
    run_key: str,
    pipeline_run_id: str,
    plan: dsl.Input[dsl.Artifact],
    dataset: dsl.Input[dsl.Dataset],
    validation: dsl.Output[dsl.Artifact],
    statistics: dsl.Output[dsl.HTML],
) -> None:
    """Fail where the dataset does not pass or its newest span drifted too far.

    Args:
        recipe: The recipe of this run, as JSON.
        data_root: Where the refusal is remembered.
        run_key: Key of this run.
        pipeline_run_id: The orchestrator's own id of this run.
        plan: The plan of find_span.
        dataset: Manifest of all data up to the span.
        validation: Verdict, counts, anomalies and whether TFDV ran.
        statistics: The view a person opens.
    """
    from model_code.tasks import given, retraining

    run = given.RunIdentity(run_key, pipeline_run_id)
    places = retraining.Places(dataset.path, validation.path, statistics.path)
    facts = retraining.validate_span(recipe, data_root, run, plan.path, places)
    validation.metadata.update(facts)
