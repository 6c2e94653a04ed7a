"""Door of promote: act on the gate decision."""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def promote(
    tracking_uri: str,
    decision: dsl.Input[dsl.Artifact],
    version: dsl.Input[dsl.Artifact],
    promotion: dsl.Output[dsl.Artifact],
) -> None:
    """Move `@champion` to the version, or leave it `@challenger` with the reason.

    Args:
        tracking_uri: MLflow store that holds the version.
        decision: The gate decision.
        version: The registered model version.
        promotion: What was done, and why.
    """
    from model_code.tasks.registry import promote_version

    paths = (decision.path, version.path, promotion.path)
    promotion.metadata.update(promote_version(tracking_uri, *paths))
