"""Door of ingest: source images in, a sharded dataset out."""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def ingest(
    recipe: str,
    task: str,
    data_root: str,
    beam_options: str,
    dataset: dsl.Output[dsl.Dataset],
) -> None:
    """Write the dataset of one task of the recipe below the data root.

    Args:
        recipe: Resolved recipe as JSON, or the name of a packaged one.
        task: `pretrain`, `finetune` or `search`: whose dataset.
        data_root: Directory or `gs://` prefix of all datasets.
        beam_options: Flags of the ingest job, such as `--workers=2`.
        dataset: The manifest; the shards stay below the data root.
    """
    from model_code.tasks.data import ingest_dataset

    facts = ingest_dataset(recipe, task, data_root, beam_options, dataset.path)
    dataset.metadata.update(facts)
