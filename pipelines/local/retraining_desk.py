"""Retrains a model on this machine: the graph of `pipelines/retraining.py`.

What has been retrained on is remembered below the data root, and training by
its checkpoints, so that the same request after a kill goes on.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model_code.config.load import load_recipe
from model_code.config.recipe import to_json
from model_code.progress import MARK
from model_code.tasks.retraining import Memory, remembered
from pipelines import settings
from pipelines.compile import find_pipeline
from pipelines.local import identity
from pipelines.local.failure import InterruptedRunError, explain
from pipelines.local.guard import alone_in, stopped_by_signals
from pipelines.local.leftovers import end_leftovers
from pipelines.local.workspace import RunDirectory, Workspace

_TAIL_LINES = 200


@dataclass(frozen=True, kw_only=True)
class RetrainingRequest:
    """What `effnetv2 retrain` or a schedule asks for.

    `run_id` names the run and its checkpoints; the same one goes on.
    `parameters` are those of the pipeline `retraining`, `spans` among them.
    """

    recipe: str
    workspace: Path
    run_id: str
    parameters: Mapping[str, Any]
    overrides: tuple[str, ...] = field(default=())


def retrain(request: RetrainingRequest, say: Callable[[str], None]) -> Memory:
    """Retrain if there is a new span; what the run decided, and why.

    Raises:
        ProductError: the request is wrong, the workspace is in use, or a task
            failed; then with that task's paragraph and exit code.
    """
    recipe = load_recipe(request.recipe, request.overrides)
    workspace = Workspace(request.workspace.resolve())
    workspace.prepare()
    directory = workspace.run(request.run_id)
    arguments = {
        "recipe": to_json(recipe),
        "data_root": str(workspace.data),
        "checkpoint_root": str(workspace.checkpoints),
        "tracking_uri": workspace.tracking_uri,
        "run_key": request.run_id,
        "code_revision": identity.code_revision(),
        "environment_lock_digest": identity.environment_lock_digest(),
        **request.parameters,
    }
    with alone_in(workspace):
        end_leftovers(workspace)
        directory.path.mkdir(parents=True, exist_ok=True)
        _execute(arguments, directory, workspace, say)
    return remembered(str(arguments["data_root"]), recipe.model_name)


def _execute(
    arguments: Mapping[str, Any],
    directory: RunDirectory,
    workspace: Workspace,
    say: Callable[[str], None],
) -> None:
    from pipelines.local.runner import execute

    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    with directory.log.open("a", encoding="utf-8", buffering=1) as log:

        def receive(line: str) -> None:
            log.write(f"{line}\n")
            text = line.strip()
            tail.append(text)
            if text.startswith(MARK):
                say(text.removeprefix(MARK))

        try:
            with settings.applied(workspace.task_variables), stopped_by_signals():
                execute(find_pipeline("retraining"), arguments, directory, receive)
        except KeyboardInterrupt as error:
            end_leftovers(workspace)
            raise InterruptedRunError(
                f"Run {directory.path.name} was stopped; its checkpoints are kept. "
                "Give the same --run-id to go on from here."
            ) from error
        except RuntimeError as error:
            raise explain("retraining", tuple(tail), directory.log) from error
