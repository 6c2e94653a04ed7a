"""Door of gate: does the challenger beat the champion?"""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def gate(
    recipe: str,
    evaluation: dsl.Input[dsl.Artifact],
    decision: dsl.Output[dsl.Artifact],
) -> None:
    """Decide by the primary metric on the same test split, and say why.

    Args:
        recipe: Resolved recipe as JSON, or the name of a packaged one.
        evaluation: Reports of the challenger and of the champion, if any.
        decision: The gate decision.
    """
    from model_code.tasks.registry import decide

    decision.metadata.update(decide(recipe, evaluation.path, decision.path))
