"""Tasks pretrain and finetune."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_code import progress
from model_code.adapters import storage
from model_code.data import manifest
from model_code.model_card import Task
from model_code.tasks.given import RunIdentity, Stopwatch, read_recipe, section


@dataclass(frozen=True)
class Places:
    """Paths of a training task: what it reads, keeps and writes."""

    dataset: str
    checkpoint_root: str
    output: str
    warm_start: str | None = None


def train(recipe: str, task: Task, run: RunIdentity, places: Places) -> dict[str, Any]:
    """Train on the dataset of a section and write the Model artifact.

    Checkpoints lie at `checkpoint_root/run key/task`: the same run, killed and
    started again, goes on from there.
    """
    from model_code.serving.export import export_saved_model
    from model_code.training.loop import train_and_evaluate

    progress.show()
    settings = read_recipe(recipe)
    warm_start = places.warm_start
    with Stopwatch() as work:
        result = train_and_evaluate(
            section(settings, task).train,
            settings.model,
            manifest.read(places.dataset),
            storage.join(places.checkpoint_root, run.key, task),
            Path(places.output),
            task=task,
            warm_start=None if warm_start is None else Path(warm_start),
        )
        if task == "finetune":
            # Nobody serves a pretrained network, and exporting one takes seconds.
            progress.logger.info("exporting the SavedModel")
            export_saved_model(Path(places.output))
    return {"work_seconds": work.seconds, "summary": str(result)}
