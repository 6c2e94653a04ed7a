"""The graph of a search: one dataset, workers side by side on one study, a summary.

How many workers there are is decided by the list they are named in; each takes
trials until the budget is used, so none waits for a share of its own.
"""

from functools import cache
from typing import Any

from kfp import dsl

import components
from components._image import RUNTIME_IMAGE
from pipelines.resources import furnish
from pipelines.training import PIPELINE_RUN_ID


@cache
def search() -> Any:
    """The pipeline `search`: ingest, search in parallel, summarise."""
    return dsl.pipeline(
        _draw,
        name="search",
        description="Search for a network that is accurate, fast to train and small.",
    )


def _draw(  # noqa: PLR0917 - kfp passes the parameters by position
    recipe: str = "search-elpv-quick",
    data_root: str = "/workspace/data",
    study_store: str = "/workspace/studies/search.log",
    tracking_uri: str = "sqlite:////workspace/mlflow.db",
    run_key: str = PIPELINE_RUN_ID,
    workers: list[str] = ["1"],  # noqa: B006 - kfp takes the default as it is
    image: str = RUNTIME_IMAGE,
    beam_options: str = "--runner=FnApiRunner",
) -> None:
    ingested = components.ingest(
        recipe=recipe, task="search", data_root=data_root, beam_options=beam_options
    ).set_display_name("ingest search set")
    furnish(ingested, image)
    with dsl.ParallelFor(items=workers, name="workers") as worker:
        searched = components.search_worker(
            recipe=recipe,
            study_store=study_store,
            worker=worker,
            dataset=ingested.outputs["dataset"],
        )
        furnish(searched, image)
    summarised = components.search_summary(
        recipe=recipe,
        study_store=study_store,
        tracking_uri=tracking_uri,
        run_key=run_key,
        pipeline_run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
        workers=dsl.Collected(searched.outputs["trials"]),
    )
    furnish(summarised, image)
