"""Door of validate: statistics, schema and anomalies of a dataset."""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def validate(
    recipe: str,
    task: str,
    dataset: dsl.Input[dsl.Dataset],
    validation: dsl.Output[dsl.Artifact],
    statistics: dsl.Output[dsl.HTML],
) -> None:
    """Fail where the dataset is not what the recipe demands.

    Args:
        recipe: Resolved recipe as JSON, or the name of a packaged one.
        task: `pretrain` or `finetune`: whose dataset.
        dataset: The manifest to check.
        validation: Verdict, counts, anomalies and whether TFDV ran.
        statistics: The view a person opens.
    """
    from model_code.tasks.data import validate_dataset

    facts = validate_dataset(
        recipe, task, dataset.path, validation.path, statistics.path
    )
    validation.metadata.update(facts)
