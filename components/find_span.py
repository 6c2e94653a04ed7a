"""Door of find_span: is there new data to retrain on?"""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def find_span(
    recipe: str,
    spans: str,
    span: str,
    data_root: str,
    run_key: str,
    pipeline_run_id: str,
    plan: dsl.Output[dsl.Artifact],
) -> bool:
    """Find the newest span that no run has finished; say why where there is none.

    Args:
        recipe: Resolved recipe as JSON, or the name of a packaged one.
        spans: Root below which data arrives as `SPAN/CLASS/IMAGE`.
        span: One span for a backfill; `newest` for the newest new one.
        data_root: Where retraining remembers what it has done.
        run_key: Key of this run.
        pipeline_run_id: The orchestrator's own id of this run.
        plan: The span, its images by class, and those before it.
    """
    from model_code.tasks import given, retraining

    run = given.RunIdentity(run_key, pipeline_run_id)
    wanted = "" if span == "newest" else span
    found, facts = retraining.find_span(
        recipe, spans, wanted, data_root, run, output=plan.path
    )
    plan.metadata.update(facts)
    return found
