"""Door of retraining_recipe: the recipe on the data up to a span."""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def retraining_recipe(
    recipe: str,
    spans: str,
    data_root: str,
    peak_teraflops: float,
    utilisation: float,
    usd_per_hour: float,
    cap_usd: float,
    plan: dsl.Input[dsl.Artifact],
) -> str:
    """Point the recipe at every image up to the span; refuse to overspend.

    Args:
        recipe: Resolved recipe as JSON, or the name of a packaged one.
        spans: Root below which data arrives.
        data_root: Where the list of images is written.
        peak_teraflops: Of what trains, all devices together.
        utilisation: Share of the peak that training reaches.
        usd_per_hour: Price of what trains.
        cap_usd: What the run may cost; 0 for no cap.
        plan: The plan of find_span.
    """
    from model_code.tasks import retraining

    spend = retraining.Spend(peak_teraflops, utilisation, usd_per_hour, cap_usd)
    return retraining.retraining_recipe(recipe, spans, data_root, plan.path, spend)
