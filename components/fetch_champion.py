"""Door of fetch_champion: the model that retraining starts from."""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def fetch_champion(
    recipe: str, tracking_uri: str, champion: dsl.Output[dsl.Model]
) -> None:
    """Copy the champion out of the registry.

    Args:
        recipe: Recipe that names the registered model.
        tracking_uri: MLflow store that knows the champion.
        champion: Its Model artifact.
    """
    from model_code.tasks import retraining

    facts = retraining.fetch_champion(recipe, tracking_uri, champion.path)
    champion.metadata.update(facts)
