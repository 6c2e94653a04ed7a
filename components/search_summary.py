"""Door of the search summary: a study becomes a winner, its family and a page."""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def search_summary(
    recipe: str,
    study_store: str,
    tracking_uri: str,
    run_key: str,
    pipeline_run_id: str,
    workers: dsl.Input[list[dsl.Artifact]],
    search: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
) -> None:
    """Write the winner as a variant row, scale it, and log the study.

    Args:
        recipe: Resolved search recipe as JSON, or the name of a packaged one.
        study_store: Journal file, or URL of a PostgreSQL database.
        tracking_uri: MLflow store that keeps the study.
        run_key: Names the tracking run; the same key continues it.
        pipeline_run_id: The orchestrator's own id of this run.
        workers: What each worker did; all have ended.
        search: The study, the winner's row, its family and the page.
        report: The page a person reads.
    """
    from model_code.tasks.given import RunIdentity
    from model_code.tasks.search import summarise_study

    run = RunIdentity(run_key, pipeline_run_id)
    paths = (search.path, report.path)
    facts = summarise_study(recipe, study_store, tracking_uri, run, paths)
    search.metadata.update(facts, workers=len(workers))
