"""Door of the search worker: trials of one study until its budget is used."""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def search_worker(
    recipe: str,
    study_store: str,
    worker: str,
    dataset: dsl.Input[dsl.Dataset],
    trials: dsl.Output[dsl.Artifact],
) -> None:
    """Take part in a study; any number of workers may do so at once.

    Args:
        recipe: Resolved search recipe as JSON, or the name of a packaged one.
        study_store: Journal file, or URL of a PostgreSQL database.
        worker: Tells the workers of one search apart.
        dataset: Manifest of the set that the trials learn from.
        trials: How many attempts this worker made.
    """
    from model_code.tasks.search import take_part

    facts = take_part(recipe, study_store, worker, dataset.path)
    trials.metadata.update(facts)
