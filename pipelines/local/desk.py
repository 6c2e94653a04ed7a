"""Runs a recipe on this machine: begin or resume, execute, record, explain."""

import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model_code.config.beam import parse_beam_options
from model_code.config.load import load_recipe
from model_code.config.recipe import Recipe, digest, to_json
from model_code.model.variants import resolve
from pipelines import settings
from pipelines.compile import find_pipeline
from pipelines.local import identity
from pipelines.local import record as records
from pipelines.local.containers import Containers
from pipelines.local.failure import InterruptedRunError, explain
from pipelines.local.guard import alone_in, stopped_by_signals
from pipelines.local.leftovers import end_leftovers
from pipelines.local.record import RunRecord, TaskRecord
from pipelines.local.recorder import Recorder
from pipelines.local.view import View
from pipelines.local.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What `effnetv2 run` was asked for.

    `fresh` begins a new run where an unfinished one could be resumed. Without
    `tracking_uri` the store is in the workspace. With `image` the tasks run in
    containers of it.
    """

    recipe: str
    workspace: Path
    overrides: tuple[str, ...] = ()
    fresh: bool = False
    tracking_uri: str | None = None
    beam_options: str = "--runner=FnApiRunner"
    image: str | None = None


@dataclass(frozen=True)
class Start:
    """How a run starts: anew or where it stopped.

    `ended_processes` of a killed run had to end first. `passed_over` is an
    unfinished run of the same recipe that other code or settings had begun.
    """

    record: RunRecord
    resumed: bool
    ended_processes: int
    passed_over: str | None


def run(
    request: RunRequest,
    announce: Callable[[Start], None],
    make_view: Callable[[RunRecord], View],
) -> RunRecord:
    """Run a recipe to its end, resuming the newest unfinished run of the same.

    Raises:
        ProductError: the request is wrong, the workspace is in use, or a task
            failed; then with that task's paragraph and exit code.
    """
    recipe = _load(request)
    workspace = Workspace(request.workspace.resolve())
    workspace.prepare()
    with alone_in(workspace):
        graph = _graph(recipe)
        start = _start(request, recipe, graph, workspace)
        announce(start)
        with make_view(start.record) as view:
            return _execute(graph, start.record, workspace, view)


def _load(request: RunRequest) -> Recipe:
    """The recipe, and with it all that can be wrong before any task starts."""
    recipe = load_recipe(request.recipe, request.overrides)
    resolve(recipe.model)
    parse_beam_options(request.beam_options)
    return recipe


def _graph(recipe: Recipe) -> Any:
    return find_pipeline("training" if recipe.pretrain else "training-from-scratch")


def _start(
    request: RunRequest, recipe: Recipe, graph: Any, workspace: Workspace
) -> Start:
    ended = end_leftovers(workspace)
    fresh = _new_record(request, recipe, graph, workspace)
    unfinished = [] if request.fresh else _unfinished(workspace, fresh)
    for old in unfinished:
        if {**fresh.arguments, "run_key": old.run_id} == old.arguments:
            return Start(_again(old), True, ended, None)
    directory = workspace.run(fresh.run_id)
    directory.path.mkdir()
    directory.recipe.write_text(to_json(recipe) + "\n")
    return Start(fresh, False, ended, unfinished[0].run_id if unfinished else None)


def _unfinished(workspace: Workspace, wanted: RunRecord) -> list[RunRecord]:
    """Runs of the same recipe that did not reach their end, the newest first."""
    return [
        record
        for record in records.newest_first(workspace.runs)
        if record.recipe_digest == wanted.recipe_digest and record.state != "succeeded"
    ]


def _again(old: RunRecord) -> RunRecord:
    """The record of a resumed run: what did not finish waits again."""
    tasks = tuple(
        task
        if task.state in {"finished", "skipped"}
        else TaskRecord(name=task.name, title=task.title)
        for task in old.tasks
    )
    return replace(old, state="running", attempts=old.attempts + 1, tasks=tasks)


def _new_record(
    request: RunRequest, recipe: Recipe, graph: Any, workspace: Workspace
) -> RunRecord:
    from pipelines.local.runner import task_titles

    now = datetime.now(UTC)
    # The suffix keeps runs apart that other workspaces start in the same second.
    run_id = f"{recipe.name}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    return RunRecord(
        run_id=run_id,
        pipeline=graph.pipeline_spec.pipeline_info.name,
        recipe=recipe.name,
        recipe_digest=digest(recipe),
        started=now.isoformat(),
        arguments={
            "recipe": to_json(recipe),
            "data_root": str(workspace.data),
            "checkpoint_root": str(workspace.checkpoints),
            "tracking_uri": request.tracking_uri or workspace.tracking_uri,
            "run_key": run_id,
            "code_revision": identity.code_revision(),
            "environment_lock_digest": identity.environment_lock_digest(),
            "beam_options": request.beam_options,
            **({} if request.image is None else {"image": request.image}),
        },
        tasks=tuple(
            TaskRecord(name=name, title=title)
            for name, title in task_titles(graph).items()
        ),
    )


def _execute(
    graph: Any, record: RunRecord, workspace: Workspace, view: View
) -> RunRecord:
    from pipelines.local.runner import execute

    directory = workspace.run(record.run_id)
    with directory.log.open("a", encoding="utf-8", buffering=1) as log:
        recorder = Recorder(record, directory, view, log)
        try:
            with settings.applied(workspace.task_variables), stopped_by_signals():
                execute(
                    graph,
                    record.arguments,
                    directory,
                    recorder.receive,
                    _containers(record, workspace),
                )
        except KeyboardInterrupt as error:
            end_leftovers(workspace)
            raise InterruptedRunError(
                f"Run {record.run_id} was stopped; what it finished is kept. Run the "
                "same command again to go on from here."
            ) from error
        except RuntimeError as error:
            if recorder.failed is None:
                raise
            recorder.close("failed")
            raise explain(
                recorder.failed.title, recorder.tail, directory.log
            ) from error
        finally:
            # kfp leaves the source of each task behind.
            shutil.rmtree(workspace.temporary)
        return recorder.close("succeeded")


def _containers(record: RunRecord, workspace: Workspace) -> Containers | None:
    image = record.arguments.get("image")
    if image is None:
        return None
    return Containers(
        image=image, root=workspace.root, variables=workspace.task_variables
    )
