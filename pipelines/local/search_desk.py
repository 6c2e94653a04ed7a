"""Runs a search on this machine, and goes on with its study where one is.

The study remembers what is done, so that a search has no record of its own: the
same command continues it, and with a larger budget extends it.
"""

import shutil
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from model_code.artifacts import read_json
from model_code.config.beam import parse_beam_options
from model_code.config.load import load_search_recipe
from model_code.config.search import SearchRecipe, study_digest, to_json
from model_code.model.variants import resolve
from model_code.progress import MARK
from pipelines import settings
from pipelines.compile import find_pipeline
from pipelines.local.failure import InterruptedRunError, explain
from pipelines.local.guard import alone_in, stopped_by_signals
from pipelines.local.leftovers import end_leftovers
from pipelines.local.workspace import RunDirectory, Workspace

_TAIL_LINES = 200
_RUN_KEY_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """What `effnetv2 search` was asked for.

    Without `study_store` the study is a journal file in the workspace; without
    `tracking_uri` the tracking store is there too.
    """

    recipe: str
    workspace: Path
    overrides: tuple[str, ...] = ()
    study_store: str | None = None
    tracking_uri: str | None = None
    beam_options: str = "--runner=FnApiRunner"


@dataclass(frozen=True, kw_only=True)
class SearchOutcome:
    """A finished search: `facts` of its summary, and where the rest lies."""

    name: str
    artifact: Path
    study_store: str
    log: Path
    facts: Mapping[str, Any]


def run(request: SearchRequest, say: Callable[[str], None]) -> SearchOutcome:
    """Search by a recipe until its budget is used; `say` hears how far it is.

    Raises:
        ProductError: the request is wrong, the workspace is in use, or a task
            failed; then with that task's paragraph and exit code.
    """
    recipe = load_search_recipe(request.recipe, request.overrides)
    resolve(recipe.model)
    parse_beam_options(request.beam_options)
    workspace = Workspace(request.workspace.resolve())
    workspace.prepare()
    directory = workspace.search(recipe.name)
    with alone_in(workspace):
        end_leftovers(workspace)
        directory.path.mkdir(parents=True, exist_ok=True)
        directory.recipe.write_text(to_json(recipe) + "\n")
        # Tasks of a search find out themselves what is left to do.
        shutil.rmtree(directory.cache, ignore_errors=True)
        arguments = _arguments(request, recipe, workspace, directory)
        _execute(arguments, directory, workspace, say)
    return _outcome(recipe, arguments, directory)


def _arguments(
    request: SearchRequest,
    recipe: SearchRecipe,
    workspace: Workspace,
    directory: RunDirectory,
) -> dict[str, Any]:
    return {
        "recipe": to_json(recipe),
        "data_root": str(workspace.data),
        "study_store": request.study_store or str(directory.study),
        "tracking_uri": request.tracking_uri or workspace.tracking_uri,
        "run_key": f"{recipe.name}-{study_digest(recipe)[:_RUN_KEY_DIGITS]}",
        "workers": [str(number + 1) for number in range(recipe.workers.count)],
        "beam_options": request.beam_options,
    }


def _execute(
    arguments: Mapping[str, Any],
    directory: RunDirectory,
    workspace: Workspace,
    say: Callable[[str], None],
) -> None:
    from pipelines.local.runner import execute

    with directory.log.open("a", encoding="utf-8", buffering=1) as log:
        listener = _Listener(log, say)
        try:
            with settings.applied(workspace.task_variables), stopped_by_signals():
                execute(find_pipeline("search"), arguments, directory, listener.receive)
        except KeyboardInterrupt as error:
            end_leftovers(workspace)
            raise InterruptedRunError(
                "The search was stopped; its finished trials are kept. Run the same "
                "command again to go on from here."
            ) from error
        except RuntimeError as error:
            raise explain("search", tuple(listener.tail), directory.log) from error


class _Listener:
    """Takes kfp's lines: all to the log, ours to a person.

    Workers print at once, each line further in than the graph's own.
    """

    def __init__(self, log: TextIO, say: Callable[[str], None]) -> None:
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._log = log
        self._say = say

    def receive(self, line: str) -> None:
        self._log.write(line + "\n")
        text = line.strip()
        self.tail.append(text)
        if text.startswith(MARK):
            self._say(text.removeprefix(MARK))


def _outcome(
    recipe: SearchRecipe, arguments: Mapping[str, Any], directory: RunDirectory
) -> SearchOutcome:
    attempt = max(directory.pipeline_root.iterdir())  # named by time
    declared = read_json(attempt / "search-summary" / "executor_output.json")
    (found,) = declared["artifacts"]["search"]["artifacts"]
    return SearchOutcome(
        name=recipe.name,
        artifact=Path(found["uri"]),
        study_store=arguments["study_store"],
        log=directory.log,
        facts=found["metadata"],
    )
